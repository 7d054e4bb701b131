"""What settings say about tags: aliases, hidden, gone, descriptions; what is suggested for unknown ones; filters."""

import json
import re
from datetime import datetime, timedelta, timezone
from html import unescape

import pytest
from conftest import SCHEMA, SETTINGS, Site, texts
from datasette.app import Datasette

from datasette_tagfeeds import site as sites
from datasette_tagfeeds import store
from datasette_tagfeeds.dates import utc_text

RENAMED = (
    SCHEMA
    + """
create table previous (id integer primary key, previous_name text, tag_id integer references tag(id));
insert into tag (id, tag) values (1, 'python'), (2, 'live');
insert into post (id, title, created) values (1, 'One', '2020-01-01');
insert into post_tags (post_id, tag_id) values (1, 1), (1, 2);
insert into previous (previous_name, tag_id) values ('py', 1), ('live', 1), ('PY2', 1);
"""
)


def titles(page) -> list[str]:
    return [unescape(title) for title in re.findall(r'<h3><a class="u-url p-name" href="[^"]*">([^<]*)</a>', page.text)]


@pytest.mark.parametrize("aliases", ["previous", "previous.previous_name", {"py": "python", "live": "python"}])
async def test_old_names_lead_to_the_new_ones_and_live_tags_win(site, aliases):
    blog = site({**SETTINGS, "aliases": aliases, "sources": {"post": {}}}, RENAMED)
    moved = await blog.get("/tags/py.atom?size=3")
    assert (moved.status_code, moved.headers["location"]) == (301, "/tags/python.atom?size=3")
    assert (await blog.get("/tags/live")).status_code == 200


async def test_a_table_of_old_names_that_is_not_visible_tells_nothing(site):
    hidden = {"blog": {"tables": {"previous": {"allow": {"id": "root"}}}}}
    blog = site({**SETTINGS, "aliases": "previous", "sources": {"post": {}}}, RENAMED, databases=hidden)
    assert (await blog.get("/tags/py")).status_code == 404
    assert (await blog.get("/tags/py", actor="root")).status_code == 301


async def test_gone_tags_are_gone(site):
    blog = site({**SETTINGS, "gone": ["spam", 7], "aliases": {"junk": "spam"}, "sources": {"post": {}}})
    blog.post(1, ["spam", "python"])
    blog.post(2, ["spam"])
    for path in ("/tags/spam", "/tags/spam.atom", "/tags/python+spam", "/tags/-spam", "/tags/7", "/tags/junk"):
        assert (await blog.get(path)).status_code == 410, path
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:category/@term") == ["python"]
    index = (await blog.get("/tags")).text
    assert "spam" not in index
    assert "<b>1</b> tag on <b>1</b> item" in index


async def test_chains_of_old_names_are_followed_and_letter_case_ignored(site):
    aliases = {"one": "two", "two": "python", "round": "about", "about": "round", "Py": "python"}
    blog = site({**SETTINGS, "aliases": aliases, "gone": ["spam"], "sources": {"post": {}}})
    blog.post(1)
    for old in ("one", "two", "PY", "ONE"):
        assert (await blog.get(f"/tags/{old}")).headers["location"] == "/tags/python"
    assert (await blog.get("/tags/round")).status_code == 404
    assert (await blog.get("/tags/SPAM")).status_code == 410


async def test_hidden_tags_are_in_no_list_and_still_there(site):
    blog = site({**SETTINGS, "hidden": ["quora"], "sources": {"post": {}}})
    blog.post(1, ["quora", "python"])
    assert "quora" not in (await blog.get("/tags")).text
    assert "quora" not in (await blog.get("/tags/quorra")).text.replace("quorra", "")
    assert titles(await blog.get("/tags/quora")) == ["Post 1"]
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:category/@term") == ["quora", "python"]


