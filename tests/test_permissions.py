"""Nobody is told of a row that they may not see."""

import re

import pytest
from conftest import SETTINGS
from datasette.app import Datasette

from datasette_tagfeeds import compat
from datasette_tagfeeds import site as sites

TWO = {
    **SETTINGS,
    "sources": {"post": {"html": "body"}, "secret": {"table": "secret_post", "html": "body", "published": "created", "title": "title"}},
}
SCHEMA = """
create table post (id integer primary key, title, body, created);
create table secret_post (id integer primary key, title, body, created);
create table tag (id integer primary key, tag);
create table hidden_tag (id integer primary key, tag);
create table post_tags (post_id integer references post(id), tag_id integer references tag(id));
create table secret_post_tags (post_id integer references secret_post(id), tag_id integer references hidden_tag(id));
insert into post values (1, 'Open post', '', '2020-01-01');
insert into secret_post values (1, 'Secret post', '', '2021-01-01');
insert into tag values (1, 'shared'); insert into hidden_tag values (1, 'shared'), (2, 'hush');
insert into post_tags values (1, 1); insert into secret_post_tags values (1, 1), (1, 2);
"""
ROUTES = ("/tags", "/tags.atom", "/tags/shared", "/tags/shared.atom")
ROOT_ONLY = {"allow": {"id": "root"}}


@pytest.mark.parametrize("table", ["secret_post", "secret_post_tags", "hidden_tag"])
async def test_a_hidden_table_of_any_kind_hides_the_source(site, table):
    blog = site(TWO, SCHEMA, databases={"blog": {"tables": {table: ROOT_ONLY}}})
    for route in ROUTES:
        anonymous, root = (await blog.get(route)), (await blog.get(route, actor="root"))
        assert anonymous.status_code == root.status_code == 200
        assert "hush" not in anonymous.text
        assert "Secret" not in anonymous.text
        assert "secret" not in anonymous.text.lower()
        assert "hush" in root.text or (route == "/tags/shared" and "Secret post" in root.text)
        assert root.headers["cache-control"] == "private, no-store"
    assert "<b>1</b> tag on <b>1</b> item" in (await blog.get("/tags")).text


@pytest.mark.parametrize("route", ["/tags/hush", "/tags/hush.atom"])
async def test_a_hidden_tag_answers_as_an_unknown_one(site, route):
    blog = site(TWO, SCHEMA, databases={"blog": {"tables": {"hidden_tag": ROOT_ONLY}}})
    unknown = await blog.get(route.replace("hush", "nope"))
    hidden = await blog.get(route)
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text.replace("hush", "nope") == unknown.text
    assert (await blog.get(route, actor="root")).status_code == 200


async def test_what_the_predicate_reads_must_be_visible_too(site):
    settings = {**SETTINGS, "sources": {"post": {"where": "id in (select id from secret_post)"}}}
    blog = site(settings, SCHEMA, databases={"blog": {"tables": {"secret_post": ROOT_ONLY}}})
    assert (await blog.get("/tags/shared")).status_code == 404
    assert (await blog.get("/tags/shared", actor="root")).status_code == 200


@pytest.mark.parametrize("where", ["instance", "database"])
@pytest.mark.parametrize("route", [*ROUTES, "/tags/nope", "/tags/nope.atom"])
async def test_instance_and_database_blocks_hold(site, where, route):
    blocks = ROOT_ONLY if where == "instance" else {"databases": {"blog": ROOT_ONLY}}
    blog = site(TWO, SCHEMA, **blocks)
    expected = 403 if where == "instance" else 200 if route in ("/tags", "/tags.atom") else 404
    anonymous = await blog.get(route)
    assert anonymous.status_code == expected
    assert "shared</a>" not in anonymous.text
    assert "Open post" not in anonymous.text
    assert (await blog.get(route, actor="other")).status_code == expected
    assert (await blog.get(route, actor="root")).status_code == (404 if "nope" in route else 200)


