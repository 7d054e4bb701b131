"""Whatever the rows hold: served, mended or left out, and never an error."""

import asyncio
import html
import re
import time

import feedparser
import pytest
from conftest import SETTINGS, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from datasette_tagfeeds.content import MAX_SIZE

CONTROLS = "".join(map(chr, range(0x20))) + "\x7f\x80\x9f\ufffe\uffff"
UNWANTED = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
AWKWARD = st.one_of(ANY_TEXT, st.text(st.sampled_from("<>&'\"]]>/?#%+~., \t\n\r\x00\x0b\u2028é日😀\u202e\xa0\x85"), max_size=40))
ANY_VALUE = st.one_of(AWKWARD, st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=20))


@pytest.mark.parametrize(
    "value", [None, b"\xff\x00", CONTROLS, "", " ", 3, 2.5, "soon", "x" * 1_000_000, "<b>" * 200_000, "<" * 300_000, "&#x1;&#xB;]]>"]
)
async def test_awkward_values_in_every_column(site, value):
    blog = site({**SETTINGS, "sources": {"post": {"html": "body", "related": "link", "author": "author", "link": "{{ link }}"}}})
    blog.post(1, title=value, body=value, link=value, author=value, updated=value)
    blog.post(2, created=value, title="Dated by it")
    blog.post(3, title="Fine")
    feed = await blog.feed("/tags/python.atom")
    assert "Fine" in texts(feed, "a:entry/a:title")
    assert len(texts(feed, "a:entry")) == 2
    for path in ("/tags/python", "/tags", "/tags.atom"):
        assert (await blog.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("tag", "path"),
    [(5, "5"), (" padded ", "%20padded%20"), ("c++", "c~2B~2B"), ("a/b", "a~2Fb"), ("100%", "100~25"), ("..", "~2E~2E"), ("x.atom", "x~2Eatom"),
     ("-minus", "~2Dminus"), ("@x", "~40x"), ("日本語", "%E6%97%A5%E6%9C%AC%E8%AA%9E"), ("a\x00b", "a%00b"), ("😀", "%F0%9F%98%80"), ("x" * 2000, "x" * 2000)],
)  # fmt: skip
async def test_any_tag_has_a_page_and_a_feed(site, tag, path):
    blog = site()
    blog.post(1, [tag, "other"])
    for suffix in ("", ".atom"):
        response = await blog.get(f"/tags/{path}{suffix}")
        assert response.status_code == 200
        assert "Post 1" in response.text
    assert f'href="/tags/{path}"' in (await blog.get("/tags")).text
    assert texts(await blog.feed(f"/tags/{path}.atom"), "a:link[@rel='self']/@href") == [f"https://example.org/tags/{path}.atom"]


@pytest.mark.parametrize("tag", [None, "", " \t\n", b"blob", 2.5])
async def test_what_is_no_tag_is_left_out(site, tag):
    blog = site()
    blog.post(1, [tag, "python"])
    blog.post(2, [tag])
    assert texts(await blog.feed("/tags.atom"), "a:entry/a:category/@term") == ["python"]
    assert "<b>1</b> tag on <b>1</b> item" in (await blog.get("/tags")).text


async def test_letter_case_of_tags_is_kept_even_in_columns_that_ignore_it(site):
    schema = """create table post (id integer primary key, title, body, created, is_draft default 0);
        create table tag (id integer primary key, tag text collate nocase);
        create table post_tags (post_id integer references post, tag_id integer references tag)"""
    blog = site(schema=schema)
    blog.sql("insert into tag values (1, 'Go'), (2, 'go'); insert into post values (1, 'A', '', '2020-01-01', 0), (2, 'B', '', '2020-01-02', 0);"
             "insert into post_tags values (1, 1), (2, 2)")  # fmt: skip
    assert texts(await blog.feed("/tags/Go.atom"), "a:entry/a:title") == ["A"]
    assert "<b>2</b> tags" in (await blog.get("/tags")).text


async def test_titles_are_found_where_there_is_none(site):
    blog = site()
    blog.post(1, title=None, body="<p>The first words &amp; more</p>")
    blog.post(2, title=" ", body=None, created="2019-01-01")
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:title") == ["The first words & more", "Post 2"]


