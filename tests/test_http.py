"""Addresses, paging and statuses."""

import re

import pytest
from conftest import ATOM, SETTINGS, texts
from hypothesis import given
from hypothesis import strategies as st

from datasette_tagfeeds.expression import decode_tag, encode_tag, split_format


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_tag_survives_its_address(tag):
    segment = encode_tag(tag)
    assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", segment)
    assert split_format(segment) == (segment, None)
    assert segment not in (".", "..")
    assert decode_tag(segment) == tag
    for format in ("atom", "rss", "json"):
        assert split_format(f"{segment}.{format}") == (segment, format)


@pytest.mark.parametrize("escaped", ["c%2B%2B", "c~2b~2b", "%63~2B%2B"])
async def test_other_escapes_of_a_tag_are_understood_and_told_the_canonical_one(site, escaped):
    blog = site()
    blog.post(1, ["c++"])
    assert '<link rel="canonical" href="https://example.org/tags/c~2B~2B">' in (await blog.get(f"/tags/{escaped}")).text
    assert texts(await blog.feed(f"/tags/{escaped}.atom"), "a:link[@rel='self']/@href") == ["https://example.org/tags/c~2B~2B.atom"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/tags/nope", 404, "Nothing is tagged “nope”."),
        ("/tags/nope.atom", 404, "Nothing is tagged “nope”."),
        ("/tags/%3Cscript%3E", 404, "Nothing is tagged “&lt;script&gt;”."),
        ("/tags/a++b", 400, "a tag is missing before “+”"),
        ("/tags/a,.atom", 400, "a tag is missing at the end"),
        ("/tags/()", 400, "a tag is missing before “)”"),
        ("/tags/(a", 400, "not closed"),
        ("/tags/a)", 400, "where the expression should end"),
        ("/tags/--a", 400, "stands before a tag"),
        ("/tags/.atom", 400, "a tag is missing"),
        ("/tags/python+nope", 404, "Nothing is tagged “nope”."),
        ("/tags/a+b+c+d+e+f+g+h+i", 400, "at most 8 tags"),
        ("/tags/(((a)))", 400, "at most 2 levels"),
        ("/tags/python.atom?year=20", 400, "“year” must be"),
        ("/tags/python?month=2", 400, "“month” needs “year”"),
        ("/tags/python?year=2020&month=13", 400, "“month” must be"),
        ("/tags/python.atom?type=nope", 400, "no type “nope”"),
        ("/tags/python.atom?q=x", 400, "full-text index"),
        ("/tags/python?size=1&size=2", 400, "more than once"),
        ("/tags/@x", 404, "no named expression"),
        ("/tags/%FF.atom", 400, "not UTF-8"),
        ("/tags/python/x/y", 404, "no such page"),
        ("/tags/python.atom?size=0", 400, "“size” must be"),
        ("/tags/python.atom?size=101", 400, "“size” must be"),
        ("/tags/python?size=%D9%A3", 400, "“size” must be"),
        ("/tags/python.atom?next=x", 400, "“next” is not"),
        ("/tags/python?next=WyIyMDIwIiwicyIsMV0", 400, "“next” is not"),
        ("/tags?next=-1", 400, "“next” is not"),
        ("/tags/python.atom?unknown=1", 200, "Post 1"),
        ("/tags/" + "x" * 9000, 414, "longer than 8 KB"),
    ],
)
async def test_statuses(site, path, status, words):
    blog = site()
    blog.post(1)
    response = await blog.get(path)
    assert response.status_code == status
    assert words in response.text
    if status != 200 and ".atom" in path:
        assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/tags/", "/tags/python/", "/tags/c~2B%2B/"])
async def test_a_final_slash_is_dropped_and_the_query_kept(site, path):
    response = await site().get(f"{path}?size=3")
    assert response.status_code == 301
    assert response.headers["location"] == f"{path[:-1]}?size=3"


async def test_only_reading(site):
    blog = site()
    blog.post(1)
    await blog.start()
    response = await blog.datasette.client.request("PUT", "/tags/python.atom")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    assert (await blog.datasette.client.head("/tags/python.atom")).status_code == 200


async def test_datasettes_own_prefix_is_kept(site):
    from datasette.app import Datasette

    blog = site()
    blog.post(1)
    metadata = {"plugins": {"datasette-tagfeeds": SETTINGS}}
    blog._datasette = Datasette([str(blog.path)], metadata=metadata, settings={"base_url": "/data/"})
    feed = await blog.feed("/tags/python.atom")  # the test client adds the prefix
    assert texts(feed, "a:link[@rel='self']/@href") == ["https://example.org/data/tags/python.atom"]
    assert texts(feed, "a:entry/a:link/@href") == ["https://example.org/data/blog/post/1"]


