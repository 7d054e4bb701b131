"""Tags in Datasette's own pages: what stands where, and that it tells nobody of what they may not see."""

import asyncio
import json
import re
from html import unescape
from urllib.parse import quote

import pytest
from conftest import SETTINGS, Site
from datasette.app import Datasette
from lxml import html
from shapes import SHAPES, Post

from datasette_tagfeeds import compat, store
from datasette_tagfeeds import site as sites
from datasette_tagfeeds.errors import Unavailable
from datasette_tagfeeds.integrations import cells, patience

SCHEMA = """
create table post (id integer primary key, title, body, created, is_draft integer not null default 0);
create table tag (id integer primary key, tag);
create table post_tags (post_id integer references post(id), tag_id integer references tag(id));
create table mark (id integer primary key, title, created, tags);
create table plain (id integer primary key, note);
create view recent as select id, title, created from post;
insert into post values (1, 'One', '', '2020-01-01', 0), (2, 'Two', '', '2020-01-02', 0), (3, 'Draft', '', '2020-01-03', 1);
insert into tag values (1, 'python'), (2, 'c++'), (3, 'unfinished'), (4, '<a/b> & é?');
insert into post_tags values (1, 1), (1, 2), (2, 1), (2, 4), (3, 3), (3, 1);
insert into mark values (1, 'A', '2020-01-01', '["python", "c++"]'), (2, 'B', '2020-01-01', '["lone"]'), (3, 'C', '2020-01-01', 'no array');
insert into plain values (1, 'python');
"""
SOURCES = {"post": {"where": "is_draft = 0"}, "mark": {"tags": "tags"}}
TWO = {**SETTINGS, "sources": SOURCES}
ROOT_ONLY = {"allow": {"id": "root"}}
ODD = "<a/b> & é?"
ODD_PATH = "%3Ca~2Fb%3E%20%26%20%C3%A9~3F"
KNOWS_ROWS = compat.HAS_JUMP_MENU


def links(text):
    """{address: text} of the links on a page."""
    return {one.get("href"): " ".join(one.itertext()).split("\n")[0].strip() for one in html.fromstring(text).iter("a") if one.get("href")}


def alternates(text):
    """{address: title} of the feeds that the head of a page names."""
    return {
        one.get("href"): one.get("title")
        for one in html.fromstring(text).xpath("//head/link[@type='application/atom+xml'][@rel='alternate']")
    }


def cell(text, column):
    """The markup of a column's cells."""
    return re.findall(rf'<td class="col-{column} [^"]*">(.*?)</td>', text, re.S)


def facet(text):
    """{tag: (count, address)} of the facet by tag."""
    found = {}
    for one in html.fromstring(text).xpath("//div[@data-column='tags']//li[not(@class)]"):
        words = " ".join("".join(one.itertext()).split())
        tag, count = re.match(r"(.*?) (?:· )?([\d,]+)(?: ✖)?$", words).groups()
        found[tag] = (int(count), one.xpath(".//a/@href")[0].removeprefix("http://localhost"))
    return found


async def ids(blog, path, actor=None):
    """The first column of the rows that a page's JSON holds."""
    response = await blog.get(path, actor)
    assert response.status_code == 200, response.text
    return [next(iter(row.values())) for row in response.json()]


# The menu and the actions


async def test_menu_and_actions_lead_to_tags_and_feeds(site):
    blog = site(TWO, SCHEMA)
    table = links((await blog.get("/blog/post")).text)
    assert table["/tags"] == "Tags"
    assert table["/tags?type=post"] == "Tags of this table"
    assert table["/tags.atom?type=post"] == "Feed of tagged rows"
    database = links((await blog.get("/blog")).text)
    assert database["/tags"] in ("Tags", "Tags of this database")
    assert database["/tags.atom"] == "Feed of tagged rows"
    assert "/tags" in links((await blog.get("/")).text)
    for table in ("tag", "post_tags"):
        assert links((await blog.get(f"/blog/{table}")).text)["/tags?type=post"] == "Tags"
    for path in (*table, "/tags", "/tags?type=post", "/tags.atom?type=post", "/tags.atom"):
        if path.startswith("/tags"):
            assert (await blog.get(path)).status_code == 200
    plain = links((await blog.get("/blog/plain")).text)
    assert [one for one in plain if one.startswith("/tags")] == ["/tags"]


