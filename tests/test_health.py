"""The health page, its JSON, and the same in a terminal."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import INDEXED, SCHEMA, SETTINGS

ROOT_ONLY = {"allow": {"id": "root"}}


async def health(blog, actor=None) -> dict:
    answer = await blog.get("/-/tagfeeds.json", actor)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return json.loads(answer.text)


def codes(report: dict) -> list[str]:
    return [one["code"] for one in [*report["warnings"], *(warning for source in report["sources"] for warning in source["warnings"])]]


async def test_counts_of_a_source(site):
    blog = site({**SETTINGS, "sources": {"post": {"id": "link"}}})
    for key, columns in enumerate(
        [{}, {"created": "soon"}, {"created": "9000-01-01"}, {"title": " "}, {"is_draft": 1}, {"tags": []}, {"created": None}], 1
    ):
        blog.post(key, columns.pop("tags", ["a", f"b{key}"]), link="https://example.org/same", **columns)
    report = await health(blog)
    source = report["sources"][0]
    assert {name: source[name] for name in ("name", "database", "table", "shape", "tags", "where", "indexed")} == {
        "name": "post", "database": "blog", "table": "post", "shape": "join table", "tags": "post_tags", "where": "is_draft = 0", "indexed": INDEXED,
    }  # fmt: skip
    numbers = {name: source[name] for name in ("items", "tags_count", "undated", "future", "untitled", "broken", "duplicate_ids")}
    assert numbers == {"items": 4, "tags_count": 5, "undated": 2, "future": 1, "untitled": 1, "broken": 0, "duplicate_ids": 3}
    assert source["fields"]["title"] == "title"
    assert source["fields"]["published"] == "created"
    assert codes(report) == ["missing_index", "missing_index", "missing_index", "undated", "untitled", "duplicate_ids"]
    page = (await blog.get("/-/tagfeeds")).text
    for warning in report["sources"][0]["warnings"]:
        assert warning["message"].split("'")[0][:40] in page


async def test_the_remedy_for_a_missing_index_is_sql_that_helps(site):
    blog = site({**SETTINGS, "sources": {"post": {}}})
    blog.post(1)
    for warning in (await health(blog))["sources"][0]["warnings"]:
        assert warning["code"] == "missing_index"
        blog.sql(warning["remedy"])
    again = site({**SETTINGS, "sources": {"post": {}}})
    again.path = blog.path
    assert codes(await health(again)) == []


async def test_a_missing_base_url_comes_with_the_lines_to_add(site):
    blog = site({"sources": {"post": {}}})
    remedy = {one["code"]: one["remedy"] for one in (await health(blog))["warnings"]}["no_base_url"]
    assert yaml.safe_load(remedy) == {"plugins": {"datasette-tagfeeds": {"base_url": "http://localhost"}}}


@pytest.mark.parametrize(
    ("values", "tags", "broken"),
    [(['["a"]', "[oops", "", None, "3"], "tags", 1), (["['a', 'b']", "['a", None], {"column": "tags", "split": "[]"}, 1), (["{a}", "{a", ""], {"column": "tags", "split": "{}"}, 1),
     (["a,b", b"x", 3, None], {"column": "tags", "split": ","}, 1)],
)  # fmt: skip
async def test_broken_values_are_counted(site, values, tags, broken):
    blog = site({**SETTINGS, "sources": {"post": {"tags": tags}}}, "create table post (id integer primary key, title, created, tags)")
    for value in values:
        blog.sql("insert into post (title, created, tags) values ('x', '2020-01-01', ?)", (value,))
    report = await health(blog)
    assert report["sources"][0]["broken"] == broken
    assert "broken" in codes(report)
    assert ("full_scan" in codes(report)) != report["sources"][0]["indexed"]


async def test_nothing_found_says_what_was_looked_at(site):
    blog = site({}, "create table plain (id integer primary key, name); create table keywords (id integer primary key, keyword text)")
    for number in range(30):
        blog.sql("insert into keywords (keyword) values (?)", (f"a word {number}",))
    report = await health(blog)
    assert "nothing_found" in codes(report)
    assert {one["table"]: one["reason"] for one in report["left_out"]} == {
        "plain": "no column of tags, and no table joins it to tags",
        "keywords": "column keyword: its words repeat too rarely to be tags: 30 values, 30 of them used once",
    }


HIDDEN = (
    SCHEMA
    + """
