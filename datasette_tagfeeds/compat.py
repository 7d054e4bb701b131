"""Where Datasette 0.65 and 1.0 differ, told apart by feature and answered once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

if TYPE_CHECKING:
    from datasette.app import Datasette

try:
    from datasette.resources import DatabaseResource, TableResource

    HAS_RESOURCES = True
except ImportError:
    HAS_RESOURCES = False

try:
    from datasette.permissions import PermissionSQL

    HAS_PERMISSION_SQL = hasattr(PermissionSQL, "deny")
except ImportError:
    HAS_PERMISSION_SQL = False

try:
    from datasette.jump import JumpSQL

    HAS_JUMP_MENU = True
except ImportError:
    HAS_JUMP_MENU = False

Actor = dict[str, Any] | None


async def table_visibility(datasette: Datasette, actor: Actor, database: str, table: str) -> tuple[bool, bool]:
    """(visible to this actor, hidden from the anonymous one), exactly as Datasette's own table page decides."""
    if HAS_RESOURCES:
        resource = TableResource(database=database, table=table)
        visible, private = await datasette.check_visibility(actor, action="view-table", resource=resource)
    else:
        permissions = [("view-table", (database, table)), ("view-database", database), "view-instance"]
        visible, private = await datasette.check_visibility(actor, permissions=permissions)
    return visible, private


@lru_cache(maxsize=8)
def hide_tables(databases: tuple[str, ...], tables: tuple[str, ...]) -> object:
    """Nobody may view these tables of these databases; only 1.0 asks so, with each check of a permission."""
    rows = [(database, table) for database in databases for table in tables]
    if not rows or not HAS_PERMISSION_SQL:
        return None
    row = "select :tagfeeds_{0}_0 as parent, :tagfeeds_{0}_1 as child, 0 as allow, 'the index of datasette-tagfeeds' as reason"
    parameters = {f"tagfeeds_{number}_{place}": value for number, pair in enumerate(rows) for place, value in enumerate(pair)}
    return PermissionSQL(sql=" union all ".join(row.format(number) for number in range(len(rows))), params=parameters)


async def ensure_instance(datasette: Datasette, actor: Actor) -> None:
    """Raise datasette.Forbidden where the actor may not view the instance."""
    if HAS_RESOURCES:
        await datasette.ensure_permission(action="view-instance", actor=actor)
    else:
        await datasette.ensure_permissions(actor, ["view-instance"])


async def may_execute_sql(datasette: Datasette, actor: Actor, database: str) -> bool:
    """True where the actor may run SQL of their own on the database."""
    if HAS_RESOURCES:
        resource = DatabaseResource(database=database)
        visible, _ = await datasette.check_visibility(actor, action="execute-sql", resource=resource)
    else:
        # The page that runs it asks for the database first, and the first opinion in a list of permissions decides.
        page, _ = await datasette.check_visibility(actor, permissions=[("view-database", database), "view-instance"])
        visible, _ = await datasette.check_visibility(actor, permissions=[("execute-sql", database)]) if page else (False, False)
    return bool(visible)


def query_address(datasette: Datasette, database: str, query: str) -> str:
    """The path of Datasette's SQL editor, with what stands in it as a query string."""
    path = datasette.urls.database(database)
    return f"{path}/-/query?{query}" if hasattr(datasette.urls, "database_query") else f"{path}?{query}"


async def instance_title(datasette: Datasette) -> str | None:
    """The title in Datasette's own metadata."""
    if hasattr(datasette, "get_instance_metadata"):
        title = (await datasette.get_instance_metadata()).get("title")
    else:
        title = (datasette.metadata() or {}).get("title")
    return str(title) if title else None


def can_supervise(datasette: Datasette) -> bool:
    """True where tasks can run beside the server: on 1.0."""
    return hasattr(datasette, "add_background_task")


def supervise(datasette: Datasette, task: Callable[[Datasette], Awaitable[None]], name: str) -> None:
    """Have a task run beside the server, from when it serves until it ends."""
    datasette.add_background_task(task, name=name)


def template_environment(datasette: Datasette) -> Environment:
    """Datasette's Jinja environment with its loaders, filters and --template-dir, made synchronous."""
    environment: Environment = datasette.jinja_env if hasattr(datasette, "jinja_env") else datasette.get_jinja_environment(None)
    return environment.overlay(enable_async=False)


def jump_items(sql: str, parameters: dict[str, Any]) -> list[object]:
    """Entries of the jump menu, which only 1.0 has, by the SQL that selects them."""
    return [JumpSQL(sql=sql, params=parameters)] if HAS_JUMP_MENU else []