async def test_actions_of_home_page_views_and_rows(site):
    if not KNOWS_ROWS:  # Datasette 0.65 has no such actions
        return
    settings = {
        **TWO,
        "sources": {**SOURCES, "recent": {"tags": {"join": "post_tags", "item": "post_id", "tag": "tag_id", "name": "tag.tag"}}},
    }
    blog = site(settings, SCHEMA)
    assert links((await blog.get("/")).text)["/tags.atom"] == "Feed of all tagged rows"
    assert links((await blog.get("/blog/recent")).text)["/tags?type=recent"] == "Tags of this table"
    assert links((await blog.get("/blog/post/1")).text)["/tags?type=post"] == "Tags of this table"
    assert links((await blog.get("/blog/tag/2")).text)["/tags/c~2B~2B.atom"] == "Feed of this tag"
    assert "Page of this tag" not in (await site(TWO, SCHEMA).get("/blog/tag/3")).text


@pytest.mark.parametrize("hidden", ["post", "post_tags", "tag"])
async def test_nothing_is_told_of_a_hidden_source(site, hidden):
    blog = site({**SETTINGS, "sources": {"post": {}}}, SCHEMA, databases={"blog": {"tables": {hidden: ROOT_ONLY}}})
    for table in {"post", "post_tags", "tag"} - {hidden}:
        row = "?_size=1" if table == "post_tags" else "/1"
        for path in ("/", "/blog", f"/blog/{table}", f"/blog/{table}?_tag=python&_facet_tag=post", f"/blog/{table}{row}"):
            anonymous, root = (await blog.get(path)).text, (await blog.get(path, actor="root")).text
            assert not re.search(
                r"/tags|tf-|atom\+xml|tagfeeds|include|facet-tags",
                re.sub(r"<link rel=.stylesheet.*app.css.*|_tag=\S*|name=._\w+. value|_tagfeeds_\w+", "", anonymous),
            ), path
            assert "/tags" in root
    if hidden != "post":
        assert await ids(blog, "/blog/post.json?_tag=python&_shape=array") == [1, 2, 3]
        assert await ids(blog, "/blog/post.json?_tag=c%2B%2B&_shape=array", "root") == [1]
        assert "tag" not in str((await blog.get("/blog/post.json?_facet_tag=post&_extra=facet_results")).json().get("facet_results"))


async def test_private_instances_show_their_tags_to_those_inside(site):
    blog = site(TWO, SCHEMA, **ROOT_ONLY)
    assert (await blog.get("/blog/post")).status_code == 403
    assert "/tags" not in (await blog.get("/blog/post")).text
    page = (await blog.get("/blog/post?_tag=python", actor="root")).text
    assert links(page)["/tags?type=post"] == "Tags of this table"
    assert "/tags/python.atom?type=post" in alternates(page)
    # Whoever sees this cell sees all that its source reads.
    assert cell((await blog.get("/blog/mark", actor="root")).text, "tags")[0].count("<a ") == 2
    # A tag's name says nothing of who may see the posts, and Datasette does not say who asks.
    assert "tf-t" not in (await blog.get("/blog/tag", actor="root")).text


# Cells