@pytest.mark.parametrize(
    ("field", "body", "words"),
    [
        ("markdown", "*So* [it](/x) is", "So it is"),
        ("text", "1 < 2 &amp; 3 > 2", "1 < 2 &amp; 3 > 2"),
        ("html", "<p>1 &lt; 2</p>", "1 < 2"),
    ],
)
async def test_words_of_a_long_body_are_read_as_it_is_written(site, field, body, words):
    blog = site({**SETTINGS, "sources": {"post": {field: "body"}}})
    blog.post(1, title="", body=body + "\n\n" + "more " * 200)
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:title")[0].startswith(f"{words} more more")
    assert f'<p class="p-summary">{html.escape(words)} more more' in (await blog.get("/tags/python")).text


async def test_huge_and_deep_bodies_become_a_summary_soon(site):
    blog = site()
    blog.post(1, body="<p>word</p>" * (MAX_SIZE // 11 + 1))
    blog.post(2, body="<div>word" * 40_000)
    began = time.monotonic()
    feed = await blog.feed("/tags/python.atom")
    assert len(texts(feed, "a:entry/a:summary")) == 2
    assert not texts(feed, "a:entry/a:content")
    assert time.monotonic() - began < 10  # unbounded, the second takes minutes


async def test_a_document_stays_readable_in_size(site):
    blog = site()
    for key in range(8):
        blog.post(key, body=f"<p>{'words ' * 20_000}</p>", created=f"2020-01-0{key + 1}")
    response = await blog.get("/tags/python.atom")
    assert len(response.content) < 600_000
    feed = etree.fromstring(response.content)
    assert len(texts(feed, "a:entry")) == 8
    assert len(texts(feed, "a:entry/a:summary")) == 8 - len(texts(feed, "a:entry/a:content")) > 0


async def test_a_template_or_expression_that_fails_for_a_row_costs_one_field(site):
    blog = site({**SETTINGS, "sources": {"post": {"html": "body", "link": "/{{ created.strftime('%Y') }}/{{ 1 // id }}"}}})
    blog.post(0, created="2020-02-02")
    blog.post(1)
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:link/@href") == [
        "https://example.org/blog/post/0",
        "https://example.org/2020/1",
    ]


async def test_ids_that_are_none_fall_back(site):
    blog = site({**SETTINGS, "sources": {"post": {"id": "title"}}})
    blog.post(1, title="urn:x:1")
    blog.post(2, title="not an id", created="2019-01-01")
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:id") == ["urn:x:1", "tag:example.org,2026:blog/post/2"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(ANY_VALUE, ANY_VALUE, ANY_VALUE, ANY_VALUE), min_size=1, max_size=4))
def test_no_row_makes_a_document_that_parsers_refuse(site, rows):
    blog = site({**SETTINGS, "sources": {"post": {"html": "body", "link": "link", "related": "link", "author": "author", "id": "link"}}})
    for key, (title, body, link, tag) in enumerate(rows):
        blog.post(key, ["python", tag], title=title, body=body, link=link, author=title)

    async def ask():
        return await blog.get("/tags/python.atom"), [(await blog.get(path)).status_code for path in ("/tags", "/tags/python", "/tags.atom")]

    response, statuses = asyncio.run(ask())
    assert statuses == [200, 200, 200]
    document = etree.fromstring(response.content)
    assert len(texts(document, "a:entry")) == len(rows)
    assert not feedparser.parse(response.content).bozo


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=AWKWARD, body=AWKWARD, tag=AWKWARD.filter(lambda text: text.strip()))
def test_text_survives_the_round_trip_byte_for_byte(site, title, body, tag):
    trusted = site({**SETTINGS, "sources": {"post": {"html": "body", "trusted": True, "title": "{{ 'T' }}{{ title }}"}}})
    written = site({**SETTINGS, "sources": {"post": {"text": "body", "title": "{{ 'T' }}{{ title }}"}}})
    for blog in (trusted, written):
        blog.post(1, [tag, "python"], title=title, body=body)
    feed, plain = asyncio.run(_both(trusted, written))
    assert texts(feed, "a:entry/a:title") == [" ".join(("T" + UNWANTED.sub("", title)).split())]
    assert "".join(texts(feed, "a:entry/a:content")) == UNWANTED.sub("", body)
    term = UNWANTED.sub("", tag).strip()
    assert set(texts(feed, "a:entry/a:category/@term")) == {term, "python"} - {""}
    words = html.unescape(re.sub(r"<br>|</?p>", "", "".join(texts(plain, "a:entry/a:content"))))
    assert "".join(words.split()) == "".join(UNWANTED.sub("", body).split())


async def _both(*sites):
    return [await one.feed("/tags/python.atom") for one in sites]