create table secret (id integer primary key, title, tags);
insert into secret values (1, 'Hush', '["a", "hush"]');
create table other_way (post_id integer references post(id), tag_id integer references tag(id));
create table unused_secret (id integer primary key, x);
insert into post (id, title, created) values (1, 'Open', '2020-01-01'); insert into tag values (1, 'a'); insert into post_tags values (1, 1, 1);
"""
)


async def test_health_shows_only_what_the_actor_may_see(site):
    tables = {name: {"allow": {"id": "root"}} for name in ("secret", "unused_secret", "post_tags")}
    blog = site({"hidden": ["hush"], "gone": ["hush2"]}, HIDDEN, databases={"blog": {"tables": tables}})
    for path in ("/-/tagfeeds", "/-/tagfeeds.json"):
        text = (await blog.get(path)).text
        for name in ("secret", "hush", "post_tags"):
            assert name not in text.lower(), (path, name)
    root = await health(blog, "root")
    assert {one["name"] for one in root["sources"]} == {"post", "secret"}
    assert "unused_secret" in {one["table"] for one in root["left_out"]}
    assert (await blog.get("/-/tagfeeds", "root")).headers["cache-control"] == "private, no-store"


async def test_whoever_may_not_see_the_instance_sees_no_health(site):
    blog = site({}, HIDDEN, **ROOT_ONLY)
    for path in ("/-/tagfeeds", "/-/tagfeeds.json"):
        assert (await blog.get(path)).status_code == 403
        assert (await blog.get(path, "root")).status_code == 200


async def test_explicit_sources_come_first_and_the_rest_is_found_where_wanted(site):
    blog = site({"discover": True, "sources": {"posts": {"table": "post", "title": "body"}}}, HIDDEN)
    assert {one["name"]: one["fields"].get("title") for one in (await health(blog))["sources"]} == {"posts": "body", "secret": "title"}
    blog = site({"sources": {"posts": {"table": "post"}}}, HIDDEN)
    assert [one["name"] for one in (await health(blog))["sources"]] == ["posts"]
    blog = site({"discover": False}, HIDDEN)
    assert (await health(blog))["sources"] == []


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "datasette"), "tagfeeds", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_check_in_a_terminal(site, tmp_path):
    blog = site({})
    blog.post(1)
    fine = run("check", blog.path)
    assert (fine.returncode, fine.stderr) == (0, "")
    for words in ("Post: 1 items, 1 tags", "blog / post, tags by join table: post_tags", "Advice: base_url is not set", "create index"):
        assert words in fine.stdout
    blog.post(2, created="soon")
    problem = run("check", blog.path)
    assert problem.returncode == 1
    assert "Problem: 1 of post have no readable date in created." in problem.stdout
    (tmp_path / "metadata.yml").write_text("plugins: {datasette-tagfeeds: {titel: x}}")
    wrong = run("check", blog.path, "-m", tmp_path / "metadata.yml")
    assert wrong.returncode == 1
    assert "titel: unknown setting" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_settings_that_are_no_yaml_are_a_sentence(site, tmp_path):
    (tmp_path / "bad.yml").write_text("a: [b: {")
    ended = run("check", site({}).path, "-m", tmp_path / "bad.yml")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr


def test_settings_in_a_terminal_are_settings(site, tmp_path):
    blog = site({})
    blog.post(1)
    printed = run("settings", blog.path)
    assert printed.returncode == 0
    (tmp_path / "metadata.yml").write_text(printed.stdout)
    again = run("settings", blog.path, "--metadata", tmp_path / "metadata.yml")
    assert (again.returncode, again.stdout) == (0, printed.stdout)
    assert run("check", tmp_path / "nothing.db").returncode == 2