async def test_cells_of_a_json_column_are_links(site):
    blog = site(TWO, SCHEMA)
    page = await blog.get("/blog/mark")
    python, lone, malformed = cell(page.text, "tags")
    assert links(python) == {"/tags/python": "python", "/tags/c~2B~2B": "c++"}
    assert "<li" not in python
    assert "lone" in lone
    assert malformed.strip() == "no array"
    row = cell((await blog.get("/blog/mark/1")).text, "tags")
    assert links(row[0]) == links(python)
    assert 'tagfeeds-in.css"' in page.text
    query = await blog.get("/blog/-/query?sql=select+tags+from+mark" if KNOWS_ROWS else "/blog?sql=select+tags+from+mark")
    assert query.status_code == 200
    assert "tf-t" not in query.text
    assert "tf-t" not in (await blog.get("/blog/plain")).text


async def test_cells_of_a_tag_table_are_links_where_the_tag_has_a_page(site):
    blog = site(TWO, SCHEMA)
    python, plus, unfinished, odd = cell((await blog.get("/blog/tag")).text, "tag")
    assert links(python) == {"/tags/python": "python"}
    assert links(plus) == {"/tags/c~2B~2B": "c++"}
    assert unfinished.strip() == "unfinished"
    assert links(odd) == {f"/tags/{ODD_PATH}": ODD}
    assert "&lt;a/b&gt; &amp; é?" in odd
    assert (await blog.get(f"/tags/{ODD_PATH}")).status_code == 200


async def test_a_tag_that_only_drafts_carry_is_no_link(site):
    schema = SCHEMA.replace("created, tags)", "created, tags, live default 1)").replace(
        "into mark values", "into mark (id, title, created, tags) values"
    )
    blog = site({**SETTINGS, "sources": {"mark": {"tags": "tags", "where": "live = 1"}}}, schema)
    blog.sql("""insert into mark values (4, 'D', '2020-01-01', '["python", "plans"]', 0), (5, 'E', '2020-01-01', '["plans"]', 0)""")
    mixed, hidden = cell((await blog.get("/blog/mark")).text, "tags")[3:]
    assert links(mixed) == {"/tags/python": "python"}
    assert "<span>plans</span>" in mixed
    assert hidden.strip() == "[&#34;plans&#34;]"


@pytest.mark.parametrize(
    ("tags", "value", "expected"),
    [
        ("tags", '["a", 1, {"name": "b"}]', ["a", "1", "b"]),
        ("tags", '["a", {"name": "b", "colour": "red"}]', None),
        ("tags", '["a", 1.5]', None),
        ("tags", '["a", true]', None),
        ("tags", '["a", "\\ud800"]', None),
        ("tags", '["a\\u0000b"]', None),
        ("tags", "[]", None),
        ("tags", '{"a": 1}', None),
        ("tags", "[" * 100_000, None),
        ("tags", json.dumps([str(n) for n in range(200)]), None),
        ({"column": "tags", "split": ","}, " a , b c,,a", ["a", "b c"]),
        ({"column": "tags", "split": "<>"}, "<a><b-c>", ["a", "b-c"]),
        ({"column": "tags", "split": "[]"}, "['a', 'b c']", ["a", "b c"]),
        ({"column": "tags", "split": "{}"}, '{a,"b c"}', ["a", "b c"]),
        ({"column": "tags", "split": "#"}, "words about #a and #b", None),
        ({"column": "tags", "split": " "}, 5, ["5"]),
        ({"column": "tags", "split": ","}, b"a,b", None),
        ({"column": "tags", "split": ","}, None, None),
        ({"column": "tags", "split": ","}, 1.5, None),
    ],
)  # fmt: skip
async def test_cells_are_read_as_the_database_reads_them(site, tags, value, expected):
    schema = "create table mark (id integer primary key, title, created, tags);"
    if tags == "tags":
        schema += """insert into mark values (9, 'x', '2020-01-01', '["x"]'), (8, 'x', '2020-01-01', '["x"]');"""
    blog = site({**SETTINGS, "sources": {"mark": {"tags": tags}}}, schema)
    blog.sql("insert into mark values (1, 'A', '2020-01-01', ?)", (value,))
    page = await blog.get("/blog/mark?id=1")
    assert page.status_code == 200
    shown = cell(page.text, "tags")[0]
    assert ("tf-tags" in shown) == (expected is not None)
    if expected:
        assert list(links(shown).values()) == expected
        for address in links(shown):
            assert (await blog.get(address)).status_code == 200
        there = await blog.get("/tags.json")
        assert {one["tag"] for one in there.json()["tags"]} - {"x"} == set(expected)


