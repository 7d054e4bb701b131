"""datasette tagfeeds check --publish: what to mend before a file goes to another machine, and that the remedies mend it."""

import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from conftest import SCHEMA, SETTINGS
from datasette.cli import cli

from datasette_tagfeeds import compat, health

pytestmark = pytest.mark.live

SQLITE3 = pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
SECRET = """
create table secret (id integer primary key, title, body, created, tags);
create virtual table secret_fts using fts5 (title, content = 'secret');
insert into secret values (1, 'Hushed', 'Never seen', '2020-01-01', '["hush"]');
create table "odd 'name" (id integer primary key);
"""
FOR_ROOT = {"allow": {"id": "root"}}
HIDDEN = {"blog": {"tables": {"secret": FOR_ROOT, "odd 'name": FOR_ROOT}}}


class Written(yaml.SafeDumper):
    """YAML as people write it: Datasette 1.0 loses what an alias stands for."""

    def ignore_aliases(self, data):
        return True


def run(blog, *arguments, **metadata):
    """Run `datasette tagfeeds` on a site's file, with its settings and other metadata, in a thread with an event loop of its own."""
    file = blog.path.parent / "metadata.yml"
    written = {**blog.metadata, "plugins": {"datasette-tagfeeds": blog.settings}, **metadata}
    file.write_text(yaml.dump(written, Dumper=Written), encoding="utf-8")
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(CliRunner().invoke, cli, ["tagfeeds", *arguments, "-m", str(file)]).result()


def check(blog, **metadata):
    """What `check --publish` says of a site."""
    return run(blog, "check", "--publish", str(blog.path), **metadata)


def problems(found):
    return [line.removeprefix("Problem: ") for line in found.output.splitlines() if line.startswith("Problem: ")]


def remedy(found, words):
    """The lines below the problem that begins with these words."""
    lines = found.output.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"Problem: {words}"))
    return [line[2:] for line in lines[start + 1 :][: next(n for n, line in enumerate([*lines[start + 1 :], ""]) if not line)]]


def with_settings(blog, commands):
    """The lines of a remedy, with the settings where they say that these belong."""
    return [line.replace("  #", f" -m {shlex.quote(str(blog.path.parent / 'metadata.yml'))} #") for line in commands]


def shell(commands):
    """Run the lines of a remedy, as they are printed, with the programs of this environment."""
    programs = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-e"], input="\n".join(commands), capture_output=True, text=True, env=programs, timeout=120)
    assert done.returncode == 0, done.stderr


def filled(site, settings=SETTINGS, schema=SCHEMA, rows=3, **metadata):
    blog = site(settings, schema, **metadata)
    blog.sql(
        f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})"
        " insert into post (id, title, created) select i, 'Post ' || i, '2020-01-01' from n;"
        "insert into tag values (1, 'python'); insert into post_tags (post_id, tag_id) select id, 1 from post;"
    )
    return blog


def test_a_file_in_order_may_be_published(site):
    found = check(filled(site))
    assert (found.exit_code, problems(found)) == (0, [])
    assert "Post: 3 items, 1 tags" in found.output


def test_without_the_option_it_is_advice(site):
    blog = filled(site, {"sources": {"post": {}}})
    found = run(blog, "check", str(blog.path))
    assert (found.exit_code, problems(found)) == (0, [])
    assert "Advice: base_url is not set." in found.output


def test_base_url_is_wanted(site):
    found = check(filled(site, {"sources": {"post": {}}}))
    assert found.exit_code == 1
    (problem,) = problems(found)
    assert problem.startswith("base_url is not set.")
    assert "ids of entries" in problem
    mended = yaml.safe_load("\n".join(remedy(found, "base_url")))
    assert mended == {"plugins": {"datasette-tagfeeds": {"base_url": "https://example.org"}}}


def test_many_items_want_an_index(site):
    blog = filled(site, rows=10_001)
    found = check(blog)
    assert found.exit_code == 1
    assert problems(found)[0].startswith("post has 10,001 items and no index.")
    shell(with_settings(blog, remedy(found, "post has")))
    assert problems(check(blog)) == []
    blog.sql("delete from post where id = 1")
    assert run(blog, "index", "--drop", str(blog.path)).exit_code == 0
    assert check(blog).exit_code == 0


def test_what_cannot_be_indexed_is_not_to_be_indexed(site):
    blog = filled(site, {**SETTINGS, "sources": {"post": {"where": "created < date('now')"}}}, rows=10_001)
    assert check(blog).exit_code == 0


def test_slow_sources_want_an_index_however_small(site, monkeypatch):
    monkeypatch.setattr(health, "SLOW_MS", -1)
    blog = filled(site)
    (problem,) = problems(check(blog))
    assert problem.startswith("The newest items of post take ")
    assert run(blog, "index", str(blog.path)).exit_code == 0
    assert check(blog).exit_code == 0


def test_an_index_of_other_settings_is_named(site):
    blog = filled(site)
    assert run(blog, "index", str(blog.path)).exit_code == 0
    blog.settings = {**SETTINGS, "sources": {"post": {"where": "id > 1"}}}
    (problem,) = problems(check(blog))
    assert problem.startswith("The index of post was made for other tables or settings")


