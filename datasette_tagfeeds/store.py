"""The only module that awaits a database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from random import randrange
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from datasette.database import Database, QueryInterrupted
from datasette.utils import sqlite_timelimit

from . import statements
from .dates import utc_text
from .errors import Unavailable
from .memory import Memory, State, TagList, changed
from .model import Item, Row, Schema, Source, TagCount, TagTable, Tally
from .statements import Selection, Statement
from .survey import survey
from .values import text

if TYPE_CHECKING:
    from datasette.app import Datasette

Key = int | str
# What is asked once for each state of the data may take this long, in milliseconds.
LONG_MS = 30_000
# How many sources one statement asks.
TOGETHER = 40

# The survey of each database; None while it is under way.
_SURVEYS: WeakKeyDictionary[Datasette, dict[str, Schema | None]] = WeakKeyDictionary()
_TASKS: set[asyncio.Future[None]] = set()
_MEMORIES: WeakKeyDictionary[Datasette, Memory] = WeakKeyDictionary()


def now() -> str:
    """The present, as UTC text: the one place that asks which scheduled items are due."""
    return utc_text(datetime.now(timezone.utc))


async def schemas(datasette: Datasette) -> dict[str, Schema]:
    """What every attached database holds: {database: {table: Table}}, Datasette's own internal database left out."""
    names = [name for name in datasette.databases if name != "_internal"]
    surveys = _SURVEYS.setdefault(datasette, {})
    for name in names:
        if name not in surveys:
            surveys[name] = None
            # Whoever waits may give up, and at start-up even the event loop may end: the survey goes on in its thread.
            _keep(asyncio.ensure_future(datasette.get_database(name).execute_fn(partial(_survey, surveys, name))))
    while any(surveys[name] is None for name in names):
        await asyncio.sleep(0.01)
    return {name: found for name in names if (found := surveys[name]) is not None}


def _keep(task: asyncio.Future[None]) -> None:
    """Hold a task until it is done, as asyncio wants it."""
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


def _survey(surveys: dict[str, Schema | None], name: str, connection: sqlite3.Connection) -> None:
    try:
        surveys[name] = survey(connection)
    except Exception:  # no database at all, or one whose schema is damaged: nothing can be found there
        surveys[name] = {}


