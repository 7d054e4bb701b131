"""Writes that once left the index untrue: each is tried on a file with an index and on one without."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from test_index import POST, TAG, Storage, answers, differences, execute, index, make

from datasette_tagfeeds import site as sites

JOIN = "create table post_tags (id integer primary key, post_id integer references post(id), tag_id integer references tag(id));"
ROWS = """
insert into post values (1, 's1', 'one', '2020-01-01T00:00:00Z', 0), (2, 's2', 'two', '2020-02-01T00:00:00Z', 0), (3, 's3', 'c', '2021-02-01T00:00:00Z', 0);
insert into tag values (1, 'a'), (2, 'b'), (3, 'c');
"""
TAGGED = "insert into post_tags values (1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 1, 2);"
BLOG = POST.format(more="") + TAG + JOIN + ROWS + TAGGED
LOOSE = BLOG.replace(JOIN, JOIN.replace("id integer primary key, ", "", 1)).replace(
    TAGGED, "insert into post_tags values (1, 1), (2, 1), (3, 2);"
)
WORDS = BLOG.replace("post (id integer", "post (id text").replace("post_id integer", "post_id text")
NEW = "(9, 's1', 'new', '2020-01-01T00:00:00Z', 0)"
ATTACKS = {
    "a unique index that folds case": (BLOG + "create unique index u on tag(tag collate nocase)", ["insert or replace into tag values (7, 'A')"]),
    "one over another column": (BLOG + "create unique index u on post(slug collate nocase)", [f"replace into post values {NEW.upper()}"]),
    "a key that folds case": (
        WORDS.replace("id text primary key", "id text primary key collate nocase").replace("(1, 's1'", "('x', 's1'").replace("(1, 1, 1)", "(1, 'x', 1)"),
        ["replace into post values ('X', 's8', 'new', '2020-01-01', 0)", "update or replace post set id = 'X' where id = '2'"],
    ),
    "the rowid of a tagging": (LOOSE, ["insert or replace into post_tags (rowid, post_id, tag_id) values (1, 3, 3)", "update or replace post_tags set oid = 2 where rowid = 3"]),
    "the rowid of a tag": (BLOG.replace("tag (id integer", "tag (id int"), ["insert or replace into tag (rowid, id, tag) values (1, 77, 'z')"]),
    "the rowid of an item": (WORDS, ["insert or replace into post (rowid, id, slug) values (1, '77', 'z')"]),
    "a trigger that updates the new row": (BLOG, ["create trigger t after insert on post begin update post set title = 'x' where id = new.id; end", f"replace into post values {NEW}"]),
    "a trigger that adds another row": (
        BLOG + "create trigger t before insert on post when new.id < 100 begin insert into post (id) values (new.id + 100); end",
        [f"replace into post values {NEW}"],
    ),
}  # fmt: skip
MIXED = {
    "items": BLOG.replace("post_id integer", "post_id text"),
    "untyped": BLOG.replace("post_id integer", "post_id"),
    "tags": BLOG.replace("tag_id integer", "tag_id text"),
    "a trigger that stops others": BLOG + "create trigger t after insert on post begin select raise(ignore); end",
}


def storage(schema):
    return Storage("attack", schema, {"tags": "post_tags"}, {"post": {}, "tag": {}, "post_tags": {}})


async def attacked(folder, schema, writes) -> None:
    """The same writes on both files: the same outcome, the same answers, and an index that is still right and used."""
    sites_of = []
    for name in ("plain", "indexed"):
        path = folder / name / "blog.db"
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(schema)
        sites_of.append((path, await make(path, storage(schema))))
    files = await index(sites_of[1][1])
    said = []
    for path, _ in sites_of:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            said.append([execute(connection, [(write, ())], False) for write in writes])
    assert said[0] == said[1]
    assert differences(files) == [("post", 0, 0)]
    assert (await sites.site(sites_of[1][1])).indexing["post"].number == 1
    assert await answers(sites_of[0][1]) == await answers(sites_of[1][1])


@pytest.mark.parametrize("name", list(ATTACKS))
def test_what_a_replace_removes_leaves_the_index(tmp_path, name):
    asyncio.run(attacked(tmp_path, *ATTACKS[name]))


@pytest.mark.parametrize("name", list(MIXED))
def test_what_triggers_could_not_follow_is_read_live(tmp_path, name):
    async def reason():
        path = tmp_path / "blog.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(MIXED[name])
        return (await sites.site(await make(path, storage("")))).indexing["post"].reason

    assert asyncio.run(reason())


@pytest.mark.parametrize("table", ["posting", "counts", "queue", "note", "source", "ready"])
def test_an_index_that_lacks_a_table_is_not_used(tmp_path, table):
    async def answered():
        path = tmp_path / "blog.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(BLOG)
        datasette = await make(path, storage(""))
        before = await answers(datasette)
        await index(datasette)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"drop table _tagfeeds_{table}")
        assert (await sites.site(datasette)).indexing["post"].number is None
        assert await answers(datasette) == before
        await index(datasette, online=True)
        assert (await sites.site(datasette)).indexing["post"].number == 1

    asyncio.run(answered())


def test_renaming_a_tag_takes_time_by_its_items_only(tmp_path):
    async def steps(items):
        path = tmp_path / f"{items}.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(BLOG.split("insert into post_tags")[0])
            connection.executemany(
                "insert or ignore into post (id, created, is_draft) values (?, '2020-01-01', 0)", [(key,) for key in range(items)]
            )
            connection.executemany("insert into post_tags (post_id, tag_id) values (?, 1)", [(key,) for key in range(items)])
            connection.executescript("create index by_post on post_tags (post_id); create index by_tag on post_tags (tag_id)")
        await index(await make(path, storage("")))
        count = 0

        def note():
            nonlocal count
            count += 1

        with closing(sqlite3.connect(path)) as connection:
            connection.set_progress_handler(note, 1000)
            connection.execute("update tag set tag = 'z' where id = 1")
        return count

    few, many = asyncio.run(steps(1000)), asyncio.run(steps(4000))
    assert many < 8 * few