async def test_one_tag_in_a_column_and_rows_of_taggings(site):
    schema = """
    create table til (id integer primary key, title, created, topic);
    create table film (id integer primary key, title, created);
    create table film_tag (film_id integer references film(id), tag);
    insert into til values (1, 'A', '2020-01-01', 'sqlite'); insert into film values (1, 'F', '2020-01-01');
    insert into film_tag values (1, 'noir'), (null, 'stray');
    """
    settings = {"til": {"tags": "topic"}, "film": {"tags": {"table": "film_tag", "item": "film_id", "tag": "tag"}}}
    blog = site({**SETTINGS, "sources": settings}, schema)
    blog.sql("insert into til values (2, 'B', '2020-01-01', 'sqlite'), (3, 'C', '2020-01-01', 'css')")
    assert [list(links(one)) for one in cell((await blog.get("/blog/til")).text, "topic")] == [
        ["/tags/sqlite"],
        ["/tags/sqlite"],
        ["/tags/css"],
    ]
    noir, stray = cell((await blog.get("/blog/film_tag")).text, "tag")
    assert links(noir) == {"/tags/noir": "noir"}
    assert stray.strip() == "stray"


async def test_cells_cost_no_question_each(site, monkeypatch):
    blog = site(TWO, SCHEMA)
    for key in range(10, 90):
        blog.sql("insert into mark values (?, 'x', '2020-01-01', '[\"python\"]')", (key,))
    await blog.get("/blog/mark")
    asked = []
    monkeypatch.setattr(sites, "site", lambda datasette, real=sites.site: asked.append(1) or real(datasette))
    monkeypatch.setattr(cells, "REUSED", 60)
    assert len(cell((await blog.get("/blog/mark")).text, "tags")) == 83
    assert len(asked) < 20


# A row's tags


async def test_a_row_shows_its_tags(site):
    blog = site(TWO, SCHEMA)

    async def tags(path):
        found = re.search(r'<div class="tf-in">(.*?)</div>', (await blog.get(path)).text, re.S)
        return found and found[1]

    if not KNOWS_ROWS:  # Datasette 0.65 has no place for them
        assert await tags("/blog/post/1") is None
        return
    assert links(await tags("/blog/post/1")) == {"/tags/python": "python", "/tags/c~2B~2B": "c++"}
    assert links(await tags("/blog/post/2")) == {"/tags/python": "python", f"/tags/{ODD_PATH}": ODD}
    draft = await tags("/blog/post/3")
    assert links(draft) == {"/tags/python": "python"}
    assert "<span>unfinished</span>" in draft
    assert await tags("/blog/plain/1") is None
    blog.sql("insert into post values (4, 'None', '', '2020-01-01', 0)")
    assert await tags("/blog/post/4") is None


POSTS = [
    Post(1, "2020-01-01", ("python", "web")),
    Post(2, "2020-01-02", ("python",)),
    Post(3, "2020-01-03", ()),
    Post(4, "2020-01-04", ("web", "é b")),
]


def shaped(site, shape) -> tuple[Site, str]:
    """The posts, their tags stored in one way; and the name of their table."""
    statements, sources = SHAPES[shape]
    ways = {name: {key: value for key, value in one.items() if key != "where"} for name, one in sources.items()}
    # Some delimiters are in a tag with a blank.
    posts = [Post(one.key, one.created, tuple(tag.replace(" ", "") for tag in one.tags)) for one in POSTS]
    blog = site({**SETTINGS, "sources": ways}, "")
    for sql, parameters in statements(posts):
        blog.sql(sql, parameters)
    return blog, next(iter(sources))