@SQLITE3
@pytest.mark.parametrize("indexed", [False, True])
def test_hidden_tables_are_named_and_a_copy_goes_without_them(site, indexed):
    blog = filled(site, {**SETTINGS, "discover": True, "sources": {"post": {}}}, SCHEMA + SECRET, databases=HIDDEN)
    odd = blog.path.parent / "it's $HOME `here`"
    odd.mkdir()
    blog.path = blog.path.rename(odd / "blog.db")
    if indexed:
        assert run(blog, "index", str(blog.path)).exit_code == 0
    found = check(blog)
    assert found.exit_code == 1
    (problem,) = problems(found)
    # Datasette 1.0 hides the full-text index of a hidden table too.
    assert re.match(r"blog\.db holds tables that not everyone may see: odd 'name, secret(, secret_fts)?\.", problem)
    assert "Everyone may run SQL" in problem
    commands = remedy(found, "blog.db holds")[1:]
    shell(with_settings(blog, commands))
    copy = blog.path.parent / "public" / "blog.db"
    blog.path = copy
    again = check(blog)
    assert (again.exit_code, problems(again)) == (0, [])
    assert "Post: 3 items" in again.output
    for word in (b"Never seen", b"Hushed", b"hush", b"secret"):
        assert word not in copy.read_bytes(), word


def test_whether_everyone_reads_hidden_tables_by_sql_is_said(site):
    blog = filled(site, schema=SCHEMA + SECRET, databases={"blog": {**HIDDEN["blog"], "allow_sql": FOR_ROOT["allow"]}})
    (problem,) = problems(check(blog))
    # `allow_sql` in metadata does nothing on Datasette 1.0.
    assert ("Everyone may run SQL" in problem) == compat.HAS_RESOURCES


def test_a_private_site_names_all_its_tables(site):
    (problem,) = problems(check(filled(site, schema=SCHEMA + SECRET, **FOR_ROOT)))
    assert problem == (
        "blog.db holds tables that not everyone may see: odd 'name, post, post_tags, secret, secret_fts, tag. Whoever gets the file gets them."
    )


@SQLITE3
def test_changes_that_wait_beside_the_file_are_named(site):
    blog = filled(site)
    with closing(sqlite3.connect(blog.path)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("update post set title = 'Other' where id = 1")
        writer.commit()
        writer.execute("pragma wal_checkpoint(passive)")
        assert blog.path.with_name("blog.db-wal").stat().st_size > 0
        assert check(blog).exit_code == 0, "all of the log is in the file"
        writer.execute("insert into post (title, created) values ('New', '2021-01-01')")
        writer.commit()
        found = check(blog)
        assert found.exit_code == 1
        (problem,) = problems(found)
        assert problem.startswith("blog.db-wal beside blog.db holds ")
        shell(remedy(found, "blog.db-wal"))
        assert check(blog).exit_code == 0


@pytest.mark.parametrize("options", [[], ["--online"]])
def test_a_new_index_waits_in_no_log(site, options):
    blog = filled(site)
    blog.sql("pragma journal_mode = wal")
    assert run(blog, "index", *options, str(blog.path)).exit_code == 0
    copy = blog.path.with_name("copy.db")
    shutil.copy(blog.path, copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("select count(*) from _tagfeeds_posting").fetchone()[0] > 0
    assert check(blog).exit_code == 0


def test_dates_and_secrets_in_the_settings_are_named(site):
    blog = filled(site)
    mine = {**blog.settings, "aliases": {"token": "python", "secret": "python"}}
    blog.metadata = {"about": yaml.safe_load("2020-01-01")}
    plugins = {
        "datasette-tagfeeds": mine,
        "datasette-auth-github": {"client_id": "not secret", "client_secret": "xyzzy-1"},
        "other": {"api_key": {"$env": "A_VARIABLE"}, "stores": [{"url": "https://ann:xyzzy-2@example.org/"}], "token_file": "/run/token"},
    }
    found = check(blog, plugins=plugins, databases={"blog": {"plugins": {"third": {"password": "xyzzy-3"}}}})
    assert found.exit_code == 1
    dates, secrets = problems(found)
    assert dates.startswith("about: ")
    assert secrets.split(": ")[0].split(", ") == [
        "databases.blog.plugins.third.password",
        "plugins.datasette-auth-github.client_secret",
        "plugins.other.stores.0.url",
    ]
    assert "xyzzy" not in found.output
    assert "{$env: THIRD_PASSWORD}" in remedy(found, "databases.")[0]


def test_trusted_html_is_advice(site):
    found = check(filled(site, {**SETTINGS, "sources": {"post": {"html": "body", "trusted": True}}}))
    assert found.exit_code == 0
    assert "Advice: Feeds carry the HTML of post as it stands" in found.output


def test_a_file_that_is_no_database_is_a_sentence(site):
    blog = site(SETTINGS)
    blog.settings = {}
    blog.path.write_bytes(b"no database, whatever its name" * 100)
    found = check(blog)
    assert found.exit_code == 1
    assert "SQLite says: file is not a database" in found.output


def test_settings_that_are_wrong_stay_a_sentence(site):
    found = check(filled(site, {**SETTINGS, "titel": "x"}))
    assert found.exit_code == 1
    assert "titel: unknown setting" in found.output
