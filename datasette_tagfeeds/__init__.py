"""datasette-tagfeeds: Atom feeds and pages for the tags in any SQLite database. This module holds hooks only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Request
from jinja2 import Environment
from pluggy import HookimplMarker

from . import cli as commands
from . import dates, site
from .edge import news
from .integrations import cells, facets, filters, head, indexes, links, tops
from .sources import delimited
from .web import views
from .web.answers import View

if TYPE_CHECKING:
    from datasette.app import Datasette


hookimpl = HookimplMarker("datasette")


@hookimpl
def startup(datasette: Datasette) -> Callable[[], Awaitable[None]]:
    """Check the settings before anything is served."""

    async def check() -> None:
        await site.start(datasette)
        await news.begin(datasette)

    return check


@hookimpl
def register_commands(cli: Any) -> None:
    """datasette tagfeeds check, settings, index and token."""
    commands.register(cli)


@hookimpl
def permission_allowed(action: str, resource: Any) -> bool | None:
    """Nobody may view the tables of the index: they know of rows that are hidden. For Datasette 0.65."""
    return False if action == "view-table" and indexes.is_ours(resource) else None


@hookimpl
def permission_resources_sql(datasette: Datasette, action: str) -> Any:
    """The same for Datasette 1.0."""
    return indexes.hidden(datasette) if action == "view-table" else None


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Every connection can normalise dates and take lists of tags apart."""
    dates.register(conn)
    delimited.register(conn)


@hookimpl
def register_routes(datasette: Datasette) -> list[tuple[str, View]]:
    """Everything below the base path is ours."""
    base = re.escape(site.path(datasette))
    return [
        (r"^/-/tagfeeds$", views.health),
        (r"^/-/tagfeeds\.json$", views.health_json),
        (rf"^{base}$", views.tags),
        (rf"^{base}\.json$", views.tags_json),
        (rf"^{base}\.opml$", views.tags_opml),
        (rf"^{base}(?:\.feed)?\.(?P<format>(?<=feed\.)json|(?<!feed\.)(?:atom|rss))$", views.everything),
        (rf"^{base}/(?P<segment>[^/]+)$", views.tag),
        (rf"^{base}/(?P<segment>[^/]+)/random$", views.random),
        (rf"^{base}/.*$", views.nothing),
    ]


@hookimpl
def menu_links(datasette: Datasette, request: Request | None) -> Any:
    """Tags, in Datasette's menu."""
    return links.menu(datasette, request)


@hookimpl
def homepage_actions(datasette: Datasette, request: Request | None) -> Any:
    """All tags. Datasette 1.0 asks for these, and for those of views and rows."""
    return links.homepage(datasette, request)


@hookimpl
def database_actions(datasette: Datasette, request: Request | None, database: str) -> Any:
    """The tags of a database."""
    return links.database(datasette, request, database)


@hookimpl
def table_actions(datasette: Datasette, request: Request | None, database: str, table: str) -> Any:
    """The tags and the feed of a table."""
    return links.table(datasette, request, database, table)


@hookimpl
def view_actions(datasette: Datasette, request: Request | None, database: str, view: str) -> Any:
    """The tags and the feed of a view."""
    return links.table(datasette, request, database, view)


@hookimpl
def row_actions(datasette: Datasette, request: Request | None, database: str, table: str, row: Any) -> Any:
    """The page of a row that is a tag, or the tags of the row's table."""
    return links.row(datasette, request, database, table, row)


@hookimpl
def jump_items_sql(datasette: Datasette, request: Request | None) -> Any:
    """Tags, in the jump menu of Datasette 1.0."""
    return links.jump(datasette, request)


@hookimpl
def render_cell(value: object, column: str, table: str | None, database: str, datasette: Datasette) -> Any:
    """Tags in cells, as links."""
    return cells.render_cell(datasette, database, table, column, value)


@hookimpl
def top_row(datasette: Datasette, request: Request, database: str, table: str, row: Any) -> Any:
    """The tags of a row, on Datasette 1.0."""
    return tops.row(datasette, request, database, table, row)


@hookimpl
def top_table(datasette: Datasette, request: Request, database: str, table: str) -> Any:
    """The tags that a table's page is filtered by, on Datasette 1.0."""
    return tops.table(datasette, request, database, table)


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    """Pages can name feeds in their head."""
    head.install(env)


@hookimpl
def extra_template_vars(
    datasette: Datasette, request: Request | None, database: str | None, table: str | None, view_name: str | None
) -> Any:
    """The feeds of a table's page."""
    return head.variables(datasette, request, database, table, view_name)


@hookimpl
def extra_css_urls(datasette: Datasette, request: Request | None, database: str | None, table: str | None) -> Any:
    """The look of tags."""
    return head.stylesheets(datasette, request, database, table)


@hookimpl
def filters_from_request(datasette: Datasette, request: Request, database: str, table: str) -> Any:
    """?_tag=python on a table's page."""
    return filters.tagged(datasette, request, database, table)


@hookimpl
def register_facet_classes() -> list[type[facets.TagFacet]]:
    """?_facet_tag= on a table's page."""
    return [facets.TagFacet]
