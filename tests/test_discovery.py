"""What is found without settings, in the databases of other people's applications."""

import json
import re
import sqlite3
from html import unescape

import pytest
import yaml
from applications import APPLICATIONS
from conftest import Site, texts

BASE = {"base_url": "https://example.org", "title": "Site"}


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.name)
async def test_the_tables_of_applications_become_sources(site, application):
    blog = site(BASE, application.schema)
    health = json.loads((await blog.get("/-/tagfeeds.json")).text)
    found = {source["name"]: source for source in health["sources"]}
    assert {name: source["fields"].get("published", "") for name, source in found.items()} == application.sources
    for name, column in application.where.items():
        assert column in found[name]["where"]
    for name, column in application.content.items():
        assert column in [found[name]["fields"].get(kind) for kind in ("html", "markdown", "text")]
    for tag, titles in application.tags.items():
        page = (await blog.get(f"/tags/{tag}?size=100")).text
        assert titles_of(page) == titles


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.name)
async def test_the_settings_that_health_prints_say_the_same(site, application):
    blog = site(BASE, application.schema)
    health = json.loads((await blog.get("/-/tagfeeds.json")).text)
    settings = yaml.safe_load(health["settings"])["plugins"]["datasette-tagfeeds"]
    again = Site(blog.path, {**settings, "discover": False})
    same = json.loads((await again.get("/-/tagfeeds.json")).text)
    # How long a scan took differs from one time to the next.
    assert [{**one, "warnings": len(one["warnings"])} for one in same["sources"]] == [
        {**one, "warnings": len(one["warnings"])} for one in health["sources"]
    ]


@pytest.mark.parametrize(
    ("file", "sources", "tag", "items"),
    [
        (
            "18f.db",
            {"posts": ["join table", "title", "published", "markdown", "body"]},
            "accessibility",
            "posts join post_tags on post_id = posts.id join tags on tag_id = tags.id where name = 'accessibility'",
        ),
        ("til.db", {"til": ["one tag in a column", "title", "created", "html", "html"]}, "sqlite", "til where topic = 'sqlite'"),
        (
            "bakerydemo.db",
            {"blog_blogpage": ["join table", "title", "date_published", "text", "introduction"]},
            "yeast",
            "blog_blogpagetag join taggit_tag as t on t.id = tag_id where name = 'yeast'",
        ),
        (
            "emoji.db",
            {name: ["JSON array", None, None, "html", None] for name in ("emoji", "emoji_ja", "emoji_zh", "emoji_pt")},
            "smile",
            "(select keywords from emoji union all select keywords from emoji_pt) where keywords like '%\"smile\"%'",
        ),
        (
            "seed.db",
            {
                "blog_entry": ["join table", "title", "created", "html", "body"],
                "blog_blogmark": ["join table", "link_title", "created", "text", "commentary"],
                "blog_quotation": ["join table", None, "created", "text", "quotation"],
            },
            "andrew-godwin",
            "(select 1 from blog_entry union all select 1 from blog_blogmark union all select 1 from blog_quotation)",
        ),
    ],
)
async def test_other_peoples_databases(data, file, sources, tag, items):
    blog = Site(data / file, BASE, immutable=True)
    health = json.loads((await blog.get("/-/tagfeeds.json")).text)
    found = {
        one["name"]: [one["shape"], one["fields"].get("title"), one["fields"].get("published"), kind, one["fields"].get(kind)]
        for one in health["sources"]
        for kind in [next((kind for kind in ("html", "markdown", "text") if kind in one["fields"]), "html")]
    }
    assert found == sources
    count = sqlite3.connect(f"file:{data / file}?immutable=1", uri=True).execute(f"select count(*) from {items}").fetchone()[0]
    assert count
    assert len(titles_of((await blog.get(f"/tags/{tag}?size=100")).text)) == min(count, 100)


def titles_of(page: str) -> list[str]:
    """The titles of the items of a tag page."""
    return [unescape(title).strip() for title in re.findall(r'<h3><a class="u-url p-name" href="[^"]*">([^<]*)</a>', page)]


async def test_a_drafts_feed_is_empty_and_says_so(site):
    blog = site(BASE, "create table post (id integer primary key, title, created, tags, is_draft);"
        "insert into post values (1, 'Open', '2020-01-01', '[\"a\"]', 0), (2, 'Secret', '2020-01-02', '[\"a\", \"b\"]', 1);")  # fmt: skip
    assert texts(await blog.feed("/tags/a.atom"), "a:entry/a:title") == ["Open"]
    assert (await blog.get("/tags/b")).status_code == 404


def some(table: str, rows: list[tuple], columns: str) -> str:
    """Rows as SQL."""
    return "".join(f"insert into {table} ({columns}) values ({', '.join(map(literal, row))});" for row in rows)


