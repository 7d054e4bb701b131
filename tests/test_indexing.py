"""datasette tagfeeds index: what it says and does, when the index is used, and that nobody sees it who should not."""

import json
import sqlite3
from contextlib import closing

import pytest
from asking import Asker, Clock
from commands import command as run
from commands import metadata
from conftest import SCHEMA, SETTINGS, Site
from datasette.app import Datasette

import datasette_tagfeeds
from datasette_tagfeeds import compat
from datasette_tagfeeds.postings.layout import NAMES

pytestmark = pytest.mark.live

WEBLOG = {**SETTINGS, "sources": {"post": {"html": "body", "where": "is_draft = 0"}}}


def filled(site, settings=WEBLOG, **metadata):
    """A weblog of twenty posts."""
    blog = site(settings, **metadata)
    for key in range(1, 21):
        blog.post(key, ["python", f"tag{key % 3}"], created=f"2020-01-{key:02}T00:00:00Z")
    return blog


def command(blog, *options):
    """Run `datasette tagfeeds index` on a site's file, with its settings."""
    return run("index", blog.path, "-m", metadata(blog.path.parent, blog.settings), *options)


def objects(blog):
    """All that the file holds, by name, with its SQL."""
    with closing(sqlite3.connect(blog.path)) as connection:
        return dict(connection.execute("select type || ' ' || name, sql from sqlite_master"))


async def indexed(blog):
    """What health says of the index of the site's one source."""
    report = json.loads((await blog.get("/-/tagfeeds.json")).text)
    return report["sources"][0]["indexed"]


def codes(report):
    return [one["code"] for one in report["sources"][0]["warnings"]]


@pytest.mark.parametrize("options", [[], ["--online"]])
async def test_the_command_indexes_checks_and_leaves_no_trace(site, options):
    blog = filled(site)
    before = objects(blog)
    assert not await indexed(blog)
    made = command(blog, *options)
    assert made.exit_code == 0, made.output
    assert "20 rows of post" in made.output
    assert await indexed(blog)
    assert command(blog, "--check").output.strip() == "post: 0 missing, 0 wrong"
    again = command(blog, *options)
    assert again.exit_code == 0, again.output
    assert command(blog, "--check").exit_code == 0
    assert command(blog, "--drop").exit_code == 0
    assert objects(blog) == before
    assert not await indexed(blog)
    assert (await blog.get("/tags/python.atom")).status_code == 200


def test_check_tells_what_differs(site):
    blog = filled(site)
    assert command(blog, "--check").exit_code == 1
    command(blog)
    blog.sql("delete from _tagfeeds_posting where item = 1 and tag = 'python'; insert into _tagfeeds_posting values ('no', 1, '', 99)")
    found = command(blog, "--check")
    assert found.exit_code == 1
    assert found.output.strip() == "post: 1 missing, 1 wrong"
    assert "exclude each other" in command(blog, "--check", "--drop").output


def test_what_cannot_be_indexed_is_named_with_the_reason(site):
    settings = {**SETTINGS, "sources": {"post": {"where": "id in (select 1)"}, "note": {"sql": "select id as item, 'x' as tag from note"}}}
    blog = site(settings, SCHEMA + "create table note (id integer primary key, title, created);")
    found = command(blog)
    assert "note is not indexed, because its tags come from SQL of your own." in found.output
    assert "post is not indexed, because its where uses select" in found.output
    assert "nothing to index" in found.output
    assert not any("_tagfeeds_" in name for name in objects(blog))


@pytest.mark.parametrize(
    ("where", "fits"),
    [("is_draft = 0", True), ("coalesce(is_draft, 0) = 0 and title <> 'random()'", True), ("created < date('now')", False), ("title <> current_date", False),
     ("json(body) is not null", False), ("title like 'p%'", False), ("abs(random()) > 0", False), ("body ->> 'x' is null", False), ("is_draft = 0 -- live", False), ("lower(title) in ('a', 'b')", True)],
)  # fmt: skip
async def test_only_predicates_that_cannot_fail_are_indexed(site, where, fits):
    blog = (
        filled(site, {**SETTINGS, "sources": {"post": {"where": where}}})
        if fits or "json" not in where
        else site({**SETTINGS, "sources": {"post": {"where": where}}})
    )
    command(blog)
    assert await indexed(blog) is fits


