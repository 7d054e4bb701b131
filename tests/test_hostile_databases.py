"""Nothing in a database can stop the server."""

import json
import os
import re
import sqlite3
import time

import pytest
from conftest import Site
from datasette.database import Database

from datasette_tagfeeds import site as sites
from datasette_tagfeeds.store import databases

BASE = {"base_url": "https://example.org", "title": "Site"}
NASTY = {
    "nothing": "",
    "no rows": "create table post (id integer primary key, title, created, tags)",
    "quotes": '''create table "a""b'c]d" ("the ""key""" text primary key, "ti'tle]" text, "tags" text);
        insert into "a""b'c]d" values ('k"1', 'x', '["one"]')''',
    "braces": "create table t (id integer primary key, title, \"{tags}\" text); insert into t values (1, 'x', 'a,b')",
    "broken view": "create table gone (id); create view v as select id, tags from gone; drop table gone",
    "view of nothing": "create view v as select 1 as id, 'a,b' as tags, 'x' as title",
    "same names": 'create table tags (tag text, "TAGS2" text, post_id integer); create table post (id integer primary key)',
    "no key": "create table post (title, tags); insert into post values ('x', 'a, b'), ('x', 'a, b'), ('y', 'a, c')",
    "self": "create table tag (id integer primary key, tag text, parent_id integer references tag(id)); insert into tag values (1, 'a', 1)",
    "two keys": """create table post (a integer, b text, title, tags, primary key (a, b)) without rowid;
        insert into post values (1, 'x/y', 'One', '["t"]'), (1, 'z', 'Two', '["t"]'), (3, x'00', 'Three', '["t"]')""",
    "wide": f"create table post (id integer primary key, title, tags, {', '.join(f'c{n}' for n in range(1500))});"
    "insert into post (title, tags) values ('x', 'a,b')",
    "generated": "create table post (id integer primary key, title, raw, tags text as (raw) stored); insert into post (title, raw) values ('x', 'a,b')",
    "search": "create table post (id integer primary key, title, tags); create virtual table post_fts using fts5(title, tags, content=post);"
    "insert into post values (1, 'x', 'a,b')",
    "missing reference": "create table post_tags (post_id references post(id), tag_id references tag(id)); insert into post_tags values (1, 1)",
    "infinite numbers": "create table post (id integer primary key, title, created real, tags); insert into post values (1, 'x', 9e999, 'a,b'), (2, 'y', -9e999, 'a')",
    "not text": "create table post (id integer primary key, title, tags); insert into post values (1, cast(x'ff41' as text), cast(x'61ff2c62' as text))",
}


@pytest.mark.parametrize("name", NASTY)
async def test_every_page_answers(site, name):
    blog = site(BASE, NASTY[name])
    for path in ("/tags", "/tags.atom", "/-/tagfeeds", "/-/tagfeeds.json"):
        assert (await blog.get(path)).status_code == 200, path
    index = (await blog.get("/tags")).text
    for tag in ("a", "t", "one"):
        if f'href="/tags/{tag}"' in index:
            assert (await blog.get(f"/tags/{tag}")).status_code == 200
            assert (await blog.get(f"/tags/{tag}.atom")).status_code == 200


@pytest.mark.parametrize("name", ["no key", "two keys", "wide", "generated"])
async def test_rows_of_odd_tables_have_pages(site, name):
    blog = site(BASE, NASTY[name])
    tag = "t" if name == "two keys" else "a"
    links = re.findall(r'<h3><a class="u-url p-name" href="([^"]*)"', (await blog.get(f"/tags/{tag}")).text)
    assert links
    for link in links:
        assert (await blog.get(link)).status_code == 200


async def test_an_empty_file(tmp_path):
    path = tmp_path / "empty.db"
    path.write_bytes(b"")
    blog = Site(path, BASE)
    assert (await blog.get("/tags")).status_code == 200
    assert (await blog.get("/-/tagfeeds.json")).status_code == 200


async def test_a_damaged_table_is_left_out_and_the_others_served(tmp_path):
    path = tmp_path / "damaged.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "create table bad (id integer primary key, title, tags); create table good (id integer primary key, title, tags)"
    )
    connection.execute("insert into good values (1, 'Fine', '[\"a\"]')")
    connection.executemany("insert into bad values (?, ?, ?)", [(n, "x" * 500, "a,b") for n in range(200)])
    connection.commit()
    page = connection.execute("select rootpage from sqlite_master where name = 'bad'").fetchone()[0]
    size = connection.execute("pragma page_size").fetchone()[0]
    connection.close()
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    blog = Site(path, BASE)
    assert "Fine" in (await blog.get("/tags/a")).text
    left_out = {one["table"]: one["reason"] for one in json.loads((await blog.get("/-/tagfeeds.json")).text)["left_out"]}
    assert "cannot read" in left_out["bad"]