class WrongSQL(ValueError):
    """SQL that SQLite refuses, with the setting that holds it."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


async def tables_read(datasette: Datasette, source: Source) -> frozenset[str]:
    """Every table and view that serving the source reads, by SQLite's own account (its authorizer).

    Raises WrongSQL where the source's SQL is wrong.
    """

    def compile_only(connection: sqlite3.Connection) -> frozenset[str]:
        read: set[str] = set()

        def note(action: int, table: str | None, _column: str | None, _database: str | None, view: str | None) -> int:
            # A view of which no column is used is named only as what the reading is done for.
            if action == sqlite3.SQLITE_READ:
                read.update(name for name in (table, view) if name)
            return sqlite3.SQLITE_OK

        connection.set_authorizer(note)
        try:
            for setting, statement in statements.checked(source):
                try:
                    connection.execute(f"explain {statement.sql}", dict(statement.parameters))
                except (sqlite3.Error, sqlite3.Warning) as error:
                    raise WrongSQL(setting, str(error)) from error
        finally:
            # Python 3.10 cannot take an authorizer away again.
            connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
        # What is left are SQLite's own: json_each, sqlite_master, names of common table expressions.
        return frozenset(read & {row[0] for row in connection.execute("select name from sqlite_master where type in ('table', 'view')")})

    read: frozenset[str] = await datasette.get_database(source.database).execute_fn(compile_only)
    return read


class Store:
    """The questions a request may ask, over the sources and tables about tags that its actor may see, at one moment."""

    def __init__(self, datasette: Datasette, sources: Sequence[Source], now: str) -> None:
        self.datasette = datasette
        self.sources = {source.name: source for source in sources}
        self.now = now

    def _asked(self, types: Collection[str] | None = None) -> Iterator[tuple[str, list[Source]]]:
        """(database, sources) of each statement that a question takes: SQLite limits how many tables one may name."""
        databases: dict[str, list[Source]] = defaultdict(list)
        for source in self.sources.values():
            if types is None or source.name in types:
                databases[source.database].append(source)
        for name, sources in databases.items():
            yield from ((name, sources[start : start + TOGETHER]) for start in range(0, len(sources), TOGETHER))

    async def stream(self, selection: Selection, limit: int, after: Item | None = None, dated: bool = False) -> list[Item]:
        """At most `limit` items of the selection, in the order of `statements.stream`."""
        found = [
            [Item(*row) for row in await self._execute(name, statements.stream(sources, selection, self.now, limit, after, dated))]
            for name, sources in self._asked(selection.types)
        ]
        # Published falls while the source's name rises: two stable merges cannot do that, a sort of a few pages can.
        together = sorted((item for items in found for item in items), key=lambda item: item.source)
        return sorted(together, key=lambda item: item.published, reverse=True)[:limit]

    async def before(self, selection: Selection, limit: int, after: Item, dated: bool) -> list[Item]:
        """At most `limit` items that come before one in the order of the stream, the nearest first."""
        found = []
        for name, sources in self._asked(selection.types):
            statement = statements.stream(sources, selection, self.now, limit, after, dated, backwards=True)
            found += [Item(*row) for row in await self._execute(name, statement)]
        # Within a source the order stands; sources fall while dates rise.
        return sorted(sorted(found, key=lambda item: item.source, reverse=True), key=lambda item: item.published)[:limit]

    async def tallies(self, selection: Selection) -> list[Tally]:
        """The sources that have items in the selection, with their figures."""
        return [
            Tally(*row)
            for name, sources in self._asked(selection.types)
            for row in await self._execute(name, statements.tallies(sources, selection, self.now))
        ]

    async def related(self, selection: Selection) -> dict[str, int]:
        """The tags of the selection's items, with how many of these carry each, most used first."""
        counts: dict[str, int] = defaultdict(int)
        for name, sources in self._asked(selection.types):
            for tag, count in await self._execute(name, statements.related(sources, selection, self.now)):
                counts[tag] += count
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    async def timeline(self, selection: Selection) -> dict[str, dict[str, int]]:
        """{year: {source: items}} of the selection, years rising."""
        years: dict[str, dict[str, int]] = defaultdict(dict)
        for name, sources in self._asked(selection.types):
            for year, source, count in await self._execute(name, statements.timeline(sources, selection, self.now)):
                years[year][source] = count
        return dict(sorted(years.items()))

    def state(self) -> State:
        """The state of the databases now. It costs no query."""
        memory = _MEMORIES.setdefault(self.datasette, Memory())
        return State(tuple((name, memory.version(name, _database(self.datasette, name))) for name in self._databases()))

    def modified(self) -> int | None:
        """When any of the databases last changed, in Unix seconds; None where one has no file."""
        times = [changed(_database(self.datasette, name)) for name in self._databases()]
        return None if not times or None in times else max(time for time in times if time is not None)

    def _databases(self) -> list[str]:
        return sorted({source.database for source in self.sources.values()})

    async def tag_list(self) -> TagList:
        """Every tag, remembered until the data changes or the next scheduled item becomes due."""
        memory = _MEMORIES.setdefault(self.datasette, Memory())
        state = self.state()
        kept = memory.lists.get(frozenset(self.sources))
        if kept and kept.state.holds(state, self.now):
            return kept
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        latest: dict[str, str] = defaultdict(str)
        until, totals = [], []
        for name, sources in self._asked():
            for tag, source, count, last in await self._execute_long(name, statements.tag_counts(sources, self.now)):
                counts[tag][source] = count
                latest[tag] = max(latest[tag], last)
            totals += [Tally(*row) for row in await self._execute_long(name, statements.tallies(sources, Selection(), self.now))]
            until += [row[0] for row in await self._execute_long(name, statements.next_due(sources, self.now)) if row[0]]
        listed = (TagCount(tag, sum(by.values()), latest[tag], by) for tag, by in counts.items())
        made = TagList.of(listed, totals, replace(state, until=min(until, default="")))
        memory.keep(frozenset(self.sources), made)
        return made

    async def facts(self, source: Source, title: str | None, given_id: str | None) -> tuple[int, ...]:
        """How many rows of a source are what; see `statements.facts`. Remembered for this minute and this state of the data."""
        memory = _MEMORIES.setdefault(self.datasette, Memory())
        state = (memory.version(source.database, _database(self.datasette, source.database)), self.now[:16])
        kept = memory.facts.get(source.name)
        if not kept or kept[0] != state:
            found = await self._execute_long(source.database, statements.facts(source, title, given_id, self.now))
            kept = memory.facts[source.name] = (state, tuple(found[0]))
        return kept[1]

    async def scan(self, source: Source) -> None:
        """Find a tag that is not there, within a page's time limit."""
        await self._execute(source.database, statements.scan(source))

    async def descriptions(self, about: TagTable, tags: Sequence[str]) -> dict[str, str]:
        """What a table says about some tags."""
        found = await self._execute(about.database, statements.descriptions(about, tags))
        return {tag: words for tag, value in found if (words := text(value))}

    async def random(self, selection: Selection) -> Item | None:
        """Some item of the selection; None where it is empty."""
        tallies = await self.tallies(selection)
        if not (total := sum(tally.items for tally in tallies)):
            return None
        place = randrange(total)
        for tally in tallies:
            if place < tally.items:
                source = self.sources[tally.source]
                found = await self._execute(source.database, statements.nth(source, selection, self.now, place))
                return Item(*found[0]) if found else None
            place -= tally.items
        return None

    async def renamed(self, about: TagTable) -> dict[str, str]:
        """The old names of tags that a table holds, with the new ones."""
        return {old: new for old, new in await self._execute(about.database, statements.renamed(about)) if old and new}

    async def rows(self, items: Sequence[Item]) -> dict[Item, tuple[Row, list[str]]]:
        """The row and the tags of each item; an item deleted since it was listed is left out."""
        answer: dict[Item, tuple[Row, list[str]]] = {}
        for source in {item.source: self.sources[item.source] for item in items}.values():
            mine = {item.key: item for item in items if item.source == source.name}
            tags: dict[Key, dict[str, None]] = defaultdict(dict)
            for key, tag in await self._execute(source.database, statements.tags_of(source, list(mine))):
                tags[key][tag] = None
            for key, *values in await self._execute(source.database, statements.rows(source, list(mine))):
                answer[mine[key]] = dict(zip(source.columns, values, strict=True)), list(tags[key])
        return answer

    async def _execute(self, database: str, statement: Statement) -> list[sqlite3.Row]:
        with _explained():
            results = await _database(self.datasette, database).execute(statement.sql, dict(statement.parameters))
            return list(results.rows)

    async def _execute_long(self, database: str, statement: Statement) -> list[sqlite3.Row]:
        """As `_execute`, for what is asked once and remembered, so that it may take longer than a page."""

        def ask(connection: sqlite3.Connection) -> list[sqlite3.Row]:
            with sqlite_timelimit(connection, LONG_MS):
                return connection.execute(statement.sql, dict(statement.parameters)).fetchall()

        with _explained():
            found: list[sqlite3.Row] = await _database(self.datasette, database).execute_fn(ask)
            return found


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what a database may answer with into our error."""
    try:
        yield
    except QueryInterrupted as error:
        raise Unavailable("The database took longer than its time limit. Try again later.") from error
    except sqlite3.Error as error:
        raise Unavailable("The database could not be read just now. Try again later.") from error


def _database(datasette: Datasette, name: str) -> Database:
    try:
        return datasette.get_database(name)
    except KeyError as error:
        raise Unavailable("The database is not attached any more.") from error