@pytest.mark.parametrize("shape", SHAPES)
async def test_filter_facet_and_row_of_every_shape(site, shape):
    blog, table = shaped(site, shape)
    base = f"/blog/{table}.json?_shape=array&_nofacet=1"
    assert sorted(set(await ids(blog, f"{base}&_tag=python"))) == [1, 2]
    assert sorted(set(await ids(blog, f"{base}&_tag=web"))) == [1, 4]
    assert set(await ids(blog, f"{base}&_tag=web&_tag=python")) == {1}
    assert set(await ids(blog, f"{base}&_tag={quote('éb')}")) == {4}
    assert await ids(blog, f"{base}&_tag=PYTHON") == []
    assert await ids(blog, f"{base}&_tag=nope") == []
    assert await ids(blog, f"{base}&_tag=python%2Bweb") == []
    found = facet((await blog.get(f"/blog/{table}?_facet_tag={table}")).text)
    assert set(found) == {"python", "web", "éb"}
    for tag, (count, address) in found.items():
        page = await blog.get(address)
        assert f"{count} row{'s' if count > 1 else ''}" in page.text
        assert f'where tags include "{tag}"' in unescape(page.text)
        assert not facet(page.text)[tag][1].count("_tag=" + quote(tag))
    if KNOWS_ROWS and table == "post":
        path = "/blog/post/1,en" if shape == "key of two columns" else "/blog/post/1"
        shown = re.search(r'<div class="tf-in">(.*?)</div>', (await blog.get(path)).text, re.S)
        assert list(links(shown[1]).values()) == ["python", "web"]


async def test_a_key_of_two_columns_beside_a_rowid(site):
    schema = """
    create table post (a text, b text, title, created, primary key (a, b));
    create table tag (id integer primary key, tag);
    create table post_tags (post_id integer, tag_id integer references tag(id));
    insert into post values ('x/y', 'p,q', 'One', '2020-01-01'), ('z', '', 'Two', '2020-01-02');
    insert into tag values (1, 'python'); insert into post_tags values (1, 1);
    """
    blog = site({**SETTINGS, "sources": {"post": {"tags": {"join": "post_tags", "item": "post_id", "tag": "tag_id"}}}}, schema)
    assert await ids(blog, "/blog/post.json?_tag=python&_shape=array") == ["x/y"]
    assert facet((await blog.get("/blog/post?_facet_tag=post")).text)["python"][0] == 1
    if KNOWS_ROWS:
        assert '<a class="tf-t" rel="tag" href="/tags/python">' in (await blog.get("/blog/post/x~2Fy,p~2Cq")).text


# Filter and facet


async def test_the_filter_goes_with_others_and_says_what_it_does(site):
    blog = site(TWO, SCHEMA)
    page = await blog.get("/blog/post?_tag=python&title__contains=o&_size=1")
    assert "2 rows" in page.text
    assert 'where tags include "python" and title contains "o"' in unescape(page.text)
    assert "where tags" not in (await blog.get("/blog/post?_tag=")).text
    many = "&".join(f"_tag={number}" for number in range(9))
    refused = await blog.get(f"/blog/post?{many}")
    assert refused.status_code == 400
    assert "at most 8" in refused.text
    following = re.search(r'href="([^"]*_next=[^"]*)"', page.text)[1]
    assert "Two" in (await blog.get(unescape(following).replace("http://localhost", ""))).text
    assert await ids(blog, f"/blog/post.json?_shape=array&_tag={quote(ODD)}") == [2]
    assert await ids(blog, "/blog/plain.json?_shape=array&_tag=python") == [1]
    # Rows are those of the table, drafts among them.
    assert await ids(blog, "/blog/post.json?_shape=array&_tag=unfinished") == [3]
    if KNOWS_ROWS:
        shown = re.search(r'<div class="tf-in">(.*?)</div>', page.text, re.S)[1]
        assert list(links(shown)) == ["/blog/post?title__contains=o&_size=1", "/tags/python", "/tags/python.atom?type=post"]
        unknown = re.search(r'<div class="tf-in">(.*?)</div>', (await blog.get("/blog/post?_tag=nope")).text, re.S)[1]
        assert list(links(unknown)) == ["/blog/post"]