async def test_base_and_authority_come_from_the_request_where_nothing_says_them(site):
    blog = site({"sources": {"post": {}}})
    blog.post(1)
    feed = await blog.feed("/tags/python.atom")
    assert texts(feed, "a:link[@rel='self']/@href") == ["http://localhost/tags/python.atom"]
    assert texts(feed, "a:entry/a:id") == ["tag:localhost,2026:blog/post/1"]
    await blog.start()
    assert (await blog.datasette.client.get("/tags/python.atom", headers={"host": 'evil"<x>'})).status_code == 400


@pytest.mark.parametrize("format", ["", ".atom"])
async def test_paging_visits_every_item_once_in_order_while_items_arrive(site, format):
    blog = site({**SETTINGS, "sources": {"post": {}, "again": {"table": "post"}}})
    for key in range(1, 10):
        blog.post(key, created=f"2020-01-0{(key + 1) // 2}" if key > 1 or format else "undated")
    seen, path, pages = [], f"/tags/python{format}?size=4", 0
    while path:
        response = await blog.get(path)
        assert response.status_code == 200
        pattern = r'<h3><a class="u-url p-name" href="[^"]*/post/(\d+)"' if not format else r"<id>tag:example.org,2026:blog/post/(\d+)</id>"
        seen += re.findall(pattern, response.text)
        follow = re.search(r'href="([^"]+)" rel="next"', response.text)
        path = follow[1].replace("&amp;", "&").replace("https://example.org", "") if follow else None
        pages += 1
        blog.post(100 + pages, created="2025-01-01")
    assert pages == 5
    by_day = {}
    for key in range(1, 10):
        by_day.setdefault((key + 1) // 2 if key > 1 or format else 0, []).append(str(key))
    assert seen == [key for day in sorted(by_day, reverse=True) for _ in range(2) for key in reversed(by_day[day])]


async def test_pages_of_a_feed_share_its_id_and_only_a_whole_one_is_complete(site):
    blog = site()
    for key in range(3):
        blog.post(key)
    first = await blog.feed("/tags/python.atom?size=2")
    following = texts(first, "a:link[@rel='next']/@href")[0].replace("https://example.org", "")
    second = await blog.feed(following)
    assert texts(first, "a:id") == texts(second, "a:id")
    assert not first.xpath("fh:complete", namespaces=ATOM)
    assert not second.xpath("fh:complete", namespaces=ATOM)
    assert texts(second, "a:link[@rel='self']/@href") == [f"https://example.org{following}"]
    assert texts(second, "a:link[@rel='first']/@href") == ["https://example.org/tags/python.atom?size=2"]


async def test_counts_of_index_and_pages_agree(demo):
    index = (await demo.get("/tags")).text
    rows = re.findall(r'<th scope="row"><a href="([^"]+)">.*?<td class="tf-number">(\d+)<', index, re.S)
    assert len(rows) == 102
    for path, count in rows:
        page = (await demo.get(f"{path}?size=100")).text
        assert f"<b>{count}</b> item" in page
        assert page.count("<article") == int(count)


async def test_a_page_leads_to_its_feed_and_tags(demo):
    page = (await demo.get("/tags/asyncio")).text
    assert (
        '<link rel="alternate" type="application/atom+xml" title="Feeds and loops: asyncio" href="http://localhost/tags/asyncio.atom">'
        in page
    )
    assert 'rel="tag" href="/tags/python"' in page
    assert '<main class="tf" lang="en">' in page


async def test_several_databases_meet_in_one_stream(site, tmp_path):
    from datasette.app import Datasette

    one, two = site(name="one"), site(name="two")
    one.post(1, created="2020-01-01")
    two.post(2, created="2020-01-02")
    one.post(3, created="2020-01-03")
    sources = {"first": {"database": "one", "table": "post"}, "second": {"database": "two", "table": "post"}}
    one._datasette = Datasette(
        [str(one.path), str(two.path)], metadata={"plugins": {"datasette-tagfeeds": {**SETTINGS, "sources": sources}}}
    )
    feed = await one.feed("/tags/python.atom?size=2")
    assert texts(feed, "a:entry/a:title") == ["Post 3", "Post 2"]
    rest = await one.feed(texts(feed, "a:link[@rel='next']/@href")[0].replace("https://example.org", ""))
    assert texts(rest, "a:entry/a:title") == ["Post 1"]


@pytest.mark.parametrize("host", ["[abc", "]", "a b", ""])
@pytest.mark.parametrize("route", ["/tags", "/tags/python", "/tags/python.atom"])
async def test_a_host_header_that_names_no_host_is_a_bad_request(site, host, route):
    blog = site({**SETTINGS, "base_url": None})
    blog.post(1)
    await blog.start()
    answer = await blog.datasette.client.get(route, headers={"Host": host})
    assert answer.status_code in ((200, 400) if host == "" else (400,))
