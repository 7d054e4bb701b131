"""What the index costs: to build it, and each time that an item is written."""

import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import data
import indexed
from table import Bench, Row, drop

ONE_BY_ONE = 300
TURN = 25
AT_ONCE = 10_000
TAGGINGS = 4
# Seconds that one transaction may take.
PATIENCE = 300


def building(bench: Bench) -> Iterator[Row]:
    """Making the index, beside making the same relation by plain SQL. Of few items the most is starting Datasette, so the largest counts."""
    for items in bench.items:
        plain = indexed.plain(bench, items)
        path, seconds, _ = indexed.made(bench, items)
        grown = path.stat().st_size / bench.database(items).stat().st_size - 1
        what = f"building the index of {items:,} items, beside the same relation sorted into a table"
        said = f"{seconds:.2f} s with starting Datasette / {plain:.2f} s; the file grew by {grown:.0%}"
        yield Row.at_most(what, said, 1.5, seconds / plain) if items == bench.items[-1] else Row(what, said, "", f"{seconds / plain:.2f}")


def inserting(bench: Bench) -> Iterator[Row]:
    """Writing items with four taggings each, to a file without and with the index."""
    items = bench.items[-1]
    with ExitStack() as copies:
        bare = copies.enter_context(closing(Writer(bench.copy(items, "inserting"), items)))
        yield Row(
            f"inserting an item with {TAGGINGS} taggings, {items:,} items, not indexed", f"{statistics.median(bare.singly(TURN)):.2f} ms"
        )
        kept = copies.enter_context(closing(Writer(indexed.copy(bench, items, "inserting-indexed"), items)))
        times: dict[Writer, list[float]] = {bare: [], kept: []}
        for _ in range(ONE_BY_ONE // TURN):
            for writer, found in times.items():
                found.extend(writer.singly(TURN))
        without, with_index = (statistics.median(found) for found in times.values())
        yield Row.at_most(
            f"the same, {ONE_BY_ONE} times, each in its own transaction (WAL, synchronous = full), indexed over not",
            f"{with_index:.2f} ms / {without:.2f} ms",
            3.5,
            with_index / without,
        )
        slow, fast = kept.together(AT_ONCE), bare.together(AT_ONCE)
        yield Row(
            f"{AT_ONCE:,} such items in one transaction, indexed over not",
            f"{slow:.2f} s / {fast:.2f} s ({AT_ONCE / slow:,.0f} and {AT_ONCE / fast:,.0f} items/s)",
            "",
            f"{slow / fast:.2f}",
        )


class Writer:
    """One connection that writes new items to a copy; the same items to every copy of so many."""

    def __init__(self, path: Path, items: int) -> None:
        self._path = path
        self._key = items
        self._chance = random.Random(items)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")

    def singly(self, count: int) -> list[float]:
        """The milliseconds of each of so many transactions."""
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self._write(1)
            times.append(1000 * (time.perf_counter() - start))
        return times

    def together(self, count: int) -> float:
        """The seconds of one transaction with so many items."""
        start = time.perf_counter()
        # SQLite asks this every million steps, and gives up where it is true.
        self._connection.set_progress_handler(lambda: time.perf_counter() - start > PATIENCE, 1_000_000)
        self._write(count)
        return time.perf_counter() - start

    def _write(self, count: int) -> None:
        self._connection.execute("begin immediate")
        for _ in range(count):
            self._key += 1
            created = (data.FIRST + data.YEARS + timedelta(seconds=self._key)).isoformat()
            row = (self._key, f"New {self._key}", "<p>Words.</p>" * 100, created)
            self._connection.execute("insert into weblog_entry values (?, ?, ?, ?, 0)", row)
            # As often as tags are used: the log of a uniform number falls as 1/rank does.
            tags: set[int] = set()
            while len(tags) < TAGGINGS:
                tags.add(int(data.TAGS ** self._chance.random()))
            for tag in sorted(tags):
                self._connection.execute("insert into weblog_entry_tags (entry_id, tag_id) values (?, ?)", (self._key, tag))
        self._connection.execute("commit")

    def close(self) -> None:
        """Close the file and remove the copy."""
        self._connection.close()
        drop(self._path)
