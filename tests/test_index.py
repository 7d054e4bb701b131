"""The index in the file: the same answers as without it, whoever writes and however; no write fails that would not have failed."""

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import SETTINGS
from datasette.app import Datasette
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from datasette_tagfeeds import site as sites
from datasette_tagfeeds.cli import indexing
from datasette_tagfeeds.postings import build

pytestmark = pytest.mark.live

POST = "create table post (id integer primary key, slug text unique, title text, created, is_draft integer default 0{more});"
TAG = "create table tag (id integer primary key, tag text unique);"


@dataclass(frozen=True)
class Storage:
    """A way to store tags: the tables, the settings of the source, what each table's columns may hold."""

    name: str
    schema: str
    source: dict
    columns: dict


KEYS = st.one_of(st.integers(1, 6), st.sampled_from([None, "x", -1, 2.5]))
# SQLite itself keeps the first rows of a statement whose later key is no number, or takes them back where there are triggers.
NUMBERS = st.one_of(st.integers(1, 6), st.none())
WORDS = st.sampled_from(["a", "b", "c", "A", "d e", "", " ", None, 7, 2.5, b"x", "a,b"])
DATES = st.sampled_from(
    [
        "2020-01-01T00:00:00Z",
        "2021-03-04 05:06:07",
        "2020-02-30",
        "2019-12-31",
        "Tue, 03 Mar 2020 04:05:06 GMT",
        "soon",
        "",
        None,
        1600000000,
    ]
    + [1600000000000, 12, 2459000.5, b"2020", "9000-01-01", "2021-03-04T05:06:07+02:00", "20200101", "2020-01-01T00:00:00.5Z"]
)
FLAGS = st.sampled_from([0, 0, 0, 1, None])
ARRAYS = st.sampled_from(['["a"]', '["a", "b"]', '["b", "c", "b"]', "[oops", "", None, "[]", '[1, null, {"name": "a"}]', 3, b"x", '"a"'])
LISTS = st.sampled_from(["a", "a,b", " b , c,,", "", None, 3, b"x", "a,\x01,b"])
SLUGS = st.sampled_from(["s1", "s2", "s3", "s4", None])
ITEM = {"id": NUMBERS, "slug": SLUGS, "title": WORDS, "created": DATES, "is_draft": FLAGS}
BASE = {"title": "title", "published": "created", "where": "is_draft = 0"}
STORAGES = [
    Storage(
        "join",
        POST.format(more="") + TAG + "create table post_tags (id integer primary key, post_id integer references post(id) on delete cascade,"
        " tag_id integer references tag(id) on delete cascade, unique (post_id, tag_id))",
        {"tags": "post_tags"},
        {"post": ITEM, "tag": {"id": NUMBERS, "tag": WORDS}, "post_tags": {"id": NUMBERS, "post_id": KEYS, "tag_id": KEYS}},
    ),
    Storage(
        "join without a key",
        "create table post (id text primary key collate nocase, slug text unique on conflict replace, title, created, is_draft default 0) without rowid;"
        + TAG
        + "create table post_tags (post_id text references post(id) on delete cascade on update cascade, tag_id integer references tag(id))",
        {"tags": "post_tags"},
        {"post": {**ITEM, "id": SLUGS}, "tag": {"id": NUMBERS, "tag": WORDS}, "post_tags": {"post_id": SLUGS, "tag_id": KEYS}},
    ),
    Storage(
        "join by slug",
        POST.format(more="") + "create table tag (name text primary key);"
        "create table post_tags (post_slug text references post(slug) on update cascade, tag_name text references tag(name) on delete cascade)",
        {"tags": {"join": "post_tags", "item": "post_slug", "tag": "tag_name", "name": "tag.name"}},
        {"post": ITEM, "tag": {"name": WORDS}, "post_tags": {"post_slug": SLUGS, "tag_name": WORDS}},
    ),
    Storage(
        "rows",
        POST.format(more="") + "create table post_tag (post_id integer references post(id) on delete cascade, tag, primary key (post_id, tag))",
        {"tags": {"table": "post_tag", "item": "post_id", "tag": "tag"}},
        {"post": ITEM, "post_tag": {"post_id": KEYS, "tag": WORDS}},
    ),
    Storage(
        "generic",
        POST.format(more="")
        + TAG
        + "create table tagging (id integer primary key, object_id integer, kind text, tag_id integer references tag(id), unique (object_id, kind, tag_id))",
        {"tags": {"table": "tagging", "item": "object_id", "tag": "tag_id", "type_column": "kind", "type": "post", "name": "tag.tag"}},
        {"post": ITEM, "tag": {"id": NUMBERS, "tag": WORDS},
         "tagging": {"id": NUMBERS, "object_id": KEYS, "kind": st.sampled_from(["post", "photo", None]), "tag_id": KEYS}},
    ),
    Storage("array", POST.format(more=", tags text"), {"tags": "tags"}, {"post": {**ITEM, "tags": ARRAYS}}),
    Storage(
        "delimited", POST.format(more=", tags text"), {"tags": {"column": "tags", "split": ","}}, {"post": {**ITEM, "tags": LISTS}}
    ),
    Storage(
        "one column",
        "create table part (a integer, b integer, title, created, is_draft default 0, topic, primary key (a, b)) without rowid",
        {"table": "part", "tags": {"column": "topic", "split": "|"}},
        {"part": {"a": st.integers(1, 3), "b": st.integers(1, 2), "title": WORDS, "created": DATES, "is_draft": FLAGS, "topic": WORDS}},
    ),
    Storage(
        "extended",
        "create table page (id integer primary key, title, created, is_draft integer default 0, slug text unique);"
        "create table post (page_id integer primary key references page(id) on delete cascade, body);"
        + TAG
        + "create table post_tags (post_id integer references post(page_id) on delete cascade, tag_id integer references tag(id))",
        {"tags": "post_tags"},
        {"page": ITEM, "post": {"page_id": NUMBERS, "body": WORDS}, "tag": {"id": NUMBERS, "tag": WORDS}, "post_tags": {"post_id": KEYS, "tag_id": KEYS}},
    ),
]  # fmt: skip
BY_NAME = {one.name: one for one in STORAGES}


