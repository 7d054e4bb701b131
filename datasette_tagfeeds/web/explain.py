"""?explain=1: the SQL of a page, its parameters, its plan and its time, for whoever may run SQL themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlencode

from .. import compat
from ..relations import Parameters
from . import access
from .answers import PRIVATE, Document
from .visit import Visit


@dataclass(frozen=True)
class Explained:
    """A statement that a page asked, its plan as (depth, step)s, its time, and where it can be tried in Datasette's SQL editor."""

    database: str
    sql: str
    parameters: Parameters
    plan: list[tuple[int, str]]
    milliseconds: float
    url: str


async def page(here: Visit, make: Callable[[Callable[[], Awaitable[object]]], Awaitable[Document]]) -> Document:
    """The page that `make` makes, with how it was found. Nobody else may keep it.

    Raises datasette.Forbidden for an actor who may not run SQL on a database of what the page reads.
    """
    databases = sorted({source.database for source in here.store.sources.values()})
    await access.ensure_execute_sql(here.datasette, here.request.actor, databases)
    made = await make(partial(_explained, here))
    return replace(made, headers={**made.headers, **PRIVATE, "X-Robots-Tag": "noindex, nofollow"})


async def _explained(here: Visit) -> list[Explained]:
    found = []
    for asked in tuple(here.store.asked):
        database, (sql, parameters), milliseconds = asked
        bound = {name: "" if value is None else value for name, value in parameters.items()}
        url = compat.query_address(here.datasette, database, urlencode({"sql": sql, **bound}))
        found.append(Explained(database, sql, parameters, await here.store.plan(asked), milliseconds, url))
    return found
