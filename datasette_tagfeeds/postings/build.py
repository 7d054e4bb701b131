"""Making, checking and taking away the index of one file, on a connection of its own."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter, sleep

from .. import dates
from ..dates import normalised_sql
from ..model import Source
from ..relations import items_of, own_key, rows_from
from ..sources import delimited
from ..sources.taggings import tagged
from ..sql import is_key, quote
from . import layout
from .layout import COUNTS, POSTING, QUEUE, READY, SOURCE, number_literal
from .state import numbered, triggers_of
from .triggers import counting, derivation, taggings_of

# What a step of indexing a file in use may take, in seconds; and how many items the first one has.
STEP = 0.05
# Between steps, in seconds: who waits for SQLite's lock asks for it every 25 ms at first, and would miss a shorter moment again and again.
PAUSE = 0.025
FIRST = 200
# How many items are worked out to estimate how long all of them take.
TRIED = 2000

Progress = Callable[[int], None]


def connect(path: str) -> sqlite3.Connection:
    """A connection to the file that can read what our own parsers read, and that begins no transaction by itself."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    dates.register(connection)
    delimited.register(connection)
    connection.execute("pragma cache_size = -200000")
    connection.execute("pragma temp_store = memory")
    return connection


def items(connection: sqlite3.Connection, source: Source) -> int:
    """How many rows a source's table has."""
    count: int = connection.execute(f"select count(*) from {rows_from(source)}").fetchone()[0]
    return count


def estimate(connection: sqlite3.Connection, sources: Sequence[Source]) -> float:
    """About how many seconds indexing these sources takes, by some of each."""
    total = 0.0
    for source in sources:
        some = f"select {own_key(source)} from {rows_from(source)} limit {TRIED}"
        start = perf_counter()
        connection.execute(f"select count(*) from ({taggings_of(source, some, normalised_sql)})").fetchone()
        # Writing the postings takes about as long again as finding them.
        total += 2 * (perf_counter() - start) * max(1.0, items(connection, source) / TRIED)
    return total


def build(connection: sqlite3.Connection, sources: Sequence[Source], progress: Progress) -> None:
    """Make the index of a file anew, in one transaction: it is whole, or not there. `progress` is told of items done."""
    connection.execute("begin immediate")
    try:
        drop(connection)
        _run(connection, layout.TABLES)
        chosen = [numbered(source, number) for number, source in enumerate(sources, 1)]
        for source in chosen:
            connection.execute(_taggings(source))
            progress(items(connection, source))
        _run(connection, layout.INDEXES)
        connection.execute(
            f"insert into {POSTING} (tag, source, published, item)"
            f" select '', source, published, item from {POSTING} group by source, item order by source, published, item"
        )
        connection.execute(
            f"insert into {COUNTS} (tag, source, month, items)"
            f" select tag, source, substr(published, 1, 7), count(*) from {POSTING} group by 1, 2, 3"
        )
        _watch(connection, chosen)
        connection.execute(layout.DONE)
        connection.execute("commit")
    except BaseException:
        connection.rollback()
        raise


def _taggings(source: Source) -> str:
    """A statement that writes all taggings of a source in the order in which they are kept."""
    rows = f"({items_of(source)}) as i join ({tagged(source.tags)}) as t on t.item collate binary = i.item"
    columns = f"t.tag as tag, {number_literal(source)} as source, i.published as published, i.item as item"
    ordered = f"select * from (select {columns} from {rows}) group by tag, published, item order by tag, published, item"
    return f"insert into {POSTING} (tag, source, published, item) {ordered}"


def build_online(connection: sqlite3.Connection, sources: Sequence[Source], progress: Progress) -> None:
    """Make the index of a file in use: triggers first, then some items a step, so that nobody waits for long. What was begun goes on."""
    chosen = [numbered(source, number) for number, source in enumerate(sources, 1)]
    connection.execute("begin immediate")
    if not _begun(connection, chosen):
        drop(connection)
        _run(connection, [*layout.TABLES, *layout.INDEXES])
        _watch(connection, chosen)
    connection.execute("commit")
    for source in chosen:
        _fill(connection, source, progress)
    connection.execute("begin immediate")
    connection.execute(layout.DONE)
    connection.execute("commit")