@st.composite
def statements(draw, storage):
    """One statement that somebody may write: (SQL, values)."""
    table = draw(st.sampled_from(list(storage.columns)))
    columns = storage.columns[table]
    policy = draw(st.sampled_from(["", "", " or replace", " or ignore", " or fail"]))
    kind = draw(st.sampled_from(["insert", "insert", "insert", "update", "update", "delete", "all", "several"]))
    some = draw(st.lists(st.sampled_from(list(columns)), min_size=1, unique=True))
    row = tuple(draw(columns[name]) for name in columns)
    if kind == "insert":
        return f"insert{policy} into {table} ({', '.join(columns)}) values ({', '.join('?' * len(row))})", row
    if kind == "several":
        rows = [row, tuple(draw(columns[name]) for name in columns)]
        marks = ", ".join(f"({', '.join('?' * len(row))})" for _ in rows)
        return f"insert{policy} into {table} ({', '.join(columns)}) values {marks}", (*rows[0], *rows[1])
    place = draw(st.sampled_from(some))
    values = tuple(draw(columns[name]) for name in some)
    if kind == "update":
        return f"update{policy} {table} set {', '.join(f'{name} = ?' for name in some)} where {place} is ?", (*values, draw(columns[place]))
    if kind == "delete":
        return f"delete from {table} where {place} is ?", (draw(columns[place]),)
    return draw(st.sampled_from([(f"update{policy} {table} set {place} = ?", (draw(columns[place]),)), (f"delete from {table}", ())]))


# Making a long history shorter takes minutes: TAGFEEDS_SHRINK=1 does it.
PHASES = [phase for phase in Phase if phase is not Phase.shrink or os.environ.get("TAGFEEDS_SHRINK")]
PRAGMAS = st.tuples(st.booleans(), st.booleans())


def execute(connection, transaction, rolled_back):
    """Run statements in one transaction; what each said."""
    said = []
    connection.execute("begin")
    for sql, values in transaction:
        try:
            said.append(connection.execute(sql, values).rowcount)
        except sqlite3.Error as error:
            said.append(str(error))
    connection.execute("rollback" if rolled_back else "commit")
    return said


def contents(connection, storage):
    """All rows of the user's own tables."""
    return {table: sorted(map(repr, connection.execute(f"select * from {table}"))) for table in storage.columns}