@pytest.mark.parametrize(
    "where",
    ["(select count(*) from locked) >= 0", "exists (select 1 from outer_view)", "id in (with q as (select n from locked) select n from q)"],
)
async def test_views_that_the_predicate_reads_must_be_visible_too(site, where):
    views = SCHEMA + "create view locked as select 1 as n; create view outer_view as select n from locked;"
    blog = site({**SETTINGS, "sources": {"post": {"where": where}}}, views, databases={"blog": {"tables": {"locked": ROOT_ONLY}}})
    assert (await blog.get("/tags/shared")).status_code == 404
    assert (await blog.get("/tags/shared", actor="root")).status_code == 200


async def test_what_is_sqlites_own_hides_nothing(site):
    """json_each is read as if it were a table; where all is denied that nobody allowed, it must not be asked for."""
    schema = "create table post (id integer primary key, title, created, tags); insert into post values (1, 'x', '2020-01-01', '[\"a\"]')"
    blog = site({**SETTINGS, "sources": {"post": {}}}, schema)
    await blog.start()
    assert [source.reads for source in (await sites.site(blog.datasette)).settings.sources] == [frozenset(["post"])]


EVERY_ROUTE = (
    "/tags", "/tags?q=h", "/tags.json", "/tags.json?q=hush", "/tags.opml?min=1", "/tags.atom", "/tags.rss", "/tags.feed.json", "/tags/shared", "/tags/shared.atom",
    "/tags/shared.rss", "/tags/shared.json?related=1", "/tags/-shared", "/tags/shared+hush", "/tags/hush", "/tags/HUSH", "/tags/hus.atom", "/tags/hush/random",
    "/tags/shared?q=secret", "/tags/shared?type=secret", "/-/tagfeeds", "/-/tagfeeds.json", "/", "/blog", "/blog/post",
)  # fmt: skip


@pytest.mark.parametrize("table", ["secret_post", "secret_post_tags", "hidden_tag"])
async def test_no_route_tells_of_a_row_that_is_hidden(site, table):
    """What everyone else is answered is the same, byte for byte, whether the hidden rows are there or not."""
    blocks = {"blog": {"tables": {name: {"allow": {"id": "root"}} for name in ("secret_post", "secret_post_tags", "hidden_tag")}}}
    full = site({**TWO, "discover": False}, SCHEMA, databases=blocks)
    empty = site(
        {**TWO, "discover": False}, SCHEMA + f"delete from {table};", databases={"blog": {"tables": dict(blocks["blog"]["tables"])}}
    )
    for actor in (None, "other"):
        for route in EVERY_ROUTE:
            answers = [await one.get(route, actor) for one in (full, empty)]
            assert answers[0].status_code == answers[1].status_code, route
            if not route.startswith("/blog") and route != "/":
                # Datasette 0.65 writes a token of its own into the pages of signed-in actors.
                texts = [re.sub(r'value="[^"]{40,}"', "", answer.text) for answer in answers]
                assert texts[0] == texts[1], route
                assert actor or answers[0].headers.get("etag") == answers[1].headers.get("etag"), route
            assert "Secret post" not in answers[0].text
            assert "hush</a>" not in answers[0].text


@pytest.mark.parametrize("route", ["/tags/shared.atom", "/tags/shared", "/tags.json", "/-/tagfeeds.json"])
async def test_a_token_with_restrictions_sees_what_it_is_restricted_to(site, route):
    """On 1.0 a token may be for some tables only; 0.65 does not know such tokens, and treats them as their actor."""
    blog = site(TWO, SCHEMA)
    await blog.start()
    actor = {"id": "root", "_r": {"r": {"blog": {name: ["vt"] for name in ("post", "post_tags", "tag")}}}}
    cookies = {"ds_actor": blog.datasette.sign({"a": actor}, "actor")}
    answer = await blog.datasette.client.get(route, cookies=cookies)
    if compat.HAS_RESOURCES:
        assert "Secret post" not in answer.text
        assert "secret_post" not in answer.text
    else:
        assert answer.status_code == 200