def _begun(connection: sqlite3.Connection, sources: Sequence[Source]) -> bool:
    """True where an earlier run made the tables and triggers that these sources need, and did not end."""
    there = layout.objects(connection)
    if not there or {*map(quote, there)} & {SOURCE, READY} != {SOURCE}:
        return False
    wanted = [dict(counting()), *(triggers_of(source, connection) for source in sources)]
    if any(name not in there for one in wanted for name in one):  # they went with a table that was made anew
        return False
    known = {name: (number, mark) for number, name, mark in connection.execute(f"select number, name, fingerprint from {SOURCE}")}
    return known == {source.name: (source.indexed, _mark(connection, source)) for source in sources}


def _watch(connection: sqlite3.Connection, sources: Sequence[Source]) -> None:
    """Put the triggers there, and what they were made for."""
    for source in sources:
        _run(connection, triggers_of(source, connection).values())
        row = (source.indexed, source.name, _mark(connection, source))
        connection.execute(f"insert into {SOURCE} (number, name, fingerprint) values (?, ?, ?)", row)
    _run(connection, dict(counting()).values())


def _mark(connection: sqlite3.Connection, source: Source) -> str:
    wanted = {**triggers_of(source, connection), **dict(counting())}
    return layout.fingerprint(source, connection, wanted.values())


def _fill(connection: sqlite3.Connection, source: Source, progress: Progress) -> None:
    """Work out the items of a source, from where an earlier run came to, as many a step as one may take."""
    size, number = FIRST, number_literal(source)
    key = f"{own_key(source)}"
    while True:
        start = perf_counter()
        connection.execute("begin immediate")
        done = connection.execute(f"select done from {SOURCE} where number = {number}").fetchone()[0]
        after = "" if done is None else f" and {key} collate binary > (select done from {SOURCE} where number = {number})"
        keys = f"select {key} as item from {rows_from(source)} where {' and '.join(is_key(source.key, quote(source.table)))}{after}"
        # The sign + takes away the column's affinity, with which SQLite would not use the index of an item's postings.
        some = f"select +item as item from ({keys} order by {key} collate binary limit {size})"
        last, count = connection.execute(f"select max(item collate binary), count(*) from ({some})").fetchone()
        if count:
            for statement in derivation(source, some, normalised_sql):
                connection.execute(statement)
            connection.execute(f"update {SOURCE} set done = ? where number = {number}", [last])
        connection.execute("commit")
        progress(count)
        if count < size:  # what comes after these is the triggers' work, and may never end
            return
        size = max(10, int(size * min(2.0, STEP / 1.5 / max(perf_counter() - start, 1e-4))))
        sleep(PAUSE)


def drop(connection: sqlite3.Connection) -> None:
    """Take every trace of the index out of the file."""
    _run(connection, layout.dropping(connection))


def _run(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    for statement in list(statements):
        connection.execute(statement)


def check(connection: sqlite3.Connection, sources: Sequence[Source]) -> Iterator[tuple[str, int, int]]:
    """(source, missing, wrong): how many postings are not there that should be, and how many are that should not. Counts count as postings."""
    for source in sources:
        number = number_literal(source)
        queued = f"select item from {QUEUE} where source = {number}"
        right = f"select tag, published, item from ({taggings_of(source, None, normalised_sql)}) where item not in ({queued})"
        kept = f"select tag, published, item from {POSTING} where source = {number}"
        months = f"select tag, substr(published, 1, 7), count(*) from {POSTING} where source = {number} group by 1, 2"
        counts = f"select tag, month, items from {COUNTS} where source = {number}"
        missing = [(right, kept), (months, counts)]
        yield (
            source.name,
            *(
                sum(connection.execute(f"select count(*) from ({one} except {other})").fetchone()[0] for one, other in pairs)
                for pairs in (missing, [(other, one) for one, other in missing])
            ),
        )
