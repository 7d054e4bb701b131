"""The only module that awaits a database."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from datasette.database import Database, QueryInterrupted
from datasette.utils import sqlite_timelimit

from .. import reads
from ..errors import Broken, Unavailable
from ..memory import Memory, Version
from ..model import Schema, Source
from ..postings import state
from ..postings.state import Indexing
from ..relations import Statement
from ..survey import survey

if TYPE_CHECKING:
    from datasette.app import Datasette

Found = TypeVar("Found")

# What is asked once for each state of the data may take this long, in milliseconds.
LONG_MS = 30_000
TOO_SLOW = "The database took longer than its time limit. Try again later; `datasette tagfeeds index` makes it quick."

# The surveys under way, of each database in each version of its schema: [] until one is done.
_SURVEYS: WeakKeyDictionary[Datasette, dict[tuple[str, Version | None], list[Schema]]] = WeakKeyDictionary()
_TASKS: set[asyncio.Future[None]] = set()
_MEMORIES: WeakKeyDictionary[Datasette, Memory] = WeakKeyDictionary()


async def schemas(datasette: Datasette) -> dict[str, Schema]:
    """What every attached database holds: {database: {table: Table}}, Datasette's own internal database left out."""
    surveys, wanted = _SURVEYS.setdefault(datasette, {}), {}
    for one in fingerprint(datasette).items():
        if one not in surveys:
            surveys[one] = []
            # Whoever waits may give up, and at start-up even the event loop may end: the survey goes on in its thread.
            _keep(asyncio.ensure_future(datasette.get_database(one[0]).execute_fn(partial(_survey, surveys[one]))))
        wanted[one] = surveys[one]
    while not all(wanted.values()):
        await asyncio.sleep(0.01)
    # Samples of rows are large, and have served.
    for one in wanted:
        surveys.pop(one, None)
    return {one[0]: found[0] for one, found in wanted.items()}


def _keep(task: asyncio.Future[None]) -> None:
    """Hold a task until it is done, as asyncio wants it."""
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


def _survey(done: list[Schema], connection: sqlite3.Connection) -> None:
    try:
        done.append(survey(connection))
    except Exception:  # no database at all, or one whose schema is damaged: nothing can be found there
        done.append({})


async def tables_read(datasette: Datasette, source: Source) -> frozenset[str]:
    """Every table and view that serving the source reads. Raises WrongSQL where its SQL is wrong."""
    read: frozenset[str] = await datasette.get_database(source.database).execute_fn(partial(reads.tables_read, source))
    return read


async def execute(
    datasette: Datasette, database: str, statement: Statement, long: bool = False, limit_ms: int | None = None
) -> list[sqlite3.Row]:
    """The rows of a statement, within Datasette's time limit (or `limit_ms`); a `long` one is asked once and remembered, so that it
    may take longer than a page.

    Raises Unavailable where it took too long or the database is busy, Broken where it cannot be answered at all.
    """

    def ask(connection: sqlite3.Connection) -> list[sqlite3.Row]:
        with sqlite_timelimit(connection, LONG_MS):
            return connection.execute(statement.sql, dict(statement.parameters)).fetchall()

    with explained():
        found = _database(datasette, database)
        if long:
            rows: list[sqlite3.Row] = await found.execute_fn(ask)
            return rows
        answer = await found.execute(statement.sql, dict(statement.parameters), custom_time_limit=limit_ms, log_sql_errors=False)
        return list(answer.rows)


async def indexing(datasette: Datasette, sources: Sequence[Source]) -> dict[str, Indexing]:
    """What the index of each database is worth for the sources of it."""
    found: dict[str, Indexing] = {}
    for name in {source.database: None for source in sources}:
        mine = [source for source in sources if source.database == name]
        found |= await datasette.get_database(name).execute_fn(partial(state.indexing, mine))
    return found


async def within(datasette: Datasette, database: str, read: Callable[[sqlite3.Connection], Found]) -> Found:
    """What a function reads of a database, for as long as it needs. Raises Unavailable and Broken."""
    with explained():
        found: Found = await _database(datasette, database).execute_fn(read)
        return found


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a database may answer with into our error."""
    try:
        yield
    except QueryInterrupted as error:
        raise Unavailable(TOO_SLOW) from error
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise Unavailable(TOO_SLOW) from error
        if re.search("locked|busy|I/O error|unable to open|readonly|out of memory|disk is full", str(error)):
            raise Unavailable("The database could not be read just now. Try again later.") from error
        raise Broken("The database cannot be read as the settings say.") from error
    except sqlite3.Error as error:
        raise Broken("The database cannot be read as the settings say.") from error


def _database(datasette: Datasette, name: str) -> Database:
    try:
        return datasette.get_database(name)
    except KeyError as error:
        raise Broken("The database is not attached any more.") from error


def memory(datasette: Datasette) -> Memory:
    """What is remembered for this Datasette."""
    return _MEMORIES.setdefault(datasette, Memory())


def fingerprint(datasette: Datasette) -> dict[str, Version | None]:
    """A value for each database that changes when its tables do; None where it cannot be told just now."""
    kept = memory(datasette)
    return {name: kept.schema_version(name, database) for name, database in datasette.databases.items() if name != "_internal"}