async def test_where_all_is_denied_that_nobody_allowed(site):
    if not compat.HAS_RESOURCES:
        return
    blog = site(TWO, SCHEMA)
    metadata = {"plugins": {"datasette-tagfeeds": TWO}}
    blog._datasette = Datasette([str(blog.path)], metadata=metadata, default_deny=True)
    for route in ROUTES:
        answer = await blog.get(route)
        assert answer.status_code == 403
        assert "Open post" not in answer.text


SHAPES = """
create table note (id integer primary key, title, created, tags); insert into note values (1, 'Hush note', '2020-01-01', '["shared"]');
create table tagging (note_id integer, tag text); insert into tagging values (1, 'shared');
create view seen as select id, title, created, tags from note;
"""


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        ({"table": "note", "tags": "tags"}, ["note"]),
        ({"table": "note", "tags": {"table": "tagging", "item": "note_id", "tag": "tag"}}, ["note", "tagging"]),
        ({"table": "note", "sql": "select note_id as item, tag from tagging"}, ["note", "tagging"]),
        ({"table": "seen", "tags": "tags"}, ["seen", "note"]),
        ({"table": "note", "tags": "tags", "where": "id in (select note_id from tagging)"}, ["note", "tagging"]),
    ],
)
@pytest.mark.parametrize("level", ["instance", "database", "table"])
async def test_every_table_that_a_source_reads_must_be_visible(site, source, tables, level):
    """(settings, actor, path) gives a status: whichever table is hidden, and at whichever level."""
    for hidden in tables:
        allow = {"allow": {"id": "root"}}
        block = {
            "instance": allow,
            "database": {"databases": {"blog": allow}},
            "table": {"databases": {"blog": {"tables": {hidden: allow}}}},
        }[level]
        blog = site({**SETTINGS, "sources": {"note": {"title": "title", "published": "created", **source}}}, SHAPES, **block)
        for path in ("/tags/shared", "/tags/shared.atom", "/tags/shared.rss", "/tags/shared.json", "/tags/shared/random"):
            for actor in (None, "other"):
                answer = await blog.get(path, actor)
                assert answer.status_code == (403 if level == "instance" else 404), (path, hidden)
                assert "Hush" not in answer.text
            assert (await blog.get(path, "root")).status_code == (302 if path.endswith("random") else 200)


async def test_a_hidden_index_of_words_answers_nothing(site):
    """A full-text index may hold more than its items do: whoever may not read it may not ask it."""
    schema = """create table post (id integer primary key, title, created, tags); insert into post values (1, 'Open', '2020-01-01', '["a"]');
        create virtual table post_fts using fts5(title, secret); insert into post_fts (rowid, title, secret) values (1, 'Open', 'hush')"""
    blog = site({**SETTINGS, "sources": {"post": {}}}, schema, databases={"blog": {"tables": {"post_fts": {"allow": {"id": "root"}}}}})
    assert (await blog.get("/tags/a.atom?q=hush")).status_code == 400
    assert (await blog.get("/tags/a.atom?q=hush", "root")).status_code == 200
    assert "Search within" not in (await blog.get("/tags/a")).text


async def test_nobody_is_told_sql_of_a_database_that_is_closed_to_them(site):
    """Its tables may be open all the same."""
    tables = {name: {"allow": True} for name in ("post", "tag", "post_tags")}
    blog = site(databases={"blog": {"allow": {"id": "root"}, "tables": tables}})
    blog.post(1)
    assert (await blog.get("/tags/python")).status_code == 200
    assert (await blog.get("/tags/python?explain=1")).status_code == 403
    assert (await blog.get("/tags/python?explain=1", "root")).status_code == 200
