"""Combinations of tags: their grammar, and that every shape of storage gives the items that they mean."""

import re
import sqlite3
import tempfile
from html import unescape
from pathlib import Path

import pytest
from conftest import Site, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapes import SHAPES, Post

from datasette_tagfeeds.errors import TagfeedsError
from datasette_tagfeeds.expression import And, Not, Or, Tag, canonical, in_words, is_bounded, parse
from datasette_tagfeeds.expression import tags as tags_of

BASE = {"base_url": "https://example.org", "authority": "example.org,2026", "title": "Site"}
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda name: name.strip())
WORDS = st.sampled_from(["ant", "bee", "cat", "dog"])
DATES = [
    None,
    "2020-01-01",
    "2020-01-01T00:00:00Z",
    "2020-06-01 10:00:00",
    "2019-12-31T23:00:00-05:00",
    "never",
    "9000-01-01",
    "",
    "1969-07-20",
]


def expressions(names):
    """Expressions of at most eight tags and two levels of parentheses."""
    literal = st.builds(Tag, names) | st.builds(lambda name: Not(Tag(name)), names)

    def grown(inner):
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, inner)

    return st.recursive(literal, grown, max_leaves=6).filter(parses)


def parses(expression) -> bool:
    try:
        return parse(str(expression)) is not None
    except TagfeedsError:
        return False


@given(expressions(NAMES))
def test_what_is_written_is_read_again(expression):
    assert parse(str(expression)) == expression
    once = canonical(expression)
    assert canonical(once) == once
    assert parse(str(once)) == once
    assert re.fullmatch(r"[A-Za-z0-9_.~%()+,-]+", str(once))


@given(st.text(st.sampled_from("ab+,()-~%2B@. é"), max_size=20))
def test_any_text_is_an_expression_or_a_sentence(segment):
    expression, problem = None, None
    try:
        expression = parse(segment)
    except TagfeedsError as error:
        problem = error
    if expression is None:
        assert problem.status in (400, 404)
        assert str(problem).endswith(".")
    else:
        assert parse(str(canonical(expression))) == canonical(expression)


@given(expressions(WORDS), st.sets(WORDS))
def test_the_canonical_form_means_the_same(expression, carried):
    assert holds(canonical(expression), carried) == holds(expression, carried)
    if is_bounded(expression) and holds(expression, carried):
        assert carried & set(tags_of(expression))


def holds(expression, carried: set[str]) -> bool:
    """The definition: whether an item with these tags is in the expression."""
    match expression:
        case Tag(name):
            return name in carried
        case Not(operand):
            return not holds(operand, carried)
        case And(operands):
            return all(holds(one, carried) for one in operands)
        case Or(operands):
            return any(holds(one, carried) for one in operands)


def test_words():
    assert in_words(parse("python+(a,b+c)+-(d,e)")) == "python and (a or b and c) and not (d or e)"


posts = st.lists(st.tuples(st.sampled_from(DATES), st.lists(WORDS, max_size=3, unique=True), st.booleans()), min_size=1, max_size=7).map(
    lambda rows: [Post(key, created, tuple(tags), draft and key % 3 == 0) for key, (created, tags, draft) in enumerate(rows, 1)]
)


def make(folder: str, shape: str, rows: list[Post]) -> Site:
    build, sources = SHAPES[shape]
    path = Path(folder) / "blog.db"
    with sqlite3.connect(path) as connection:
        for sql, values in build(rows):
            connection.execute(sql, values)
    connection.close()
    return Site(path, {**BASE, "sources": sources})


def when(post: Post) -> str:
    moments = {
        "2020-01-01": "2020-01-01T00:00:00Z",
        "2020-06-01 10:00:00": "2020-06-01T10:00:00Z",
        "2019-12-31T23:00:00-05:00": "2020-01-01T04:00:00Z",
    }
    moments |= {"2020-01-01T00:00:00Z": "2020-01-01T00:00:00Z", "1969-07-20": "1969-07-20T00:00:00Z", "9000-01-01": "9000"}
    return moments.get(str(post.created), "")


def expected(expression, rows: list[Post]) -> list[Post]:
    """The posts that a page must show, in order: newest first, undated last, ties by key."""
    found = [post for post in rows if post.tags and not post.draft and when(post) != "9000" and holds(expression, set(post.tags))]
    return sorted(sorted(found, key=lambda post: post.key, reverse=True), key=when, reverse=True)


