"""What is remembered of each state of the data: the list of all tags. And how a change is noticed."""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from itertools import count
from typing import TYPE_CHECKING, Any

from .model import TagCount, Tally
from .once import Once

if TYPE_CHECKING:
    from datasette.database import Database

# Each set of visible sources has a list of its own; more than these are few.
LISTS = 50
SUGGESTED = 3

Version = tuple[object, ...]


@dataclass(frozen=True)
class State:
    """The state of some databases: a version of each, and when the next scheduled item becomes due ('' for never)."""

    versions: tuple[tuple[str, Version], ...]
    until: str = ""

    def holds(self, other: State, now: str) -> bool:
        """True while what was made of this state need not be made again: nothing has changed, and no item has become due."""
        return self.versions == other.versions and (not self.until or now < self.until)


@dataclass(frozen=True)
class Horizon:
    """The state of some sources' databases with the moment until when it stands, and the tallies of all that is tagged."""

    state: State
    totals: tuple[Tally, ...]


@dataclass(frozen=True)
class TagList:
    """Every tag of some sources, most used first, and the tallies of all that is tagged."""

    counts: tuple[TagCount, ...]
    totals: tuple[Tally, ...]
    by_name: Mapping[str, TagCount]
    folded: Mapping[str, str]
    state: State

    @classmethod
    def of(cls, counts: Iterable[TagCount], totals: Iterable[Tally], state: State) -> TagList:
        """The list of these counts, as they were in a state of the databases."""
        # A tag of bytes that are no UTF-8 has no address.
        ordered = tuple(sorted((one for one in counts if "\ufffd" not in one.tag), key=lambda one: (-one.items, one.tag)))
        folded: dict[str, str] = {}
        for one in ordered:
            folded.setdefault(fold(one.tag), one.tag)
        return cls(ordered, tuple(totals), {one.tag: one for one in ordered}, folded, state)

    def spelt(self, tag: str) -> str | None:
        """The tag as it is stored: exactly, else with ASCII case ignored, the commonest first; None where there is none."""
        return tag if tag in self.by_name else self.folded.get(fold(tag))

    def near(self, tag: str) -> list[str]:
        """Up to three tags that someone may have meant: those that begin alike, hold it, or differ by little."""
        wanted = fold(tag)[:100]
        around = [name for fold, name in self.folded.items() if wanted in fold or (len(fold) > 2 and fold in wanted)]
        # Only words of about the same length and a common beginning or end are compared letter by letter.
        alike = [fold for fold in self.folded if abs(len(fold) - len(wanted)) <= 3 and (fold[:2] == wanted[:2] or fold[-2:] == wanted[-2:])]
        close = [self.folded[fold] for fold in get_close_matches(wanted, alike[:2000], SUGGESTED, 0.6)]
        ranked = dict.fromkeys([*close, *sorted(around, key=lambda name: -SequenceMatcher(None, name.lower(), wanted).ratio())])
        return list(ranked)[:SUGGESTED]


def fold(tag: str) -> str:
    """The tag with ASCII letters made small; other letters have no case that everyone agrees on."""
    return "".join(char.lower() if char.isascii() else char for char in tag)


class Memory:
    """What is remembered for one Datasette, and the connections by which changes are seen."""

    def __init__(self) -> None:
        self.lists: OrderedDict[frozenset[str], TagList] = OrderedDict()
        self.horizons: OrderedDict[frozenset[str], Horizon] = OrderedDict()
        # Which sources carry a tag, of those asked for since the horizon moved.
        self.carried: dict[frozenset[str], tuple[Horizon, dict[str, frozenset[str]]]] = {}
        # Which sources of each database's index have items in its queue.
        self.queued: dict[str, tuple[Version, frozenset[int]]] = {}
        self.once = Once()
        # What SQLite says of sources that cannot be read.
        self.failing: dict[str, str] = {}
        self.facts: dict[str, tuple[object, tuple[int, ...]]] = {}
        self._watches: dict[str, tuple[Database, sqlite3.Connection, int]] = {}
        # Which file each database was when it was opened.
        self._opened: dict[str, tuple[str | None, tuple[int, int]]] = {}
        # The last versions of each database's data and of its tables.
        self._noted: dict[str, tuple[Version | None, Version | None]] = {}
        self._count = count()

    def keep(self, sources: frozenset[str], made: TagList | Horizon) -> None:
        """Remember a list, and forget the oldest of too many."""
        kept: OrderedDict[frozenset[str], Any] = self.lists if isinstance(made, TagList) else self.horizons
        kept[sources] = made
        kept.move_to_end(sources)
        if len(kept) > LISTS:
            kept.popitem(last=False)

    def version(self, name: str, database: Database) -> Version:
        """A value that changes whenever the data may have: SQLite's data_version on a connection of our own, and the file's identity."""
        found = self._watched(name, database, "data_version")
        return found if found is not None else self._changed()

    def schema_version(self, name: str, database: Database) -> Version | None:
        """A value that changes whenever tables may have changed, or another database has the name; None where it cannot be told."""
        data = self._watched(name, database, "data_version")
        before, tables = self._noted.get(name, (None, None))
        # Tables never change without the data's version, which is looked at first, so that a change between the two is seen the next time.
        if data is None or data != before:
            tables = self._watched(name, database, "schema_version")
        self._noted[name] = data, tables
        return tables

    def noted(self, names: Iterable[str]) -> State:
        """The state of some databases at the last look at their tables' version, which saves another look."""
        found = ((name, self._noted.get(name, (None, None))[0]) for name in names)
        return State(tuple((name, data if data is not None else self._changed()) for name, data in found))

    def replaced(self, name: str) -> bool:
        """True where another file has taken the place of a database's, which Datasette's connections do not know of."""
        path, before = self._opened.get(name, (None, (0, 0)))
        with suppress(OSError):
            return _file(path) != before
        return True

    def _changed(self) -> Version:
        """The version of a database that is locked just now: take it for changed."""
        return ("unknown", next(self._count))

    def _watched(self, name: str, database: Database, pragma: str) -> Version | None:
        if not database.is_mutable:
            return ("immutable", str(database.path))
        try:
            database_then, watch, number = self._watches.get(name, (None, None, 0))
            if watch is None or database_then is not database:
                watch, number = database.connect(), next(self._count)
                watch.execute("pragma busy_timeout = 0")
                self._watches[name] = database, watch, number
                self._opened[name] = database.path, _file(database.path)
            # Two connections may give the same number for different data.
            return (watch.execute(f"pragma {pragma}").fetchone()[0], number, _file(database.path))
        except (sqlite3.Error, OSError):
            return None


def _file(path: str | None) -> tuple[int, int]:
    if not path:
        return (0, 0)
    status = os.stat(path)
    return (status.st_ino, status.st_dev)


def changed(database: Database) -> int | None:
    """When the database's file last changed, or its write-ahead log, in Unix seconds; None where there is no file.

    The second after the change: once that has begun, no other change can have the same date.
    """
    if not database.path:
        return None
    times = []
    for path in (str(database.path), f"{database.path}-wal"):
        with suppress(OSError):
            times.append(os.stat(path).st_mtime_ns // 10**9 + 1)
    return max(times, default=None)
