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