def literal(value) -> str:
    return "null" if value is None else str(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


TAGS = "create table tag (id integer primary key, name text); insert into tag values (1, 'red'), (2, 'blue');"
PEOPLE = TAGS + "create table post_tags (post_id, tag_id); insert into post_tags values (1, 1), (2, 1), (2, 2);"
DAYS = [(n, f"Title {n}", f"2020-01-{n + 1:02}") for n in range(12)]
UNASKED = {
    "followers only, in numbers": (
        "create table statuses (id integer primary key, text text, created_at text, visibility integer, tags text);"
        + some("statuses", [(n, f"Words {n}", f"2020-01-{n + 1:02}", n % 3, "red, blue") for n in range(9)], "id, text, created_at, visibility, tags"),
        "statuses", "column visibility says who may see a row"),
    "people": (
        "create table post (id integer primary key, name text, email text, password_hash text);"
        + some("post", [(1, "Ann", "a@b.example", "x"), (2, "Bob", "b@b.example", "y")], "id, name, email, password_hash") + PEOPLE,
        "post", "people or secrets"),
    "keys": (
        "create table api_keys (id integer primary key, name text, secret text, tags text, created_at text);"
        + some("api_keys", [(n, f"key {n}", f"s{n}", "red, blue", f"2020-01-{n + 1:02}") for n in range(9)], "id, name, secret, tags, created_at"),
        "api_keys", "people or secrets"),
    "a column of references": (
        "create table cards (id text primary key, name text, idLabels text, due text);"
        + some("cards", [(f"c{n}", f"Card {n}", '["l0", "l1"]', f"2020-01-{n + 1:02}") for n in range(9)], "id, name, idLabels, due"),
        "cards", "no column of tags"),
    "two kinds of lists": (
        "create table post (id integer primary key, title text, tags text);"
        + some("post", [(n, f"Title {n}", '["red", "blue"]' if n % 2 else "red, blue") for n in range(20)], "id, title, tags"),
        "post", "some are not"),
    "sensors": (
        "create table readings (id integer primary key, sensor_tag text, label text, ts text, value real);"
        + some("readings", [(n, f"s{n % 3}", "temp", f"2020-01-{n + 1:02}", 1.5) for n in range(20)], "id, sensor_tag, label, ts, value"),
        "readings", "nothing else in the table is worth a feed"),
    "search shortcuts": (
        "create table places (id integer primary key, title text, url text); create table keywords (id integer primary key, keyword text unique, place_id integer);"
        + some("places", [(n, f"Place {n}", f"https://a.example/{n}") for n in range(9)], "id, title, url")
        + some("keywords", [(n, f"k{n}", n) for n in range(9)], "id, keyword, place_id"),
        "places", "no column of tags"),
    "numbers": ("create table image_tags (image integer, tag integer); insert into image_tags values (1, 1), (2, 1)", "image_tags", "holds numbers"),
}  # fmt: skip
FOUND = {
    "private messages": (
        TAGS + "create table topics (id integer primary key, title text, created_at text, archetype text);"
        + some("topics", [(1, "Open", "2020-01-02", "regular"), (2, "Hush", "2020-01-03", "private_message")], "id, title, created_at, archetype")
        + "create table topic_tags (topic_id integer, tag_id integer); insert into topic_tags values (1, 1), (2, 1);",
        "topics", ["Open"]),
    "unlisted videos": (
        "create table videos (id text primary key, title text, publishedAt text, privacyStatus text, tags text);"
        + some("videos", [(f"v{n}", f"Video {n}", f"2020-01-{n + 1:02}", ("public", "unlisted", "private")[n % 3], '["red"]') for n in range(6)], "id, title, publishedAt, privacyStatus, tags"),
        "videos", ["Video 3", "Video 0"]),
    "keys called guid": (
        "create table notes (guid text primary key, title text, created text); create table tags (guid text primary key, name text);"
        "insert into notes values ('n1', 'One', '2020-01-01'), ('n2', 'Two', '2020-01-02'); insert into tags values ('t1', 'red');"
        "create table note_tags (note_guid text, tag_guid text); insert into note_tags values ('n1', 't1'), ('n2', 't1')",
        "notes", ["Two", "One"]),
    "a key to what an old rename left": (
        TAGS + "create table post (id integer primary key, title text, created text); insert into post values (1, 'One', '2020-01-01');"
        'create table post_tags (post_id integer references "post__old"(id), tag_id integer references tag(id)); insert into post_tags values (1, 1);',
        "post", ["One"]),
    "a key to a column that is missing": (
        TAGS + "create table post (id integer primary key, title text, created text); insert into post values (1, 'One', '2020-01-01');"
        "create table post_tags (post_id integer references post(zzz), tag_id integer references tag(id)); insert into post_tags values (1, 1);",
        "post", ["One"]),
    "orders with notes beside customers": (
        TAGS + "create table product (id integer primary key, title text, created text); create table sales (id integer primary key, product_id integer references product(id), notes text, tags text);"
        + some("product", DAYS, "id, title, created") + some("sales", [(n, n % 3, "x", "gift, express") for n in range(12)], "id, product_id, notes, tags")
        + "create table product_tags (product_id integer, tag_id integer); insert into product_tags values (3, 1), (4, 1), (5, 2);",
        "product", ["Title 4", "Title 3"]),
    "a view of words that are also a table": (
        "create table base (k integer primary key, t text, c text, g text); create table c (id integer primary key, title text, tags text);"
        + some("base", [(n, f"Title {n}", f"2020-01-{n + 1:02}", "red" if n < 2 else "blue") for n in range(12)], "k, t, c, g")
        + some("c", [(n, "x", '["z", "y"]') for n in range(9)], "id, title, tags")
        + "create view vv as select k as id, t as title, c as created, g as tag from base;",
        "vv", ["Title 1", "Title 0"]),
}  # fmt: skip


@pytest.mark.parametrize("name", UNASKED)
async def test_what_is_doubtful_is_left_out_with_the_reason(site, name):
    schema, table, reason = UNASKED[name]
    health = json.loads((await site(BASE, schema).get("/-/tagfeeds.json")).text)
    assert table not in {source["table"] for source in health["sources"]}
    assert reason in {one["table"]: one["reason"] for one in health["left_out"]}[table]


@pytest.mark.parametrize("name", FOUND)
async def test_what_is_plain_is_found(site, name):
    schema, table, wanted = FOUND[name]
    blog = site(BASE, schema)
    assert table in {source["table"] for source in json.loads((await blog.get("/-/tagfeeds.json")).text)["sources"]}
    assert titles_of((await blog.get(f"/tags/red?type={table}")).text) == wanted