@pytest.mark.parametrize("setting", [{}, {"descriptions": "tag.about"}])
async def test_descriptions_are_markdown_made_safe(site, setting):
    column = "about" if setting else "description"
    schema = SCHEMA.replace("create table tag (id integer primary key, tag)", f"create table tag (id integer primary key, tag, {column})")
    blog = site({**SETTINGS, **setting, "sources": {"post": {}}}, schema)
    blog.post(1)
    blog.sql(f"update tag set {column} = 'The *snake* <script>alert(1)</script>[and](/more)'")
    page = (await blog.get("/tags/python")).text
    assert "The <em>snake</em>" in page
    assert "alert(1)" not in page


@pytest.mark.parametrize(
    ("asked", "suggested"),
    [("pyton", ["python"]), ("pytho", ["python", "python-async"]), ("xyzzy", []), ("sqlight", ["sqlite"]), ("async", ["python-async"])],
)
async def test_unknown_tags_are_answered_with_near_ones(site, asked, suggested):
    blog = site({**SETTINGS, "sources": {"post": {}}})
    blog.post(1, ["python", "python-async", "sqlite", "ant"])
    answer = await blog.get(f"/tags/{asked}.atom")
    assert answer.status_code == 404
    assert answer.text.startswith(f"Nothing is tagged “{asked}”.")
    assert re.findall(r"“([^”]*)”", answer.text)[1:] == suggested
    page = await blog.get(f"/tags/{asked}")
    assert page.status_code == 404
    assert re.findall(r'<a href="/tags/([^"]*)">([^<]*)</a>', page.text.partition("Nothing is tagged")[2]) == [
        (one, one) for one in suggested
    ]


async def test_a_suggestion_is_linked_whatever_it_is(site):
    blog = site({**SETTINGS, "sources": {"post": {}}}, name="b&w")
    blog.post(1, ["<b>a&b\n</b>"])
    page = (await blog.get("/tags/a&b")).text
    assert '<a href="/tags/%3Cb%3Ea%26b%0A%3C~2Fb%3E">&lt;b&gt;a&amp;b &lt;/b&gt;</a>' in page
    assert "<b>a&" not in page


FILTERED = (
    SCHEMA
    + """
create table note (id integer primary key, title, body, created, tags);
create virtual table post_fts using fts5(title, body, content=post);
"""
)


async def test_filters_narrow_page_and_feed_alike(site):
    blog = site({**SETTINGS, "sources": {"post": {"label": "Posts"}, "note": {"tags": "tags", "label": "Notes"}}}, FILTERED)
    for key, created in ((1, "2019-12-31T23:30:00-01:00"), (2, "2020-02-29"), (3, "2021-02-01"), (4, "soon")):
        blog.post(key, created=created, body=f"word{key}")
    blog.sql("insert into note values (1, 'Note', '', '2020-02-10', '[\"python\"]'); insert into post_fts(post_fts) values ('rebuild')")
    for query, wanted in {
        "type=post": ["Post 3", "Post 2", "Post 1", "Post 4"],
        "type=note": ["Note"],
        "type=note&type=post&year=2020": ["Post 2", "Note", "Post 1"],
        "year=2020&month=2": ["Post 2", "Note"],
        "year=2020&month=02&type=": ["Post 2", "Note"],
        "year=2019": [],
        "q=word3": ["Post 3"],
        "q=word3+OR+%22x": [],
        "q=-word3%22%22*": ["Post 3"],
        "q=word2&year=2020": ["Post 2"],
    }.items():
        assert titles(await blog.get(f"/tags/python?{query}")) == wanted, query
        feed = await blog.feed(f"/tags/python.atom?{query}")
        assert texts(feed, "a:entry/a:title") == [title for title in wanted if title != "Post 4"], query
        assert texts(feed, "a:id")[0].startswith("tag:example.org,2026:tags/python?")
        one = await blog.feed(f"/tags/python.atom?{query}&size=1")
        for following in texts(one, "a:link[@rel='next']/@href"):
            rest = await blog.feed(following.replace("https://example.org", ""))
            assert texts(rest, "a:entry/a:title") == [title for title in wanted if title != "Post 4"][1:2]
    assert "<title>Site: python, Posts, 2020-02</title>" in (await blog.get("/tags/python.atom?year=2020&month=2&type=post")).text
    assert 'content="noindex, nofollow"' in (await blog.get("/tags/python?year=2020")).text
    assert 'content="noindex' not in (await blog.get("/tags/python")).text


