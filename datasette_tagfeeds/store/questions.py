"""The questions that a request may ask, each one statement a database, put together."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import choice

from .. import statements
from ..dates import seconds, utc_text
from ..expression import tags
from ..memory import Horizon, State, TagList, changed
from ..model import Item, Row, Source, TagCount, TagTable, Tally
from ..relations import Selection, Statement
from ..statements import asks_the_clock
from ..values import text
from .asking import Asker, Month

Key = int | str
Chosen = Callable[[list[Source], Selection], Statement]
# Seconds for which an answer stands where a source's own SQL asks for the time.
CLOCK = 60
# Of how many tags it is remembered which sources carry them, beside the list of all tags.
REMEMBERED = 20_000
# How many tags one statement asks about.
NAMES = 200


def _items(months: Iterable[Month]) -> int:
    return sum(month.items for month in months)


def _tally(source: str, months: Sequence[Month]) -> Tally:
    first = min((month.first for month in months if month.first), default="")
    dated = _items(month for month in months if month.month)
    return Tally(source, _items(months), dated, first, max(month.last for month in months))


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    """Those of the counts that are not zero."""
    return {name: count for name, count in counts.items() if count}


class Store(Asker):
    """The questions a request may ask, over the sources and tables about tags that its actor may see, at one moment."""

    async def _choose(self, selection: Selection, question: Chosen, long: bool = False) -> list[sqlite3.Row]:
        """The rows that answer a question about a selection."""
        names = list(dict.fromkeys(tags(selection.expression))) if selection.expression is not None else []
        if len(names) > 1 and any(source.indexed is not None for source in self.sources.values()):
            selection = replace(selection, sizes=await self.sizes(names))
        return await self._ask(selection.types, lambda sources: question(sources, selection), long)

    async def stream(self, selection: Selection, limit: int, after: Item | None = None, dated: bool = False) -> list[Item]:
        """At most `limit` items of the selection, in the order of `statements.stream`."""
        found = await self._choose(selection, lambda sources, chosen: statements.stream(sources, chosen, self.now, limit, after, dated))
        # Published falls while the source's name rises; within a source the order of the answer stands.
        together = sorted((Item(*row) for row in found), key=lambda item: item.source)
        return sorted(together, key=lambda item: item.published, reverse=True)[:limit]

    async def before(self, selection: Selection, limit: int, after: Item, dated: bool) -> list[Item]:
        """At most `limit` items that come before one in the order of the stream, the nearest first."""
        found = await self._choose(
            selection, lambda sources, chosen: statements.stream(sources, chosen, self.now, limit, after, dated, backwards=True)
        )
        together = sorted((Item(*row) for row in found), key=lambda item: item.source, reverse=True)
        return sorted(together, key=lambda item: item.published)[:limit]

    async def tallies(self, selection: Selection, long: bool = False) -> list[Tally]:
        """The sources that have items in the selection, with their figures."""
        return [_tally(source, months) for source, months in (await self._months(selection, long)).items() if _items(months)]

    async def _months(self, selection: Selection, long: bool = False) -> dict[str, list[Month]]:
        """What each source has of the selection, by months; a page asks for it more than once."""
        if selection not in self._by_month:
            found: dict[str, list[Month]] = defaultdict(list)
            for source, *month in await self._choose(selection, lambda sources, chosen: statements.months(sources, chosen, self.now), long):
                found[source].append(Month(*month))
            self._by_month[selection] = dict(found)
        return self._by_month[selection]

    async def related(self, selection: Selection) -> dict[str, int]:
        """The tags of the selection's items, with how many of these carry each, most used first."""
        counts: dict[str, int] = defaultdict(int)
        for tag, count in await self._choose(selection, lambda sources, chosen: statements.related(sources, chosen, self.now)):
            counts[tag] += count
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    async def timeline(self, selection: Selection, months: bool = False) -> dict[str, dict[str, int]]:
        """{year: {source: items}} of the selection, or {month: …}, rising; the undated left out."""
        periods: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for source, found in (await self._months(selection)).items():
            for month in found:
                periods[month.month if months else month.month[:4]][source] += month.items
        counted = {period: _some(by) for period, by in sorted(periods.items()) if period}
        return {period: by for period, by in counted.items() if by}

    def _soon(self) -> str:
        """Until when what SQL made of the clock is taken for the present."""
        return utc_text(datetime.fromisoformat(self.now.replace("Z", "+00:00")) + timedelta(seconds=CLOCK))

    def modified(self) -> int | None:
        """When any of the databases last changed, or an item became due, in Unix seconds; None where one has no file.

        What is due is known from `horizon`, which must have been asked for before.
        """
        found = [self.datasette.databases.get(name) for name in self._databases()]
        times = [changed(database) for database in found if database]
        kept = self.memory.horizons.get(frozenset(self.sources))
        due = [seconds(tally.last) for tally in kept.totals if tally.last] if kept else []
        return None if not times or None in times else max(time for time in [*times, *due] if time is not None)

    async def horizon(self) -> Horizon:
        """What is tagged in all, and until when it stands: remembered until the data changes or the next scheduled item becomes due.

        Whoever asks while it is made waits for it.
        """
        state, sources = self.state(), frozenset(self.sources)
        kept = self.memory.horizons.get(sources)
        if kept and kept.state.holds(state, self.now):
            return kept
        made = await self.memory.once(("horizon", sources, state), partial(self._horizon, state))
        # Whoever began to make it may have done so before an item became due.
        return made if made.state.holds(state, self.now) else await self._horizon(state)

    async def _horizon(self, state: State) -> Horizon:
        due = await self._ask(None, lambda sources: statements.next_due(sources, self.now), long=True)
        clock = [self._soon()] if any(map(asks_the_clock, self.sources.values())) else []
        until = min([*(row[0] for row in due if row[0]), *clock], default="")
        made = Horizon(replace(state, until=until), tuple(await self.tallies(Selection(), long=True)))
        self.memory.keep(frozenset(self.sources), made)
        return made

    async def tag_list(self) -> TagList:
        """Every tag, remembered as long as the horizon. Whoever asks while it is made waits for it."""
        horizon = await self.horizon()
        if kept := self._listed(horizon):
            return kept
        return await self.memory.once(("tags", frozenset(self.sources), horizon.state), partial(self._tag_list, horizon))

    async def _tag_list(self, horizon: Horizon) -> TagList:
        counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        latest: dict[str, str] = defaultdict(str)
        years: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for tag, source, year, count, last in await self._ask(None, lambda sources: statements.tag_counts(sources, self.now), long=True):
            counts[tag][source] += count
            years[tag][year] += count if year else 0
            latest[tag] = max(latest[tag], last)
        listed = (TagCount(tag, sum(by.values()), latest[tag], _some(by), _some(years[tag])) for tag, by in counts.items())
        made = TagList.of((one for one in listed if one.items), horizon.totals, horizon.state)
        self.memory.keep(frozenset(self.sources), made)
        return made

    def _listed(self, horizon: Horizon) -> TagList | None:
        """The list of all tags, where one of this state is remembered."""
        kept = self.memory.lists.get(frozenset(self.sources))
        return kept if kept and kept.state == horizon.state else None

    async def carried(self, names: Sequence[str]) -> dict[str, frozenset[str]]:
        """{tag: sources} of those of these tags, as they are spelt here, that some item carries."""
        horizon = await self.horizon()
        if self._listed(horizon) is None and await self._all_indexed():
            return await self._carried(horizon, names)
        by_name = (await self.tag_list()).by_name
        return {name: frozenset(by_name[name].sources) for name in names if name in by_name}

    async def _carried(self, horizon: Horizon, names: Sequence[str]) -> dict[str, frozenset[str]]:
        """The same, by what the index says of just these tags."""
        remembered = self.memory.carried.setdefault(frozenset(self.sources), (horizon, {}))
        if remembered[0] is not horizon or len(remembered[1]) > REMEMBERED:
            remembered = self.memory.carried[frozenset(self.sources)] = (horizon, {})
        if not remembered[1].keys() >= set(names):
            key = ("carried", frozenset(self.sources), horizon.state, tuple(names))
            remembered[1].update(await self.memory.once(key, partial(self._who_carries, names)))
        return {name: remembered[1][name] for name in names if remembered[1][name]}

    async def _who_carries(self, names: Sequence[str]) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {name: set() for name in names}
        for tag, source in await self._ask(None, lambda sources: statements.known(sources, names, self.now)):
            found[tag].add(source)
        return {tag: frozenset(sources) for tag, sources in found.items()}

    async def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """How many items carry each of these tags."""
        if self._listed(await self.horizon()) is None and await self._all_indexed():
            found: dict[str, int] = defaultdict(int)
            for start in range(0, len(names), NAMES):
                question = partial(statements.sizes, names=names[start : start + NAMES], now=self.now)
                for tag, count in await self._ask(None, question):
                    found[tag] += count
            return found
        by_name = (await self.tag_list()).by_name
        return {name: by_name[name].items for name in names if name in by_name}

    async def years(self, counts: Sequence[TagCount]) -> dict[str, dict[str, int]]:
        """{tag: {year: items}} of some tags of the list, which knows this of what is not indexed."""
        found: dict[str, dict[str, int]] = {one.tag: defaultdict(int, one.years) for one in counts}
        for start in range(0, len(counts), NAMES):
            question = partial(statements.years, names=[one.tag for one in counts[start : start + NAMES]], now=self.now)
            for tag, year, count in await self._ask(None, question):
                found[tag][year] += count
        return {tag: _some(by) for tag, by in found.items()}

    async def _all_indexed(self) -> bool:
        """True where the index knows of everything, so that no list of all tags is needed to know of some."""
        asked = await self._asked()
        return all(source.indexed is not None for _, sources in asked for source in sources)

    async def facts(self, source: Source, title: str | None, given_id: str | None) -> tuple[int, ...]:
        """How many rows of a source are what; see `statements.facts`. Remembered for this minute and this state of the data."""
        state = (self._version(source.database), self.now[:16])
        kept = self.memory.facts.get(source.name)
        if not kept or kept[0] != state:
            found = await self._execute(source.database, statements.facts(source, title, given_id, self.now), long=True)
            kept = self.memory.facts[source.name] = (state, tuple(found[0]))
        return kept[1]

    async def descriptions(self, about: TagTable, names: Sequence[str]) -> dict[str, str]:
        """What a table says about some tags."""
        found = await self._execute(about.database, statements.descriptions(about, names))
        return {tag: words for tag, value in found if (words := text(value))}

    async def random(self, selection: Selection) -> Item | None:
        """Some item of the selection; None where it is empty."""
        found = await self._choose(selection, lambda sources, chosen: statements.some(sources, chosen, self.now))
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