@pytest.mark.live
async def test_five_hundred_tables(site):
    schema = ";".join(f"create table t{n} (id integer primary key, title, tags, created)" for n in range(500))
    rows = ";".join(f"insert into t{n} values (1, 'Title {n}', '[\"a\", \"b{n}\"]', '2020-01-01')" for n in range(500))
    blog = site(BASE, f"begin; {schema}; {rows}; commit")
    page = (await blog.get("/tags/a?size=100")).text
    assert "<b>500</b> items" in page
    assert page.count('class="u-url p-name"') == 100
    assert (await blog.get("/tags/a.atom")).status_code == 200


@pytest.mark.live
async def test_slow_discovery_goes_on_while_datasette_answers(site, monkeypatch):
    """A survey that takes long does not hold up start-up; until it is done, feeds answer 503 and all else answers."""
    survey = databases.survey
    monkeypatch.setattr(sites, "PATIENCE", 0.1)
    monkeypatch.setattr(databases, "survey", lambda connection: time.sleep(5) or survey(connection))
    blog = site(None or {}, "create table post (id integer primary key, title, tags); insert into post values (1, 'x', '[\"a\"]')")
    started = time.monotonic()
    await blog.start()
    assert time.monotonic() - started < 4
    early = await blog.get("/tags/a.atom")
    assert early.status_code == 503
    assert early.headers["retry-after"] == "5"
    assert (await blog.get("/-/versions.json")).status_code == 200
    for _ in range(100):
        if (await blog.get("/tags/a.atom")).status_code == 200:
            return
    raise AssertionError("the survey never ended")


TWO = """create table post (id integer primary key, title, created, tags); insert into post values (1, 'Fine', '2020-01-01', '["a"]');
    create table note (id integer primary key, title, created, tags); insert into note values (1, 'Second', '2020-01-02', '["a"]')"""


@pytest.mark.parametrize(
    ("settings", "then"),
    [
        ({"where": "json(title) <> ''"}, ""),
        ({"sql": "select id as item, abs(-9223372036854775807 - id) as tag from note"}, ""),
        ({}, "drop table note"),
        ({}, "alter table note rename column tags to labels; alter table note rename column title to head"),
    ],
)
async def test_a_source_that_fails_takes_no_other_with_it(site, settings, then):
    """Also when its table changes while Datasette runs: no text of a column's name is shown for what was in it."""
    blog = site(
        {
            **BASE,
            "sources": {
                "post": {"tags": "tags"},
                "note": {"title": "title", **({"tags": "tags"} if "sql" not in settings else {}), **settings},
            },
        },
        TWO,
    )
    await blog.start()
    if then:
        assert "Second" in (await blog.get("/tags/a")).text
        blog.sql(then)
    for path in ("/tags", "/tags/a", "/tags/a.atom", "/tags.atom"):
        answer = await blog.get(path)
        assert answer.status_code == 200, path
        assert "Second" not in answer.text
        assert ">title<" not in answer.text
    assert "Fine" in (await blog.get("/tags/a")).text
    report = json.loads((await blog.get("/-/tagfeeds.json")).text)
    warnings = {source["name"]: [one["code"] for one in source["warnings"]] for source in report["sources"]}
    assert warnings["note"] == ["unreadable"]


async def test_new_and_changed_tables_are_found_while_datasette_runs(site):
    blog = site(BASE, TWO)
    assert "Second" in (await blog.get("/tags/a")).text
    blog.sql(
        "create table later (id integer primary key, title, created, tags); insert into later values (1, 'New', '2021-01-01', '[\"b\"]')"
    )
    assert "New" in (await blog.get("/tags/b")).text
    blog.sql("alter table note rename column title to headline")
    assert "Second" in (await blog.get("/tags/a")).text
    blog.sql("drop table note")
    assert "Second" not in (await blog.get("/tags/a")).text


async def test_a_discovered_table_that_sqlite_refuses_is_left_out(site):
    columns = ", ".join(f"c{n}" for n in range(1996))
    schema = f"{TWO}; create table wide (id integer primary key, title, created, tags, {columns}); insert into wide (title, tags) values ('Wide', '[\"a\"]')"
    blog = site(BASE, schema)
    assert "Fine" in (await blog.get("/tags/a")).text
    report = json.loads((await blog.get("/-/tagfeeds.json")).text)
    assert "wide" in [one["table"] for one in [*report["left_out"], *report["sources"]]]


async def test_a_database_that_is_taken_away(site):
    first, second = site(BASE, TWO), site(BASE, TWO.replace("'[\"a\"]'", "'[\"c\"]'"), name="other")
    await first.start()
    first.datasette.add_database(Database(first.datasette, path=str(second.path)), name="other")
    assert (await first.get("/tags/c")).status_code == 200
    first.datasette.remove_database("other")
    assert (await first.get("/tags/c")).status_code == 404
    assert (await first.get("/tags/a")).status_code == 200
    assert (await first.get("/-/tagfeeds")).status_code == 200