@pytest.mark.parametrize("q", ["%22", "%22+%22", "x" * 201, "a%00b"])
async def test_what_cannot_be_searched_for_is_a_bad_request(site, q):
    blog = site({**SETTINGS, "sources": {"post": {}}}, FILTERED)
    blog.post(1)
    for path in ("/tags/python", "/tags/python.atom"):
        assert (await blog.get(f"{path}?q={q}")).status_code == 400


async def test_a_form_leads_to_the_combination_that_it_chose(site):
    blog = site()
    blog.post(1, ["a", "b", "c"])
    for query, location in {
        "t=b&t=a": "/tags/a+b",
        "t=b&t=a&op=any": "/tags/a,b",
        "t=a&not=c": "/tags/a+-c",
        "t=c%2B%2B": "/tags/c~2B~2B",
    }.items():
        answer = await blog.get(f"/tags?{query}")
        assert (answer.status_code, answer.headers["location"]) == (302, location)
    for query in ("t=a&op=xor", "&".join(f"t={n}" for n in range(9))):
        assert (await blog.get(f"/tags?{query}")).status_code == 400


async def test_several_databases_are_one_stream(site, tmp_path):
    first, second = site({"sources": {}}), site({"sources": {}}, name="other")
    first.post(1, created="2020-01-01", tags=["a", "b"])
    first.post(2, created="2020-01-03", tags=["a"])
    second.post(1, created="2020-01-02", tags=["a"], title="Elsewhere")
    second.post(5, created="2020-01-03", tags=["a", "c"], title="Tied")
    settings = {"base_url": "https://example.org", "authority": "example.org,2026", "title": "Site"}
    blog = Site(first.path, settings)
    blog._datasette = Datasette([str(first.path), str(second.path)], metadata={"plugins": {"datasette-tagfeeds": settings}})
    wanted = ["Tied", "Post 2", "Elsewhere", "Post 1"]
    found = titles(await blog.get("/tags/a"))
    assert sorted(found) == sorted(wanted)
    paged, address = [], "/tags/a.atom?size=1"
    while address:
        feed = await blog.feed(address)
        paged += texts(feed, "a:entry/a:title")
        address = "".join(texts(feed, "a:link[@rel='next']/@href")).replace("https://example.org", "")
    assert paged == found
    assert "<b>4</b> items" in (await blog.get("/tags/a")).text
    health = json.loads((await blog.get("/-/tagfeeds.json")).text)
    assert {(one["name"], one["database"]) for one in health["sources"]} == {("post", "blog"), ("other_post", "other")}


async def test_a_predicate_that_asks_the_clock_is_asked_again(site, monkeypatch):
    blog = site({**SETTINGS, "sources": {"post": {"where": "updated <= datetime('now')"}}})
    blog.post(1, updated="2000-01-01 00:00:00")
    blog.post(2, updated="2100-01-01 00:00:00")
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:title") == ["Post 1"]
    here = await sites.site(blog.datasette)
    asked = store.Store(blog.datasette, here.settings.sources, "2020-01-01T00:00:00Z")
    assert (await asked.tag_list()).state.until <= utc_text(datetime.now(timezone.utc) + timedelta(seconds=60))


async def test_a_change_is_seen_at_once(site):
    """What is remembered of the tags is forgotten when another process writes, also in WAL mode."""
    for mode in ("delete", "wal"):
        blog = site({**SETTINGS, "sources": {"post": {}}}, f"pragma journal_mode = {mode};{SCHEMA}")
        blog.post(1, ["a"])
        assert (await blog.get("/tags/b")).status_code == 404
        blog.post(2, ["b"])
        assert (await blog.get("/tags/b")).status_code == 200
        blog.sql("delete from post where id = 1")
        assert (await blog.get("/tags/a")).status_code == 404