async def test_an_index_of_other_settings_is_not_used(site):
    blog = filled(site)
    command(blog)
    other = Site(blog.path, {**SETTINGS, "sources": {"post": {"where": "id > 18"}}})
    report = json.loads((await other.get("/-/tagfeeds.json")).text)
    assert report["sources"][0]["indexed"] is False
    assert "stale_index" in codes(report)
    assert "<b>2</b> items" in (await other.get("/tags/python")).text
    assert await indexed(blog)


@pytest.mark.parametrize(
    "change",
    [
        "alter table post add column more",
        "drop trigger _tagfeeds_1_0_after_insert",
        "create unique index other on post (link)",
        "drop table _tagfeeds_ready",
    ],
)
async def test_an_index_is_not_used_once_its_tables_changed(site, change):
    blog = filled(site)
    command(blog)
    assert await indexed(blog)
    blog.sql(change)
    assert not await indexed(blog)
    blog.post(30, ["new"])
    assert "Post 30" in (await blog.get("/tags/new.atom")).text


async def test_an_unfinished_index_is_not_used(site):
    blog = filled(site)
    command(blog, "--online")
    blog.sql("drop table _tagfeeds_ready; delete from _tagfeeds_posting where item > 10; update _tagfeeds_source set done = 10")
    assert not await indexed(blog)
    assert "<b>20</b> items" in (await blog.get("/tags/python")).text
    assert command(blog, "--online").exit_code == 0
    assert command(blog, "--check").exit_code == 0
    assert await indexed(blog)


async def test_a_scheduled_item_becomes_due_without_the_index_being_made_again(site, monkeypatch):
    clock = Clock(monkeypatch)
    blog = filled(site)
    blog.post(40, ["python", "soon"], created=clock.text(60))
    command(blog)
    await blog.start()
    ask = Asker(blog.datasette)
    assert (await ask("/tags/soon.atom")).status == 404
    assert b"<b>20</b> items" in (await ask("/tags/python")).body
    clock.now += 61
    assert b"Post 40" in (await ask("/tags/soon.atom")).body
    assert b"<b>21</b> items" in (await ask("/tags/python")).body
    assert b'"count": 21' in (await ask("/tags/python.json")).body or b'"count":21' in (await ask("/tags/python.json")).body


async def test_immutable_files_are_read_with_their_index(site):
    blog = filled(site)
    command(blog)
    published = Site(blog.path, WEBLOG, immutable=True)
    assert await indexed(published)
    assert "<b>20</b> items" in (await published.get("/tags/python")).text


@pytest.mark.parametrize("table", NAMES)
async def test_nobody_may_view_the_index(site, table):
    blog = filled(site)
    command(blog)
    for actor in (None, "root"):
        for path in (f"/blog/{table}", f"/blog/{table}.json", f"/blog/{table.upper()}"):
            answer = await blog.get(path, actor)
            assert answer.status_code in ((403,) if table in path else (403, 404)), (path, actor)
            assert "tag1" not in answer.text
        for path in ("/", "/blog", "/blog.json"):
            text = (await blog.get(path, actor)).text
            assert f"/{table}" not in text, path
            assert f'"name": "{table}"' not in text, path


async def test_what_is_hidden_stays_hidden(site):
    schema = SCHEMA + SCHEMA.replace("post", "note").replace("create table tag (id integer primary key, tag);", "")
    settings = {**SETTINGS, "sources": {"post": {}, "note": {}}}
    blog = site(settings, schema, databases={"blog": {"tables": {"note": {"allow": {"id": "root"}}}}})
    blog.post(1, ["both"])
    blog.sql(
        "insert into note (id, title, created) values (1, 'Secret', '2021-01-01'); insert into tag (tag) values ('hush'); insert into note_tags (note_id, tag_id) values (1, 1), (1, 2)"
    )
    command(blog)
    assert await indexed(blog)
    for path in ("/tags", "/tags.json", "/tags/both", "/tags/both.json?related=1", "/tags.atom", "/tags/-both", "/tags.opml?min=1"):
        text = (await blog.get(path)).text
        assert not [word for word in ("Secret", "hush", "note") if word in text], path
    assert (await blog.get("/tags/hush")).status_code == 404
    assert "Secret" in (await blog.get("/tags/hush", "root")).text


