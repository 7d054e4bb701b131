"""The only module that awaits a database."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from datasette.database import Database, QueryInterrupted

from . import statements
from .dates import utc_text
from .errors import Unavailable
from .model import ForeignKey, Item, Row, Schema, Source, Table, TagCount, Tally
from .statements import Statement

if TYPE_CHECKING:
    from datasette.app import Datasette

Key = int | str


def now() -> str:
    """The present, as UTC text: the one place that asks which scheduled items are due."""
    return utc_text(datetime.now(timezone.utc))


async def schemas(datasette: Datasette) -> dict[str, Schema]:
    """What every attached database holds: {database: {table: Table}}, Datasette's own internal database left out."""
    names = [name for name in datasette.databases if name != "_internal"]
    return {name: await datasette.get_database(name).execute_fn(_schema) for name in names}


def _schema(connection: sqlite3.Connection) -> Schema:
    listed = connection.execute("select name, type from sqlite_master where type in ('table', 'view')").fetchall()
    return {name: _table(connection, name, kind == "view") for name, kind in listed}


def _table(connection: sqlite3.Connection, name: str, is_view: bool) -> Table:
    try:
        columns = connection.execute("select name, type, pk from pragma_table_info(?)", [name]).fetchall()
        keys = connection.execute('select "from", "table", "to" from pragma_foreign_key_list(?)', [name]).fetchall()
    except sqlite3.Error:  # a broken view, or a virtual table whose module is missing: nothing to read there
        columns, keys = [], []
    primary = [column for column in sorted(columns, key=lambda column: column[2]) if column[2]]
    return Table(
        name,
        {column: declared for column, declared, _ in columns},
        tuple(column for column, _, _ in primary),
        tuple(ForeignKey(column, other, to or "") for column, other, to in keys),
        is_view,
    )


async def tables_read(datasette: Datasette, source: Source) -> frozenset[str]:
    """Every table and view that serving the source reads, by SQLite's own account (its authorizer).

    Raises ValueError with SQLite's words where the source's SQL is wrong.
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
            for statement in (statements.predicate(source), statements.everything_read(source)):
                connection.execute(f"explain {statement.sql}", dict(statement.parameters))
        except sqlite3.Error as error:
            raise ValueError(str(error)) from error
        finally:
            # Python 3.10 cannot take an authorizer away again.
            connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
        return frozenset(read)

    read: frozenset[str] = await datasette.get_database(source.database).execute_fn(compile_only)
    return read


class Store:
    """The questions a request may ask, over the sources that its actor may see, at one moment."""

    def __init__(self, datasette: Datasette, sources: Sequence[Source], now: str) -> None:
        self.datasette = datasette
        self.sources = {source.name: source for source in sources}
        self.now = now
        self._databases: dict[str, list[Source]] = defaultdict(list)
        for source in sources:
            self._databases[source.database].append(source)

    async def stream(self, tag: str | None, limit: int, after: Item | None = None, dated: bool = False) -> list[Item]:
        """At most `limit` items that carry the tag (None: any), in the order of `statements.stream`."""
        found = [
            [Item(*row) for row in await self._execute(name, statements.stream(sources, tag, self.now, limit, after, dated))]
            for name, sources in self._databases.items()
        ]
        # Published falls while the source's name rises: two stable merges cannot do that, a sort of a few pages can.
        together = sorted((item for items in found for item in items), key=lambda item: item.source)
        return sorted(together, key=lambda item: item.published, reverse=True)[:limit]

    async def tallies(self, tag: str | None) -> list[Tally]:
        """The sources that have items under the tag (None: under any), with their figures."""
        return [
            Tally(*row)
            for name, sources in self._databases.items()
            for row in await self._execute(name, statements.tallies(sources, tag, self.now))
        ]

    async def tag_counts(self) -> list[TagCount]:
        """Every tag with its items over all sources, most used first, then by name."""
        counts: dict[str, int] = defaultdict(int)
        latest: dict[str, str] = defaultdict(str)
        for name, sources in self._databases.items():
            for tag, count, last in await self._execute(name, statements.tag_counts(sources, self.now)):
                counts[tag] += count
                latest[tag] = max(latest[tag], last)
        return sorted((TagCount(tag, counts[tag], latest[tag]) for tag in counts), key=lambda one: (-one.items, one.tag))

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
        try:
            results = await _database(self.datasette, database).execute(statement.sql, dict(statement.parameters))
        except QueryInterrupted as error:
            raise Unavailable("The database took longer than its time limit. Try again later.") from error
        except sqlite3.Error as error:
            raise Unavailable("The database could not be read just now. Try again later.") from error
        return list(results.rows)


def _database(datasette: Datasette, name: str) -> Database:
    try:
        return datasette.get_database(name)
    except KeyError as error:
        raise Unavailable("The database is not attached any more.") from error
