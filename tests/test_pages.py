"""What pages weigh, what machines read in them, what a user may put in their place, and that a strict policy has nothing to object to."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import mf2py
import pytest
from conftest import SETTINGS, Site
from datasette.app import Datasette
from lxml import etree, html

from datasette_tagfeeds import compat

WEIGHT = 150_000
BASE = "https://example.org"
PATHS = ("/tags", "/tags/asyncio", "/tags/asyncio+peps", "/tags/asyncio?type=link&year=2016", "/-/tagfeeds")


def fill(site: Site, tags: int, items: int) -> None:
    """A weblog with `tags` tags; the first of them on all its items."""
    connection = sqlite3.connect(site.path)
    words = ("static-analysis", "machine-learning", "python", "the-web", "gardening-in-autumn")
    with connection:
        connection.executemany(
            "insert into tag values (?, ?)", ((number, f"{words[number % len(words)]}-{number}") for number in range(1, tags + 1))
        )
        connection.executemany(
            "insert into post (id, title, body, created) values (?, ?, ?, ?)",
            (
                (key, f"A title of the usual length, number {key}", "<p>Words, many words. </p>" * 40, f"{2002 + key % 24}-03-04T05:06:07Z")
                for key in range(1, items + 1)
            ),
        )
        joined = {(key, 1) for key in range(1, items + 1)} | {(1 + number % items, number) for number in range(1, tags + 1)}
        joined |= {(1 + (7 * number + key) % items, number) for number in range(2, 400) for key in range(0, 4000 // number)}
        connection.executemany("insert into post_tags (post_id, tag_id) values (?, ?)", sorted(joined))
    connection.close()


async def test_pages_are_light(site: Callable[..., Site]) -> None:
    blog = site()
    fill(blog, 5450, 2000)
    index = await blog.get("/tags")
    assert "<b>5,450</b> tags" in index.text
    assert len(index.content) < WEIGHT
    tag = await blog.get("/tags/machine-learning-1")
    assert "<b>2,000</b> items" in tag.text
    assert len(tag.content) < WEIGHT
    assert len((await blog.get("/tags?sort=name")).content) < WEIGHT


def entries_of(feed: etree._Element) -> list[dict[str, object]]:
    """id, title, address, date and tags of each entry of an Atom feed."""
    atom = "{http://www.w3.org/2005/Atom}"
    return [
        {
            "uid": entry.findtext(f"{atom}id"),
            "name": entry.findtext(f"{atom}title"),
            "url": entry.find(f"{atom}link[@rel='alternate']").get("href"),
            "published": entry.findtext(f"{atom}published"),
            "category": sorted(one.get("label") or one.get("term") for one in entry.findall(f"{atom}category")),
        }
        for entry in feed.findall(f"{atom}entry")
    ]


@pytest.mark.parametrize("path", ["/tags/asyncio", "/tags/asyncio+peps", "/tags/rss?type=milestone"])
async def test_tag_page_is_an_h_feed_of_the_feeds_entries(demo: Site, path: str) -> None:
    page = mf2py.parse((await demo.get(path)).text, url=f"http://localhost{path}")
    (feed,) = (item for item in page["items"] if item["type"] == ["h-feed"])
    assert len(page["items"]) == 1
    name, _, query = path.partition("?")
    atom = await demo.feed(f"{name}.atom?{query}")
    read = []
    for item in feed["children"]:
        assert item["type"] == ["h-entry"]
        properties = item["properties"]
        assert all(len(properties[one]) == 1 for one in ("uid", "name", "url", "published"))
        read.append(
            {**{one: properties[one][0] for one in ("uid", "name", "url", "published")}, "category": sorted(properties["category"])}
        )
    for one in read:
        one["published"] = one["published"].replace("Z", "+00:00")
    wanted = entries_of(atom)
    assert read == wanted != []
    assert feed["properties"]["name"] == [atom.findtext("{http://www.w3.org/2005/Atom}title")]


async def head(site: Site, path: str) -> dict[str, list[str]]:
    """What a page's head says: og:… properties, canonical, alternates by type, robots."""
    document = html.fromstring((await site.get(path)).text)
    said: dict[str, list[str]] = {}
    for meta in document.xpath("//head/meta[@property or @name]"):
        said.setdefault(meta.get("property") or meta.get("name"), []).append(meta.get("content"))
    for link in document.xpath("//head/link[@rel='canonical' or @rel='alternate']"):
        said.setdefault(link.get("type") or link.get("rel"), []).append(link.get("href"))
    return said


async def test_head_says_what_the_page_is(site: Callable[..., Site]) -> None:
    blog = site()
    blog.post(1, ["python", "c++"])
    blog.post(2, ["python"])
    said = await head(blog, "/tags/python")
    assert said["og:title"] == ["Site: python"]
    assert said["og:type"] == ["website"]
    assert said["og:site_name"] == ["Site"]
    assert said["og:url"] == said["canonical"] == [f"{BASE}/tags/python"]
    assert said["application/atom+xml"] == [f"{BASE}/tags/python.atom"]
    assert said["application/rss+xml"] == [f"{BASE}/tags/python.rss"]
    assert said["application/feed+json"] == [f"{BASE}/tags/python.json"]
    assert "robots" not in said
    said = await head(blog, "/tags/c~2B~2B+python?year=2020&unknown=1")
    assert said["canonical"] == [f"{BASE}/tags/c~2B~2B+python?year=2020"]
    assert said["application/atom+xml"] == [f"{BASE}/tags/c~2B~2B+python.atom?year=2020"]
    assert said["robots"] == ["noindex, nofollow"]
    said = await head(blog, "/tags")
    assert said["og:url"] == said["canonical"] == [f"{BASE}/tags"]
    assert said["application/atom+xml"] == [f"{BASE}/tags.atom"]
    assert said["application/feed+json"] == [f"{BASE}/tags.feed.json"]
    said = await head(blog, "/-/tagfeeds")
    assert said["canonical"] == [f"{BASE}/-/tagfeeds"]
    assert "application/atom+xml" not in said