async def make(path: Path, storage: Storage) -> Datasette:
    """A Datasette over the file."""
    source = {**BASE, **storage.source}
    datasette = Datasette([str(path)], metadata={"plugins": {"datasette-tagfeeds": {**SETTINGS, "sources": {"post": source}}}})
    await datasette.invoke_startup()
    return datasette


async def index(datasette: Datasette, online: bool = False) -> list[indexing.File]:
    """Index all that can be, as the command does; what was found."""
    files = await indexing.described(datasette)
    for file in files:
        with closing(build.connect(file.path)) as connection:
            (build.build_online if online else build.build)(connection, file.sources, lambda count: None)
    return files


def differences(files: list[indexing.File]) -> list:
    """What `datasette tagfeeds index --check` finds."""
    found = []
    for file in files:
        with closing(build.connect(file.path)) as connection:
            found += build.check(connection, [build.numbered(source, number) for number, source in enumerate(file.sources, 1)])
    return found


PATHS = (
    "/tags", "/tags.json", "/tags.opml?min=1", "/tags.atom", "/tags.feed.json?related=1", "/tags/a", "/tags/a.atom", "/tags/a.json?related=1", "/tags/a+b.json",
    "/tags/a,b.json", "/tags/-a.json", "/tags/a+-b.json", "/tags/(a,b)+-c.json", "/tags/(a,-b)+c.json", "/tags/-a+-b", "/tags/a?year=2020", "/tags/a,c.json?year=2021&month=3",
    "/tags/a.json?size=1", "/tags/7", "/tags/d%20e.rss", "/tags/b?size=2", "/tags/B",
)  # fmt: skip


async def answers(datasette: Datasette) -> dict:
    """What each path answers, and what the pages after the first do."""
    found = {}
    for path in PATHS:
        for _ in range(4):
            answer = await datasette.client.get(path)
            found[path] = (answer.status_code, answer.headers.get("location"), answer.text)
            following = answer.text.partition('"next_url": "https://example.org')[2].partition('"')[0]
            if answer.status_code != 200 or not following or following in found:
                break
            path = following
    return found


async def compare(folder: Path, storage: Storage, transactions, pragmas, online) -> None:
    """The same writes on a file with an index and on one without: the same outcome, the same rows, the same answers."""
    plain, indexed = folder / "plain" / "blog.db", folder / "indexed" / "blog.db"
    for path in (plain, indexed):
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(storage.schema)
            for transaction, _ in transactions[:2]:
                connection.isolation_level = None
                execute(connection, transaction, False)
    first, second = await make(plain, storage), await make(indexed, storage)
    files = await index(second, online)
    assert differences(files) == [("post", 0, 0)]
    assert (await sites.site(second)).indexing["post"].number == 1
    connections = [sqlite3.connect(path, isolation_level=None) for path in (plain, indexed)]
    for connection in connections:
        for name, on in zip(("foreign_keys", "recursive_triggers"), pragmas, strict=True):
            connection.execute(f"pragma {name} = {int(on)}")
    for transaction, rolled_back in transactions[2:]:
        said = [execute(connection, transaction, rolled_back) for connection in connections]
        assert said[0] == said[1], transaction
        assert differences(files) == [("post", 0, 0)], transaction
    assert contents(connections[0], storage) == contents(connections[1], storage)
    for connection in connections:
        connection.close()
    assert (await sites.site(second)).indexing["post"].number == 1
    one, other = await answers(first), await answers(second)
    for path, answer in one.items():
        assert answer == other.get(path), path


@pytest.mark.parametrize("name", list(BY_NAME))
def test_any_writes_leave_the_index_true_and_the_answers_the_same(tmp_path, name):
    storage = BY_NAME[name]
    transaction = st.tuples(st.lists(statements(storage), min_size=1, max_size=5), st.sampled_from([False, False, False, True]))

    @settings(max_examples=max(8, settings.default.max_examples // 4), phases=PHASES)
    @given(st.lists(transaction, min_size=3, max_size=8), PRAGMAS, st.booleans())
    def writes(transactions, pragmas, online):
        asyncio.run(compare(tmp_path, storage, transactions, pragmas, online))

    writes()