async def test_the_facet_is_suggested_limited_and_leaves_out_what_is_hidden(site):
    blog = site({**TWO, "hidden": ["c++"]}, SCHEMA)
    assert "/blog/post?_facet_tag=post#facet-tags" in str(links((await blog.get("/blog/post")).text))
    assert "_facet_tag" not in (await blog.get("/blog/mark")).text
    assert {tag: count for tag, (count, _) in facet((await blog.get("/blog/post?_facet_tag=post")).text).items()} == {
        "python": 3,
        ODD: 1,
        "unfinished": 1,
    }
    assert {tag: count for tag, (count, _) in facet((await blog.get("/blog/post?_facet_tag=post&is_draft=0")).text).items()} == {
        "python": 2,
        ODD: 1,
    }
    page = (await blog.get("/blog/post?_facet_tag=post&_facet_size=1")).text
    assert list(facet(page)) == ["python"]
    assert "&gt;1" in page
    assert facet((await blog.get("/blog/mark?_facet_tag=mark")).text)["python"][0] == 1
    configured = site(TWO, SCHEMA, databases={"blog": {"tables": {"post": {"facets": [{"tag": "post"}]}}}})
    assert len(facet((await configured.get("/blog/post")).text)) == 4
    for other in ("nope", "mark", ""):
        assert 'id="facet-tags"' not in (await blog.get(f"/blog/post?_facet_tag={other}")).text


async def test_a_facet_that_takes_too_long_says_so(site, monkeypatch):
    blog = site(TWO, SCHEMA)
    await blog.start()

    async def late(*_):
        raise Unavailable("late")

    monkeypatch.setattr(store.Store, "briefly", late)
    page = await blog.get("/blog/post?_facet_tag=post")
    assert page.status_code == 200
    assert "These facets timed out: tags" in page.text
    assert (await blog.get("/blog/post/1")).status_code == 200


# Feeds in the head


async def test_a_table_names_its_feeds(site):
    blog = site(TWO, SCHEMA)
    assert alternates((await blog.get("/blog/post")).text) == {"/tags.atom?type=post": "Site: Post"}
    filtered = alternates((await blog.get("/blog/post?_tag=python&_tag=c%2B%2B")).text)
    assert filtered == {"/tags/c~2B~2B+python.atom?type=post": "Site: c++ and python", "/tags.atom?type=post": "Site: Post"}
    for address in filtered:
        await blog.feed(address)
    assert list(alternates((await blog.get("/blog/post?_tag=nope")).text)) == ["/tags.atom?type=post"]
    for path in ("/", "/blog", "/blog/plain", "/blog/tag", "/blog/post/1"):
        assert alternates((await blog.get(path)).text) == {}
    undated = site({**SETTINGS, "sources": {"post": {}}}, SCHEMA.replace("created", "noted").replace("2020-01-0", "x"))
    page = (await undated.get("/blog/post")).text
    assert alternates(page) == {}
    assert "Tags of this table" in page
    assert "Feed of tagged rows" not in page


@pytest.mark.parametrize("name", ["table.html", "table-blog-post.html", "base.html"])
async def test_a_users_own_templates_stand(site, tmp_path, name):
    (tmp_path / "templates").mkdir()
    own = (
        "{% extends 'default:table.html' %}"
        if name != "base.html"
        else "<html><head><title>x</title></head><body>{% block content %}{% endblock %}"
    )
    (tmp_path / "templates" / name).write_text(
        own + "<!-- mine -->" if name == "base.html" else own + "{% block footer %}<!-- mine -->{% endblock %}"
    )
    blog = site(TWO, SCHEMA)
    blog._datasette = Datasette(
        [str(blog.path)], template_dir=str(tmp_path / "templates"), metadata={"plugins": {"datasette-tagfeeds": TWO}}
    )
    page = await blog.get("/blog/post")
    assert "<!-- mine -->" in page.text
    assert list(alternates(page.text)) == ["/tags.atom?type=post"]


