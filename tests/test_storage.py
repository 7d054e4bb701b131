"""The same posts with their tags stored in 27 ways and their dates in 15: every way gives the same items under the same tags."""

import json
import re
from html import unescape
from urllib.parse import quote

import pytest
import yaml
from conftest import ROOT, Site, texts

BASE = {"base_url": "https://example.org", "authority": "example.org,2026", "title": "Site"}
JOINS = {
    "post_tags": "post_tags",
    "post_tags_compound": "post_tags_compound",
    "post_tag_names": "post_tag_names",
    "post_tag_text": {"table": "post_tag_text", "item": "post_id", "tag": "tag"},
    "post_tags_ordered": "post_tags_ordered",
    "post_tag_tree": "post_tag_tree",
}
COLUMNS = "json json_objects csv csv_space comma_wrapped semicolon pipe newline space space_padded angle hash pyrepr pgarray path single"
FOUND = [f"posts_{name}" for name in COLUMNS.split()]
DAYS_ONLY = ("posts_pyrepr", "posts_csv_space")


def documented() -> dict[str, dict]:
    """The sources whose sql docs/tag-storage.md shows."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "tag-storage.md").read_text(encoding="utf-8"), re.S)
    return {name: source for block in blocks for name, source in yaml.safe_load(block).items() if "sql" in source}


def cases() -> list:
    """(the source's name, its settings; None for what must be found without any)."""
    found = [(name, None) for name in FOUND]
    joined = [("post", {"tags": tags}) for tags in JOINS.values()]
    queries = [(name, source) for name, source in documented().items()]
    views = [("tagged_posts", {"tags": "tag"}), ("post_with_tags", {"tags": "tags"})]
    return [pytest.param(name, source, id=f"{name}-{number}") for number, (name, source) in enumerate([*found, *joined, *queries, *views])]


def spelling(name: str, expected: dict):
    """How the shape spells a tag; None for a tag that it does not hold."""
    slugs = expected["slugs"]
    if name in ("posts_space", "posts_space_padded", "posts_angle"):
        return slugs.get
    if name == "posts_hash":
        return lambda tag: slugs[tag].replace("-", "")
    if name == "posts_path":
        return lambda tag: f"{slugs[tag][0].upper()}/{slugs[tag]}"
    if name == "posts_onehot":
        return lambda tag: tag if tag in ("agile", "api", "design") else None
    return lambda tag: tag


def first_only(name: str, tag: str, keys: list[int], expected: dict) -> list[int]:
    """The items of the shape that holds only the first tag of each."""
    return [key for key in keys if name != "posts_single" or expected["items"][str(key)]["tags"][0] == tag]


@pytest.fixture(scope="module")
def expected():
    import os

    folder = os.environ.get("TAGFEEDS_DATA")
    if not folder:
        pytest.skip("TAGFEEDS_DATA is not set")
    with open(f"{folder}/shapes-expected.json", encoding="utf-8") as file:
        return json.load(file)


def keys(feed) -> list[int]:
    return [int(one.rpartition("/")[2]) for one in texts(feed, "a:entry/a:id")]


@pytest.mark.parametrize(("name", "source"), cases())
async def test_every_shape_gives_the_same_items(data, expected, name, source):
    blog = Site(data / "shapes.db", {**BASE, **({"sources": {name: source}} if source else {})}, immutable=True)
    spelt = spelling(name, expected)
    wanted = {spelt(tag): first_only(name, tag, items, expected) for tag, items in expected["tags"].items() if spelt(tag)}
    listed = {}
    if source:
        page = (await blog.get("/tags")).text
        pattern = r'<a href="/tags/[^"]*">([^<]*)</a>.*?<td class="tf-number">([\d,]+)<'
        listed = {unescape(tag): int(count) for tag, count in re.findall(pattern, page, re.S)}
        assert listed == {tag: len(items) for tag, items in wanted.items() if items}
    for tag, items in list(wanted.items())[::3]:
        address = f"/tags/{quote(tag, safe='').replace('%2F', '~2F')}.atom?size=100&type={name}"
        if items:
            feed = await blog.feed(address)
            assert keys(feed) == sorted(items, key=lambda key: (moment(expected, key, name), key), reverse=True)
            assert texts(feed, "a:entry/a:published") == [shown(expected, key, name) for key in keys(feed)]
    if name not in ("posts_single", "posts_onehot"):
        for pair, items in list(expected["pairs"].items())[::9]:
            both = "+".join(quote(spelt(tag), safe="").replace("%2F", "~2F") for tag in pair.split("+"))
            answer = await blog.get(f"/tags/{both}.atom?size=100&type={name}")
            address = answer.headers.get("location", "") if answer.status_code == 301 else f"/tags/{both}.atom?size=100&type={name}"
            assert sorted(keys(await blog.feed(address))) == sorted(items)


def moment(expected: dict, key: int, name: str) -> str:
    created = expected["items"][str(key)]["created"][:19]
    return created[:10] if name in DAYS_ONLY else created


def shown(expected: dict, key: int, name: str) -> str:
    return f"{moment(expected, key, name)}{'T00:00:00' if name in DAYS_ONLY else ''}+00:00"


@pytest.mark.parametrize(("file", "table"), [("app-taggit.db", "blog_post"), ("app-rails.db", "posts")])
async def test_generic_relations(data, expected, file, table):
    blog = Site(data / file, BASE, immutable=True)
    for tag, items in list(expected["tags"].items())[::4]:
        if items:
            assert sorted(keys(await blog.feed(f"/tags/{quote(tag)}.atom?size=100&type={table}"))) == sorted(items)


def test_sql_takes_at_most_six_lines():
    assert len(documented()) == 3
    assert all(len(source["sql"].strip().splitlines()) <= 6 for source in documented().values())
