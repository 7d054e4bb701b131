"""Asking the databases of one request: which statements a question takes, what they cost, and what to do where one fails."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from .. import statements
from ..errors import Broken
from ..memory import Memory, State, Version
from ..model import Source
from ..postings.layout import QUEUE
from ..relations import Selection, Statement
from .databases import execute, memory

if TYPE_CHECKING:
    from datasette.app import Datasette

Question = Callable[[list[Source]], Statement]
# How many sources one statement asks.
TOGETHER = 40


class Month(NamedTuple):
    """What a source has in a month ('' for the undated), or a part of it: items, first and last date ('' for none)."""

    month: str
    items: int
    first: str
    last: str


class Asked(NamedTuple):
    """A statement that a database was asked, and how long it took, in milliseconds."""

    database: str
    statement: Statement
    milliseconds: float


def waits(source: Source) -> Source:
    """A source limited to items in the queue of its index, read from its tables."""
    return replace(source, indexed=None, only=f"select item from {QUEUE} where source = {source.indexed}")


class Asker:
    """What asks on behalf of one request, over the sources that its actor may see, at one moment."""

    def __init__(self, datasette: Datasette, sources: Sequence[Source], now: str) -> None:
        self.datasette = datasette
        self.sources = {source.name: source for source in sources}
        self.now = now
        # What this request has asked, for whoever wants to see it.
        self.asked: list[Asked] = []
        self._by_month: dict[Selection, dict[str, list[Month]]] = {}

    async def _asked(self, types: Collection[str] | None = None) -> list[tuple[str, list[Source]]]:
        """(database, sources) of each statement that a question takes: SQLite limits how many tables one may name.

        Beside a source that is indexed stands, where there are any, the same source limited to items that wait in the index's queue.
        """
        databases: dict[str, list[Source]] = defaultdict(list)
        for source in self.sources.values():
            if types is None or source.name in types:
                databases[source.database].append(source)
        for name, sources in databases.items():
            waiting = await self._queued(name) if any(source.indexed is not None for source in sources) else frozenset()
            sources += [waits(source) for source in sources if source.indexed in waiting]
        return [
            (name, sources[start : start + TOGETHER]) for name, sources in databases.items() for start in range(0, len(sources), TOGETHER)
        ]

    async def _queued(self, name: str) -> frozenset[int]:
        """The numbers of the sources in a database's index that have items in its queue."""
        version, kept = self._version(name), self.memory.queued.get(name)
        if kept is None or kept[0] != version:
            try:
                found = frozenset(row[0] for row in await self._execute(name, statements.queued()))
            except Broken:  # the index has just been taken away
                found = frozenset()
            kept = self.memory.queued[name] = (version, found)
        return kept[1]

    async def _ask(self, types: Collection[str] | None, question: Question, long: bool = False) -> list[sqlite3.Row]:
        """The rows that answer a question about the sources (of some types)."""
        return [row for name, sources in await self._asked(types) for row in await self._answer(name, sources, question, long)]

    @property
    def memory(self) -> Memory:
        """What is remembered for this Datasette."""
        return memory(self.datasette)

    def state(self) -> State:
        """The state of the databases now. It costs no query."""
        return State(tuple((name, self._version(name)) for name in self._databases()))

    def _version(self, name: str) -> Version:
        database = self.datasette.databases.get(name)
        return self.memory.version(name, database) if database else ("gone",)

    def _databases(self) -> list[str]:
        return sorted({source.database for source in self.sources.values()})

    async def _answer(self, name: str, sources: list[Source], question: Question, long: bool = False) -> list[sqlite3.Row]:
        """The rows of some sources of a database; one that cannot be read is left out, and health says so."""
        try:
            return await self._execute(name, question(sources), long)
        except Broken as error:
            if len(sources) == 1 and sources[0].indexed is not None:
                return await self._answer(name, [replace(sources[0], indexed=None)], question, long)
            if len(sources) == 1:
                self.memory.failing[sources[0].name] = str(error.__cause__)
                return []
            return [row for one in sources for row in await self._answer(name, [one], question, long)]

    async def _execute(self, database: str, statement: Statement, long: bool = False, limit_ms: int | None = None) -> list[sqlite3.Row]:
        with self._timed(database, statement):
            return await execute(self.datasette, database, statement, long, limit_ms)

    @contextmanager
    def _timed(self, database: str, statement: Statement) -> Iterator[None]:
        start = perf_counter()
        yield
        self.asked.append(Asked(database, statement, 1000 * (perf_counter() - start)))

    async def plan(self, asked: Asked) -> list[tuple[int, str]]:
        """(depth, step) of the plan that SQLite makes for a statement (https://sqlite.org/eqp.html)."""
        explained = Statement(f"explain query plan {asked.statement.sql}", asked.statement.parameters)
        depths: dict[int, int] = {}
        steps = []
        for number, above, _, step in await self._execute(asked.database, explained):
            depths[number] = depths.get(above, -1) + 1
            steps.append((depths[number], step))
        return steps

    async def briefly(self, database: str, statement: Statement, limit_ms: int) -> list[sqlite3.Row]:
        """The rows of a statement that a page of Datasette's own asks, in no more time than it gives."""
        return await self._execute(database, statement, limit_ms=limit_ms)