# All else


async def test_a_prefix_is_kept(site):
    blog = site(TWO, SCHEMA)
    metadata = {"plugins": {"datasette-tagfeeds": TWO}}
    blog._datasette = Datasette([str(blog.path)], settings={"base_url": "/pre/"}, metadata=metadata)
    page = await blog.get("/blog/post?_tag=python&_facet_tag=post")
    addresses = [*links(page.text), *alternates(page.text)]
    ours = [one for one in addresses if re.search("/tags", one)]
    assert len(ours) >= 4
    assert all(one.startswith("/pre/tags") for one in ours)
    assert facet(page.text)["python"][1] == "/pre/blog/post?_facet_tag=post"
    assert '"/pre/-/static-plugins/datasette_tagfeeds/tagfeeds-in.css"' in page.text
    assert list(links(cell((await blog.get("/blog/tag")).text, "tag")[0])) == ["/pre/tags/python"]
    assert (await blog.get("/-/static-plugins/datasette_tagfeeds/tagfeeds-in.css")).status_code == 200


async def test_the_jump_menu_finds_tags(site):
    if not KNOWS_ROWS:  # Datasette 0.65 has no such menu
        return
    blog = site({**TWO, "hidden": ["lone"]}, SCHEMA, databases={"blog": {"tables": {"tag": ROOT_ONLY}}})

    async def found(q, actor=None):
        matches = (await blog.get(f"/-/jump.json?q={quote(q)}", actor)).json()["matches"]
        return {one["name"]: (one["url"], one["description"]) for one in matches if one["type"] == "tag"}

    assert await found("PYTH") == {"python": ("/tags/python", "1 item")}
    assert await found("pyth", "root") == {"python": ("/tags/python", "3 items")}
    assert await found("a/b") == {}
    assert await found("a/b", "root") == {ODD: (f"/tags/{ODD_PATH}", "1 item")}
    assert await found("lone") == {}
    assert await found("unfinished", "root") == {}
    assert list(await found("", "root")) == ["c++", "python", ODD]


async def test_pages_do_not_wait_for_tags(site, monkeypatch):
    """While databases are being looked through, and where the settings no longer fit, Datasette's pages are as they would be without us."""
    blog = site(TWO, SCHEMA)
    await blog.start()

    async def never(datasette):
        raise Unavailable("not yet")

    monkeypatch.setattr(sites, "site", never)
    for path in ("/", "/blog", "/blog/post?_tag=python&_facet_tag=post", "/blog/mark", "/blog/mark/1", "/blog/tag"):
        page = await blog.get(path)
        assert page.status_code == 200
        assert not re.search(r'href="/tags|tf-t', page.text)


async def test_slow_counts_are_awaited_once_and_not_long(site, monkeypatch):
    blog = site(TWO, SCHEMA)
    await blog.start()
    begun = []

    async def slow(self):
        begun.append(1)
        await asyncio.sleep(60)

    monkeypatch.setattr(store.Store, "tag_list", slow)
    monkeypatch.setattr(patience, "PATIENCE", 0.05)
    # What is not yet known to lead nowhere is a link.
    mark, tag = [(await asyncio.wait_for(blog.get(f"/blog/{table}"), 30)).text for table in ("mark", "tag")]
    assert [len(links(one)) for one in cell(mark, "tags")] == [2, 1, 0]
    assert [len(links(one)) for one in cell(tag, "tag")] == [1, 1, 1, 1]
    assert len(begun) == 1