def titles(page: str) -> list[str]:
    return [unescape(title) for title in re.findall(r'<h3><a class="u-url p-name" href="[^"]*">([^<]*)</a>', page)]


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=posts, asked=st.lists(expressions(WORDS), min_size=1, max_size=4))
async def test_sql_agrees_with_the_definition(shape, rows, asked):
    with tempfile.TemporaryDirectory() as folder:
        blog = make(folder, shape, rows)
        known = {tag for post in expected(Or((Tag("ant"), Not(Tag("ant")))), rows) for tag in post.tags}
        for expression in map(canonical, asked):
            page = await blog.get(f"/tags/{expression}?size=100")
            if not set(tags_of(expression)) <= known:
                assert page.status_code == 404
                continue
            wanted = expected(expression, rows)
            assert titles(page.text) == [post.title for post in wanted]
            assert f"<b>{len(wanted)}</b> item" in page.text
            feed = await blog.feed(f"/tags/{expression}.atom?size=100")
            assert texts(feed, "a:entry/a:title") == [post.title for post in wanted if when(post)]
            for entry, post in zip(feed.iterfind("{*}entry"), [post for post in wanted if when(post)], strict=True):
                assert sorted(category.get("term") for category in entry.iterfind("{*}category")) == sorted(post.tags)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=posts, size=st.integers(1, 4))
async def test_all_pages_together_are_the_whole(shape, rows, size):
    with tempfile.TemporaryDirectory() as folder:
        blog = make(folder, shape, rows)
        whole = titles((await blog.get("/tags/ant,bee?size=100")).text)
        assert (await joined(blog, f"/tags/ant,bee?size={size}")) == whole


async def joined(blog: Site, address: str) -> list[str]:
    found = []
    while address:
        page = (await blog.get(address)).text
        found += titles(page)
        following = re.search(r'href="([^"]*)" rel="next"', page)
        address = unescape(following[1]) if following else ""
    return found


async def test_rows_added_between_pages_neither_repeat_nor_hide_any(site):
    blog = site({**BASE, "sources": {"post": {}}})
    for key in range(1, 21):
        blog.post(key, created=f"2020-01-{key:02}")
    seen, address = [], "/tags/python?size=3"
    added = 100
    while address:
        page = (await blog.get(address)).text
        seen += titles(page)
        following = re.search(r'href="([^"]*)" rel="next"', page)
        address = unescape(following[1]) if following else ""
        added += 1
        blog.post(added, created="2021-01-01")
        blog.sql(f"delete from post_tags where post_id = {21 - len(seen)}")
    assert seen == [f"Post {key}" for key in range(20, 0, -1)]


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/tags/b+a", "/tags/a+b"),
        ("/tags/b+a.atom?size=1&x=%20", "/tags/a+b.atom?size=1&x=%20"),
        ("/tags/a+a", "/tags/a"),
        ("/tags/A", "/tags/a"),
        ("/tags/B%2BC", "/tags/b~2Bc"),
        ("/tags/-a+b", "/tags/b+-a"),
        ("/tags/a+(b+a)", "/tags/a+b"),
        ("/tags/old", "/tags/a"),
        ("/tags/old+b.atom", "/tags/a+b.atom"),
        ("/tags/feed.json", "/tags/feed~2Ejson"),
    ],
)
async def test_other_forms_lead_to_the_canonical_one(site, asked, location):
    blog = site({**BASE, "aliases": {"old": "a", "b": "a"}, "sources": {"post": {}}})
    blog.post(1, ["a", "b", "b+c", "feed.json"])
    answer = await blog.get(asked)
    assert (answer.status_code, answer.headers["location"]) == (301, location)
    assert (await blog.get(location)).status_code == 200


async def test_what_another_escape_spells_is_shown_and_told_its_canonical_address(site):
    blog = site({**BASE, "sources": {"post": {}}})
    blog.post(1, ["a", "c++"])
    for path in ("/tags/%61", "/tags/(a)", "/tags/c%7E2B%2b"):
        page = await blog.get(path)
        assert page.status_code == 200
        assert '<link rel="canonical" href="https://example.org/tags/' in page.text


async def test_known_tags_that_nothing_carries_together_are_an_empty_page_and_feed(site):
    blog = site({**BASE, "sources": {"post": {}}})
    blog.post(1, ["a"])
    blog.post(2, ["b"])
    assert titles((await blog.get("/tags/a+b")).text) == []
    feed = await blog.feed("/tags/a+b.atom")
    assert texts(feed, "a:title") == ["Site: a and b"]
    assert not texts(feed, "a:entry")
    assert texts(feed, "a:updated") == ["1970-01-01T00:00:00+00:00"]
