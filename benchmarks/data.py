"""A made-up weblog of any size, the same bytes for the same arguments: python benchmarks/data.py ITEMS FILE

Join tables as Django makes them; 10,000 tags, the k-th 1/k as often as the first; 1 to 8 tags an item; 20 years; bodies of about 1.5 KB; 2 % drafts.
"""

import random
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path

TAGS = 10_000
FIRST = datetime(2006, 1, 1, tzinfo=timezone.utc)
YEARS = timedelta(days=20 * 365)
# How many items of a hundred have 1, 2, ... 8 tags.
TAGGED = (15, 25, 23, 15, 10, 6, 4, 2)
DRAFTS = 0.02
PARAGRAPHS = 2000
BATCH = 50_000

TABLES = """
create table weblog_entry (id integer not null primary key, title varchar(255) not null, body text not null,
    created datetime not null, is_draft bool not null);
create table weblog_tag (id integer not null primary key, tag varchar(50) not null unique);
create table weblog_entry_tags (id integer not null primary key,
    entry_id integer not null references weblog_entry (id) deferrable initially deferred,
    tag_id integer not null references weblog_tag (id) deferrable initially deferred);
"""
INDEXES = """
create index weblog_entry_created on weblog_entry (created);
create unique index weblog_entry_tags_both on weblog_entry_tags (entry_id, tag_id);
create index weblog_entry_tags_entry_id on weblog_entry_tags (entry_id);
create index weblog_entry_tags_tag_id on weblog_entry_tags (tag_id);
"""

Entry = tuple[int, str, str, str, int]


def words(chance: random.Random, count: int) -> list[str]:
    """Words of two to four syllables, no two the same."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    made: dict[str, None] = {}
    while len(made) < count:
        made["".join(chance.choices(syllables, k=chance.randint(2, 4)))] = None
    return list(made)


def tags() -> list[str]:
    """The names of all tags, the commonest first."""
    chance = random.Random("tags")
    vocabulary = words(chance, TAGS)
    return [f"{vocabulary[rank]}-{chance.choice(vocabulary)}" if rank % 3 == 2 else vocabulary[rank] for rank in range(TAGS)]


def paragraphs(chance: random.Random) -> list[str]:
    """HTML of about 300 characters each, with a link and an emphasis."""
    vocabulary = words(chance, 3000)
    made = []
    for _ in range(PARAGRAPHS):
        first, second, third, *rest = chance.choices(vocabulary, k=chance.randint(20, 45))
        text = " ".join(rest)
        made.append(
            f'<p>{first.title()} {text}, <a href="https://example.net/{second}?a=1&amp;b=2">{second}</a> &amp; <em>{third}</em>.</p>\n'
        )
    return made


def taggings(chance: random.Random, items: int) -> Iterator[tuple[int, int]]:
    """Pairs of an item and a tag, none twice."""
    ranks, weights = range(1, TAGS + 1), list(accumulate(1 / rank for rank in range(1, TAGS + 1)))
    drawn: Iterator[int] = iter(())
    for first in range(1, items + 1, BATCH):
        here = range(first, min(first + BATCH, items + 1))
        for item, wanted in zip(here, chance.choices(range(1, len(TAGGED) + 1), TAGGED, k=len(here)), strict=True):
            mine: set[int] = set()
            while len(mine) < wanted:
                tag = next(drawn, None)
                if tag is None:
                    drawn = iter(chance.choices(ranks, cum_weights=weights, k=BATCH))
                elif tag not in mine:
                    mine.add(tag)
                    yield item, tag


def entries(chance: random.Random, items: int) -> Iterator[Entry]:
    """Items in the order of their dates, but for some days, and for one in a hundred that is older than its place says."""
    pool, vocabulary = paragraphs(chance), words(chance, 3000)
    for item in range(1, items + 1):
        age = (1 - item / items) * YEARS + timedelta(days=abs(chance.gauss(0, 3)))
        if chance.random() < 0.01:
            age += (YEARS - age) * chance.random()
        created = (FIRST + YEARS - min(age, YEARS)).isoformat(timespec="seconds")
        start, length = chance.randrange(PARAGRAPHS - 7), chance.randint(3, 7)
        title = f"{' '.join(chance.choices(vocabulary, k=4)).capitalize()} {item}"
        # No two bodies are the same, so that a server that remembers what it made of one gains nothing.
        body = f"<p>Number {item}.</p>\n{''.join(pool[start : start + length])}"
        yield item, title, body, created, int(chance.random() < DRAFTS)


def build(path: Path, items: int) -> Path:
    """The database of so many items; one that is there already is kept."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished)
    connection.executescript(f"pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -200000; {TABLES}")
    connection.executemany("insert into weblog_tag values (?, ?)", enumerate(tags(), 1))
    connection.executemany("insert into weblog_entry values (?, ?, ?, ?, ?)", entries(random.Random(items), items))
    connection.executemany("insert into weblog_entry_tags (entry_id, tag_id) values (?, ?)", taggings(random.Random(items + 1), items))
    connection.commit()
    connection.executescript(INDEXES)
    connection.close()
    return unfinished.rename(path)


if __name__ == "__main__":
    build(Path(sys.argv[2]), int(sys.argv[1]))