async def test_health_advises_an_index_where_it_would_help(site, monkeypatch):
    blog = filled(site)
    monkeypatch.setattr("datasette_tagfeeds.health.SLOW_MS", -1)
    report = json.loads((await blog.get("/-/tagfeeds.json")).text)
    notice = next(one for one in report["sources"][0]["warnings"] if one["code"] == "slow")
    assert "ms to find" in notice["message"]
    assert "datasette tagfeeds index" in notice["remedy"]
    command(blog)
    assert "slow" not in codes(json.loads((await blog.get("/-/tagfeeds.json")).text))


async def test_a_stale_answer_is_never_given_after_another_process_wrote(site):
    blog = filled(site)
    command(blog)
    for number in range(50, 60):
        blog.post(number, ["python"], created="2021-01-01T00:00:00Z")
        assert f"Post {number}" in (await blog.get("/tags/python.atom")).text


async def test_writes_through_datasette_reach_the_index(site):
    blog = filled(site)
    command(blog)
    await blog.start()
    database = blog.datasette.get_database("blog")
    await database.execute_write("insert into post_tags (post_id, tag_id) select 1, id from tag where tag = 'tag2'")
    await database.execute_write("update tag set tag = 'renamed' where tag = 'tag0'")
    assert "Post 1<" in (await blog.get("/tags/tag2.atom")).text
    assert (await blog.get("/tags/tag0")).status_code == 404
    assert "Post 3<" in (await blog.get("/tags/renamed.atom")).text
    assert command(blog, "--check").exit_code == 0


if compat.HAS_RESOURCES:  # Datasette 0.65 has no write API

    async def test_the_write_api_reaches_the_index(site):
        blog = filled(site)
        command(blog)
        datasette = Datasette([str(blog.path)], config={"permissions": {"insert-row": True}, "plugins": {"datasette-tagfeeds": WEBLOG}})
        await datasette.invoke_startup()
        row = {"id": 77, "title": "By the API", "created": "2022-01-01", "is_draft": 0}
        answer = await datasette.client.post("/blog/post/-/insert", json={"row": row})
        assert answer.status_code == 201, answer.text
        assert (await datasette.client.post("/blog/post_tags/-/insert", json={"row": {"post_id": 77, "tag_id": 1}})).status_code == 201
        assert "By the API" in (await datasette.client.get("/tags/python.atom")).text


async def test_rows_that_only_python_can_date_are_right_before_and_after_indexing_again(site):
    blog = filled(site)
    command(blog)
    blog.post(60, ["python", "odd"], created="Tue, 03 Mar 2020 04:05:06 GMT")
    assert "Post 60" in (await blog.get("/tags/odd.atom")).text
    assert (await blog.get("/tags/python.atom")).text.index("Post 60") < (await blog.get("/tags/python.atom")).text.index("Post 20")
    assert "<b>21</b> items" in (await blog.get("/tags/python")).text
    assert '"odd"' in (await blog.get("/tags.json")).text
    command(blog)
    assert "Post 60" in (await blog.get("/tags/odd.atom")).text
    assert "<b>21</b> items" in (await blog.get("/tags/python")).text


async def test_health_says_who_cannot_write_to_indexed_json(site):
    blog = site({**SETTINGS, "sources": {"post": {"tags": "tags"}}}, "create table post (id integer primary key, title, created, tags)")
    blog.sql("insert into post (title, created, tags) values ('One', '2020-01-01', '[\"a\", \"b\"]')")
    assert "json_triggers" not in codes(json.loads((await blog.get("/-/tagfeeds.json")).text))
    command(blog)
    assert "json_triggers" in codes(json.loads((await blog.get("/-/tagfeeds.json")).text))


@pytest.mark.parametrize("resource", [None, "blog", ("blog", "post"), ("blog", "_TAGFEEDS_POSTING")])
async def test_permissions_may_be_asked_of_anything(site, resource):
    """Datasette 0.65 has a page on which root tries out any of them."""
    hidden = isinstance(resource, tuple) and resource[1].lower() in NAMES
    assert datasette_tagfeeds.permission_allowed(action="view-table", resource=resource) is (False if hidden else None)
    assert datasette_tagfeeds.permission_allowed(action="view-database", resource=resource) is None