async def test_alternates_lead_to_feeds(demo: Site) -> None:
    for path in PATHS:
        for kind, addresses in (await head(demo, path)).items():
            if "/" in kind:
                response = await demo.get(unquote(addresses[0]).removeprefix("http://localhost"))
                assert response.headers["content-type"] == f"{kind}; charset=utf-8"


TEMPLATES = {
    "tagfeeds-index.html": "/tags",
    "_tagfeeds-index.html": "/tags",
    "tagfeeds-tag.html": "/tags/python",
    "_tagfeeds-tag.html": "/tags/python",
    "tagfeeds-tag-python.html": "/tags/python",
    "_tagfeeds-item.html": "/tags/python",
    "tagfeeds-health.html": "/-/tagfeeds",
    "_tagfeeds-health.html": "/-/tagfeeds",
    "_tagfeeds.html": "/tags/python",
}


@pytest.mark.parametrize("name", TEMPLATES)
async def test_template_of_the_users_own_takes_the_place_of_ours(site: Callable[..., Site], tmp_path: Path, name: str) -> None:
    blog = site()
    blog.post(1)
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / name).write_text("My own {{ count }}", encoding="utf-8")
    blog._datasette = Datasette(
        [str(blog.path)], metadata={"plugins": {"datasette-tagfeeds": blog.settings}}, template_dir=str(folder), memory=True
    )
    assert "My own" in (await blog.get(TEMPLATES[name])).text


async def test_own_template_may_change_a_part_of_ours(site: Callable[..., Site], tmp_path: Path) -> None:
    blog = site()
    blog.post(1)
    own = '{% extends "_tagfeeds-tag.html" %}{% block title %}Mine: {{ words }}{% endblock %}'
    (tmp_path / "tagfeeds-tag.html").write_text(own, encoding="utf-8")
    blog._datasette = Datasette([str(blog.path)], metadata={"plugins": {"datasette-tagfeeds": blog.settings}}, template_dir=str(tmp_path))
    text = (await blog.get("/tags/python")).text
    assert "<title>Mine: python</title>" in text
    assert 'class="h-feed"' in text


@pytest.mark.parametrize("path", PATHS)
async def test_strict_policy_has_nothing_to_object_to(demo: Site, path: str) -> None:
    """No script or style in the page itself but what Datasette writes into every page, and nothing from elsewhere."""
    text, bare = (await demo.get(path)).text, (await demo.get("/-/versions")).text
    (main,) = html.fromstring(text).xpath("//main[@class='tf']")
    assert main.xpath(".//style | .//script | .//iframe | .//@style | .//@*[starts-with(name(), 'on')]") == []
    assert main.xpath(".//@src | .//use/@href") == []
    for element in ("script", "style"):
        inline = re.compile(rf"<{element}(?![^>]*\bsrc=)[^>]*>.*?</{element}>", re.S)
        assert set(inline.findall(text)) <= set(inline.findall(bare))
    loaded = html.fromstring(text).xpath("//script/@src | //link[@rel='stylesheet']/@href")
    assert all(address.startswith("/-/") for address in loaded)


async def test_explain_shows_how_a_page_was_found(site):
    blog = site()
    blog.post(1, ["python", "x'; --"])
    blog.post(2, ["python", "async"])
    page = await blog.get("/tags/async+python?explain=1&year=2020")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "private, no-store"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    shown = html.fromstring(page.text).xpath("//section[@aria-labelledby='tf-explained']")[0]
    assert any("post_tags" in one.text for one in shown.xpath(".//pre"))
    assert {"python", "async"} <= set(shown.xpath(".//code/text()"))
    assert any("SEARCH" in one or "SCAN" in one for one in shown.xpath(".//pre/text()"))
    links = shown.xpath(".//a/@href")
    assert links
    tried = [await blog.datasette.client.get(link) for link in links]
    assert all(one.status_code == 200 and "message-error" not in one.text for one in tried)
    assert any("2020-01-01T00:00:00Z" in one.text for one in tried)
    assert "tf-explained" not in (await blog.get("/tags/async+python?explain=0")).text


async def test_explain_is_for_those_who_may_run_sql(site):
    blog = site()
    blog.post(1)
    only_root = {"allow_sql": {"id": "root"}}
    given = {"config": {"databases": {"blog": only_root}}} if compat.HAS_RESOURCES else {}
    metadata = {"plugins": {"datasette-tagfeeds": SETTINGS}, "databases": {"blog": only_root}}
    datasette = Datasette([str(blog.path)], metadata=metadata, **given)
    root = {"ds_actor": datasette.sign({"a": {"id": "root"}}, "actor")}
    assert (await datasette.client.get("/tags/python")).status_code == 200
    refused = await datasette.client.get("/tags/python?explain=1")
    assert refused.status_code == 403
    assert "post_tags" not in refused.text
    allowed = await datasette.client.get("/tags/python?explain=1", cookies=root)
    assert allowed.status_code == 200
    assert "post_tags" in allowed.text
