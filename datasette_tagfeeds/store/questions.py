"""The questions that a request may ask, each one statement a database, put together."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import choice
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from .. import statements
from ..dates import seconds, utc_text
from ..errors import Broken
from ..memory import Memory, State, TagList, Version, changed
from ..model import Item, Row, Source, TagCount, TagTable, Tally
from ..relations import Selection, Statement
from ..statements import asks_the_clock
from ..values import text
from .databases import execute, memory

if TYPE_CHECKING:
    from datasette.app import Datasette

Key = int | str
Question = Callable[[list[Source]], Statement]
# Seconds for which an answer stands where a source's own SQL asks for the time.
CLOCK = 60
# How many sources one statement asks.
TOGETHER = 40


class Asked(NamedTuple):
    """A statement that a database was asked, and how long it took, in milliseconds."""

    database: str
    statement: Statement
    milliseconds: float


class Store:
    """The questions a request may ask, over the sources and tables about tags that its actor may see, at one moment."""

    def __init__(self, datasette: Datasette, sources: Sequence[Source], now: str) -> None:
        self.datasette = datasette
        self.sources = {source.name: source for source in sources}
        self.now = now
        # What this request has asked, for whoever wants to see it.
        self.asked: list[Asked] = []

    def _asked(self, types: Collection[str] | None = None) -> Iterator[tuple[str, list[Source]]]:
        """(database, sources) of each statement that a question takes: SQLite limits how many tables one may name."""
        databases: dict[str, list[Source]] = defaultdict(list)
        for source in self.sources.values():
            if types is None or source.name in types:
                databases[source.database].append(source)
        for name, sources in databases.items():
            yield from ((name, sources[start : start + TOGETHER]) for start in range(0, len(sources), TOGETHER))

    async def _ask(self, types: Collection[str] | None, question: Question, long: bool = False) -> list[sqlite3.Row]:
        """The rows that answer a question about the sources (of some types)."""
        return [row for name, sources in self._asked(types) for row in await self._answer(name, sources, question, long)]

    async def _answer(self, name: str, sources: list[Source], question: Question, long: bool = False) -> list[sqlite3.Row]:
        """The rows of some sources of a database; one that cannot be read is left out, and health says so."""
        try:
            return await self._execute(name, question(sources), long)
        except Broken as error:
            if len(sources) == 1:
                self.memory.failing[sources[0].name] = str(error.__cause__)
                return []
            return [row for one in sources for row in await self._answer(name, [one], question, long)]

    async def stream(self, selection: Selection, limit: int, after: Item | None = None, dated: bool = False) -> list[Item]:
        """At most `limit` items of the selection, in the order of `statements.stream`."""
        found = await self._ask(selection.types, lambda sources: statements.stream(sources, selection, self.now, limit, after, dated))
        # Published falls while the source's name rises; within a source the order of the answer stands.
        together = sorted((Item(*row) for row in found), key=lambda item: item.source)
        return sorted(together, key=lambda item: item.published, reverse=True)[:limit]

    async def before(self, selection: Selection, limit: int, after: Item, dated: bool) -> list[Item]:
        """At most `limit` items that come before one in the order of the stream, the nearest first."""
        found = await self._ask(
            selection.types, lambda sources: statements.stream(sources, selection, self.now, limit, after, dated, backwards=True)
        )
        together = sorted((Item(*row) for row in found), key=lambda item: item.source, reverse=True)
        return sorted(together, key=lambda item: item.published)[:limit]

    async def tallies(self, selection: Selection, long: bool = False) -> list[Tally]:
        """The sources that have items in the selection, with their figures."""
        found = await self._ask(selection.types, lambda sources: statements.tallies(sources, selection, self.now), long)
        return [Tally(*row) for row in found]

    async def related(self, selection: Selection) -> dict[str, int]:
        """The tags of the selection's items, with how many of these carry each, most used first."""
        counts: dict[str, int] = defaultdict(int)
        for tag, count in await self._ask(selection.types, lambda sources: statements.related(sources, selection, self.now)):
            counts[tag] += count
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    async def timeline(self, selection: Selection, months: bool = False) -> dict[str, dict[str, int]]:
        """{year: {source: items}} of the selection, or {month: …}, rising."""
        length = 7 if months else 4
        periods: dict[str, dict[str, int]] = defaultdict(dict)
        for period, source, count in await self._ask(selection.types, lambda some: statements.timeline(some, selection, self.now, length)):
            periods[period][source] = count
        return dict(sorted(periods.items()))

    def _soon(self) -> str:
        """Until when what SQL made of the clock is taken for the present."""
        return utc_text(datetime.fromisoformat(self.now.replace("Z", "+00:00")) + timedelta(seconds=CLOCK))

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

    def modified(self) -> int | None:
        """When any of the databases last changed, or an item became due, in Unix seconds; None where one has no file.

        What is due is known from `tag_list`, which must have been asked for before.
        """
        found = [self.datasette.databases.get(name) for name in self._databases()]
        times = [changed(database) for database in found if database]
        kept = self.memory.lists.get(frozenset(self.sources))
        due = [seconds(tally.last) for tally in kept.totals if tally.last] if kept else []
        return None if not times or None in times else max(time for time in [*times, *due] if time is not None)

    def _databases(self) -> list[str]:
        return sorted({source.database for source in self.sources.values()})

    async def tag_list(self) -> TagList:
        """Every tag, remembered until the data changes or the next scheduled item becomes due. Whoever asks while it is made waits for it."""
        state, sources = self.state(), frozenset(self.sources)
        kept = self.memory.lists.get(sources)
        if kept and kept.state.holds(state, self.now):
            return kept
        made = await self.memory.once((sources, state), partial(self._tag_list, state))
        # Whoever began to make it may have done so before an item became due.
        return made if made.state.holds(state, self.now) else await self._tag_list(state)

    async def _tag_list(self, state: State) -> TagList:
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        latest: dict[str, str] = defaultdict(str)
        years: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for tag, source, year, count, last in await self._ask(None, lambda sources: statements.tag_counts(sources, self.now), long=True):
            counts[tag][source] = counts[tag].get(source, 0) + count
            years[tag][year] += count
            latest[tag] = max(latest[tag], last)
        due = await self._ask(None, lambda sources: statements.next_due(sources, self.now), long=True)
        listed = (TagCount(tag, sum(by.values()), latest[tag], by, dict(years[tag])) for tag, by in counts.items())
        until = min(
            [*(row[0] for row in due if row[0]), *([self._soon()] if any(map(asks_the_clock, self.sources.values())) else [])], default=""
        )
        made = TagList.of(listed, await self.tallies(Selection(), long=True), replace(state, until=until))
        self.memory.keep(frozenset(self.sources), made)
        return made

    async def facts(self, source: Source, title: str | None, given_id: str | None) -> tuple[int, ...]:
        """How many rows of a source are what; see `statements.facts`. Remembered for this minute and this state of the data."""
        state = (self._version(source.database), self.now[:16])
        kept = self.memory.facts.get(source.name)
        if not kept or kept[0] != state:
            found = await self._execute(source.database, statements.facts(source, title, given_id, self.now), long=True)
            kept = self.memory.facts[source.name] = (state, tuple(found[0]))
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
        found = await self._ask(selection.types, lambda sources: statements.some(sources, selection, self.now))
        return Item(*choice(found)) if found else None

    async def renamed(self, about: TagTable) -> dict[str, str]:
        """The old names of tags that a table holds, with the new ones."""
        return {old: new for old, new in await self._execute(about.database, statements.renamed(about)) if old and new}

    async def rows(self, items: Sequence[Item]) -> dict[Item, tuple[Row, list[str]]]:
        """The row and the tags of each item; an item deleted since it was listed is left out."""
        answer: dict[Item, tuple[Row, list[str]]] = {}
        for source in {item.source: self.sources[item.source] for item in items}.values():
            answer |= await self._rows(source, {item.key: item for item in items if item.source == source.name})
        return answer

    async def _rows(self, source: Source, items: Mapping[Key, Item]) -> dict[Item, tuple[Row, list[str]]]:
        tags: dict[Key, dict[str, None]] = defaultdict(dict)
        for key, tag in await self._answer(source.database, [source], lambda one: statements.tags_of(one[0], list(items))):
            if "\ufffd" not in tag:
                tags[key][tag] = None
        found = await self._answer(source.database, [source], lambda one: statements.rows(one[0], list(items)))
        return {items[key]: (dict(zip(source.columns, values, strict=True)), list(tags[key])) for key, *values in found}

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
