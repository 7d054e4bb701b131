"""How long the statements of a page take over 100,000 items in three join tables: python benchmarks/pages.py [ITEMS]

Tags are as frequent as words are (the k-th 1/k as often as the first, at most on a tenth of the items). Each figure is the median of five runs, in milliseconds,
and as a multiple of one count of all taggings in the same run, since machines differ.
"""

import asyncio
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from datasette.app import Datasette

from datasette_tagfeeds import site, store
from datasette_tagfeeds.expression import And, Expression, Not, Or, Tag
from datasette_tagfeeds.relations import Selection
from datasette_tagfeeds.store import databases

TABLES = ("entry", "link", "quotation")
TAGS = 5000


def build(path: Path, items: int) -> None:
    """A weblog of three kinds of items, with the indexes that Django makes."""
    chance = random.Random(1)
    weights = [min(0.1, 0.3 / rank) for rank in range(1, TAGS + 1)]
    connection = sqlite3.connect(path)
    connection.executescript(
        "pragma journal_mode = off; pragma synchronous = off; create table tag (id integer primary key, tag text unique);"
    )
    connection.executemany("insert into tag values (?, ?)", ((number, f"tag{number}") for number in range(1, TAGS + 1)))
    for table in TABLES:
        connection.execute(f"create table {table} (id integer primary key, title text, body text, created text, is_draft integer)")
        connection.execute(
            f"create table {table}_tags (id integer primary key, {table}_id integer references {table}(id), tag_id integer references tag(id))"
        )
        for key in range(1, items // len(TABLES) + 1):
            created = f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}T10:00:00+00:00"
            connection.execute(f"insert into {table} values (?, ?, ?, ?, 0)", (key, f"Item {key}", "<p>Words.</p>" * 20, created))
            tags = {number for number in (1, 2, 3, 4) if chance.random() < weights[number - 1]} | set(
                chance.choices(range(5, TAGS + 1), weights[4:], k=3)
            )
            connection.executemany(f"insert into {table}_tags ({table}_id, tag_id) values (?, ?)", ((key, tag) for tag in tags))
        connection.execute(f"create index {table}_tags_item on {table}_tags ({table}_id)")
        connection.execute(f"create index {table}_tags_tag on {table}_tags (tag_id)")
    connection.commit()
    connection.close()


async def median(ask) -> float:
    """The milliseconds that a question takes."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        await ask()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


async def measure(path: Path) -> None:
    """Print each question's time."""
    datasette = Datasette([str(path)], settings={"sql_time_limit_ms": 60_000})
    await datasette.invoke_startup()
    here = await site.site(datasette)
    asked = store.Store(datasette, here.settings.sources, store.now())
    base = await median(lambda: datasette.get_database("big").execute("select count(*), sum(tag_id) from entry_tags"))
    print(f"{'count of taggings':32} {base:8.1f} ms")
    t1, t2, t3, rare = (Tag(f"tag{number}") for number in (1, 2, 3, 900))
    expressions: dict[str, Expression | None] = {
        "one hot tag": t1,
        "one rare tag": rare,
        "three hot tags, and": And((t1, t2, t3)),
        "three hot tags, or": Or((t1, t2, t3)),
        "hot and not hot": And((t1, Not(t2))),
        "not hot": Not(t1),
        "everything": None,
    }
    for name, expression in expressions.items():
        selection = Selection(expression)
        listed = await median(partial(asked.stream, selection, 31))
        counted = await median(partial(asked.tallies, selection))
        rows = await asked.stream(selection, 30)
        read = await median(partial(asked.rows, rows))
        total = listed + counted + read
        print(
            f"{name:32} list {listed:7.1f} ms, counts {counted:7.1f} ms, rows {read:6.1f} ms, together {total:7.1f} ms = {total / base:6.1f} x"
        )
    print(f"{'list of all tags, once':32} {await median(lambda: fresh(datasette, here)):8.1f} ms")
    start = time.perf_counter()
    await asked.tag_list()
    print(f"{'list of all tags, remembered':32} {1000 * (time.perf_counter() - start):8.3f} ms")


async def fresh(datasette: Datasette, here: site.Site) -> None:
    """The list of tags without what is remembered."""
    databases._MEMORIES.pop(datasette, None)
    await store.Store(datasette, here.settings.sources, store.now()).tag_list()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "big.db", int(sys.argv[1]) if sys.argv[1:] else 100_000)
        asyncio.run(measure(Path(folder) / "big.db"))
