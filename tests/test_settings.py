"""Wrong settings: every problem in one message, and nothing is served."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import SETTINGS

from datasette_tagfeeds.errors import ConfigError

ROOT = "plugins.datasette-tagfeeds"


def post(**source):
    return {**SETTINGS, "sources": {"post": source}}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ([], f"{ROOT}: must be a map, not a list"),
        ({"titel": "x"}, f"{ROOT}.titel: unknown setting; did you mean 'title'?"),
        ({"title": 3}, f"{ROOT}.title: must be text, not a number"),
        ({"size": "30"}, f"{ROOT}.size: must be a whole number from 1 to 100"),
        ({"size": 101}, f"{ROOT}.size: must be a whole number from 1 to 100"),
        ({"base_url": "example.org"}, f"{ROOT}.base_url: must be an absolute address such as 'https://example.org', not 'example.org'"),
        ({"base_url": "ftp://example.org"}, f"{ROOT}.base_url: must be an absolute address"),
        ({"authority": "example.org"}, f"{ROOT}.authority: must be a host name, a comma and a date"),
        ({"path": "tags"}, f"{ROOT}.path: must be a path such as '/tags'"),
        ({"path": "/blog"}, f"{ROOT}.path: /blog would hide the pages of the database 'blog'"),
        ({"language": "English language"}, f"{ROOT}.language: must be a language tag"),
        ({"timezone": "Mars/Olympus"}, f"{ROOT}.timezone: no time zone is called 'Mars/Olympus'"),
        ({"author": {"nam": "x"}}, f"{ROOT}.author: author.nam: unknown setting; did you mean 'name'?"),
        ({"author": {"email": "a@b.example"}}, f"{ROOT}.author: must have a name"),
        ({"sources": {"posts": {}}}, f"{ROOT}.sources.posts: no table 'posts'; did you mean 'post'?"),
        ({"sources": {"x": {"table": "posts"}}}, f"{ROOT}.sources.x.table: no table 'posts'; did you mean 'post'?"),
        ({"sources": {"post": {"database": "blug"}}}, f"{ROOT}.sources.post.database: no database 'blug'; did you mean 'blog'?"),
        (post(html="bdy"), f"{ROOT}.sources.post.html: no column 'bdy' in post; did you mean 'body'?"),
        (post(published="made"), f"{ROOT}.sources.post.published: no column 'made' in post"),
        (post(published="{{ created }}"), f"{ROOT}.sources.post.published: must be a column, not an expression"),
        (post(link="/{{ crated.year }}/"), f"{ROOT}.sources.post.link: no column 'crated' in post; did you mean 'created'?"),
        (post(link="/{{ created. }}/"), f"{ROOT}.sources.post.link: not a Jinja expression"),
        (post(html="body", text="body"), f"{ROOT}.sources.post.text: html and text exclude each other"),
        (post(trusted="yes"), f"{ROOT}.sources.post.trusted: must be true or false, not text"),
        (post(template="tagfeeds-entry-pst.html"), f"{ROOT}.sources.post.template: no template 'tagfeeds-entry-pst.html'"),
        (post(where="is_drft = 0"), f"{ROOT}.sources.post.where: SQLite says: no such column: is_drft"),
        (post(tags="post_tag"), f"{ROOT}.sources.post.tags: no table or column 'post_tag'; did you mean 'post_tags'?"),
        (post(tags={"join": "post_tags", "item": "post_id"}), f"{ROOT}.sources.post.tags.tag: is missing"),
        (
            post(tags={"join": "post_tags", "item": "post", "tag": "tag_id"}),
            f"{ROOT}.sources.post.tags.item: no column 'post' in post_tags",
        ),
        (post(order="nam"), f"{ROOT}.sources.post.order: no column 'nam' in post_tags or tag"),
        (post(namespace="a b"), f"{ROOT}.sources.post.namespace: must be letters, digits"),
        (post(markdwn="body"), f"{ROOT}.sources.post.markdwn: unknown setting; did you mean 'markdown'?"),
        ({"sources": {"tag": {}}}, f"{ROOT}.sources.tag.tags: no tags of tag were found by themselves"),
        ({"sources": {"post": "x"}}, f"{ROOT}.sources.post: must be a map, not text"),
        (post(title=["a"]), f"{ROOT}.sources.post.title: must be text, not a list"),
        (post(published={}), f"{ROOT}.sources.post.published: must be text, not a map"),
        (post(key=[]), f"{ROOT}.sources.post.key: must name a column"),
        (post(key="kye"), f"{ROOT}.sources.post.key: no column 'kye' in post"),
        (post(sql="select 1"), f"{ROOT}.sources.post.sql: SQLite says: no such column: q.item"),
        (
            post(sql="select id as item, title as tag from post", tags="post_tags"),
            f"{ROOT}.sources.post.sql: tags and sql exclude each other",
        ),
        (post(tags={"column": "title", "split": ""}), f"{ROOT}.sources.post.tags.split: must be what parts the tags"),
        (post(tags={"colum": "title"}), f"{ROOT}.sources.post.tags.colum: unknown setting; did you mean 'column'?"),
        (
            post(tags={"table": "post_tags", "item": "post_id", "tag": "tag_id", "type_column": "id"}),
            f"{ROOT}.sources.post.tags.type: is missing",
        ),
        (
            post(tags={"table": "post_tags", "item": "post_id", "tag": "tag_id", "only": {"x": 1}}),
            f"{ROOT}.sources.post.tags.only: no column 'x' in post_tags",
        ),
        ({"aliases": "nope"}, f"{ROOT}.aliases: no table 'nope'"),
        ({"aliases": "tag"}, f"{ROOT}.aliases: tag must have a column of old names and a foreign key"),
        ({"aliases": {"a": []}}, f"{ROOT}.aliases: the new name of 'a' must be text"),
        ({"gone": "spam"}, f"{ROOT}.gone: must be a list of tags"),
        ({"hidden": [["a"]]}, f"{ROOT}.hidden: must be a list of tags"),
        ({"descriptions": "tag.about"}, f"{ROOT}.descriptions: must be table.column: no column 'about' in tag"),
        ({"discover": "yes"}, f"{ROOT}.discover: must be true or false"),
        ({"ttl": -1}, f"{ROOT}.ttl: must be a whole number of seconds"),
        ({"max_bytes": 5}, f"{ROOT}.max_bytes: must be a whole number of bytes"),
        ({"content_type": "text/html"}, f"{ROOT}.content_type: must be 'application/atom+xml' or 'application/xml'"),
        ({"hub": "hub"}, f"{ROOT}.hub: must be an absolute address"),
        ({"purge_header": "Purge"}, f"{ROOT}.purge_header: must be 'Cache-Tag' or"),
        ({"sources": []}, f"{ROOT}.sources: must be a map, not a list"),
        ({"path": "/-"}, f"{ROOT}.path:"),
        ({"path": "/-/plugins"}, f"{ROOT}.path: '/-/plugins' is among Datasette's own pages"),
        ({"timezone": "+99:00"}, f"{ROOT}.timezone: '+99:00' is no offset from UTC"),
        ({"title": "a\x00b"}, f"{ROOT}.title: holds a character that no document may hold"),
        ({"base_url": "https://example.org/a b"}, f"{ROOT}.base_url: must be an absolute address"),
        (post(title="{{" + "(" * 500), f"{ROOT}.sources.post.title: not a Jinja expression"),
        (post(title="{% include 'x.html' %}"), f"{ROOT}.sources.post.title: an expression cannot include"),
        (post(where="1) or (1"), f"{ROOT}.sources.post.where: SQLite says:"),
        (post(where="1) union all select 1, 2 where (1"), f"{ROOT}.sources.post.where: SQLite says:"),
        (post(where=":k0 = 0"), f"{ROOT}.sources.post.where: SQLite says:"),
        (post(tags={"join": "post_tags", "item": "post_id", "tag": "tag_id", "name": "."}), f"{ROOT}.sources.post.tags.name: no column ''"),
    ],
)
async def test_a_problem_is_named_with_its_path(site, settings, problem):
    with pytest.raises(ConfigError) as caught:
        await site(settings).start()
    assert problem in str(caught.value)


async def test_all_problems_come_at_once(site):
    with pytest.raises(ConfigError) as caught:
        await site({"titel": "x", "size": 0, "sources": {"post": {"html": "bdy"}, "pst": {}}}).start()
    assert str(caught.value).count("\n") == 4


async def test_templates_are_read_at_start_up(site, tmp_path):
    (tmp_path / "tagfeeds-entry-post.html").write_text("{% if %}")
    blog = site()
    blog.datasette  # noqa: B018
    from datasette.app import Datasette

    blog._datasette = Datasette([str(blog.path)], metadata={"plugins": {"datasette-tagfeeds": SETTINGS}}, template_dir=str(tmp_path))
    with pytest.raises(ConfigError, match=r"sources\.post\.template: tagfeeds-entry-post\.html"):
        await blog.start()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("plugins: {datasette-tagfeeds: {sources: {post: {html: bdy}}}}", "no column 'bdy' in post; did you mean 'body'?"),
        (
            "plugins:\n  datasette-tagfeeds:\n    sources:\n      post: {html: body}\n      post: {text: body}\n",
            f"{ROOT}.sources.post: stands twice in metadata.yml",
        ),
    ],
)
def test_the_command_line_ends_cleanly(site, tmp_path: Path, text, problem):
    (tmp_path / "metadata.yml").write_text(text)
    command = [str(Path(sys.executable).parent / "datasette"), "serve", str(site().path), "-m", str(tmp_path / "metadata.yml"), "-p", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: datasette-tagfeeds cannot serve these settings:")
    assert problem in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


async def test_defaults_reach_every_source_and_yield_to_it(site):
    both = {"sources": {"post": {"html": "body"}, "again": {"table": "post", "where": None}}, "defaults": {"where": "is_draft = 0"}}
    blog = site(both)
    blog.post(1, title="Draft", is_draft=1)
    assert "<b>1</b> item" in (await blog.get("/tags/python")).text


async def test_a_database_called_tags_keeps_its_page(site):
    blog = site(name="tags")
    blog.post(1)
    assert (await blog.get("/-/tags/python.atom")).status_code == 200
    assert "post_tags" in (await blog.get("/tags")).text


async def test_the_path_can_be_chosen(site):
    blog = site({**SETTINGS, "path": "/topics"})
    blog.post(1)
    assert (await blog.get("/topics/python.atom")).status_code == 200
    assert (await blog.get("/tags/python.atom")).status_code == 404


async def test_title_comes_from_datasette_where_no_other_is_given(site):
    blog = site({"sources": {"post": {}}}, title="My data")
    blog.post(1)
    assert "<title>My data: python</title>" in (await blog.get("/tags/python.atom")).text


def test_example_settings_are_a_dozen_lines():
    from conftest import ROOT as project

    block = yaml.safe_load((project / "examples" / "weblog" / "metadata.yml").read_text())["plugins"]["datasette-tagfeeds"]
    assert len(block) <= 7
