"""Several real servers of the same data, behind a real nginx with the settings of examples/edge: the same answers from each, whichever is lost.

And a file that is replaced while a server has it open.
"""

import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import yaml
from conftest import SCHEMA, SETTINGS
from fronts import nginx, program
from serving import Answer, ask, datasette, free_port, running, served, until

pytestmark = pytest.mark.live
needs_nginx = pytest.mark.skipif(program("nginx") is None, reason="nginx is not installed")

SEED = int(os.environ.get("TAGFEEDS_SEED", "1"))
READERS = 16
FRESH = (
    "/tags/fresh.atom?size=100",
    "/tags/fresh.json?size=100",
    "/tags/fresh?size=100",
    "/tags/fresh.rss?size=100",
    "/tags/fresh,t1.json?size=100",
)
PATHS = (
    "/tags.json", "/tags.atom", "/tags.opml", "/tags", "/tags/t1", "/tags/t1.atom", "/tags/t2.rss", "/tags/t3.json", "/tags/t1+t8.json", "/tags/t2+-t9.atom",
)  # fmt: skip


def fill(path: Path, posts: int = 300) -> Path:
    """A weblog whose tag `fresh` the writer will use."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        numbers = "with recursive n (id) as (select 1 union all select id + 1 from n where id < ?)"
        connection.execute(f"{numbers} insert into tag select id, 't' || id from n", [20])
        connection.execute("insert into tag values (1000, 'fresh')")
        connection.execute(
            f"{numbers} insert into post select id, 'Post ' || id, '<p>Words</p>', datetime('2020-01-01', id || ' hours'), null, null, null, 0 from n",
            [posts],
        )
        connection.execute("insert into post_tags (post_id, tag_id) values (1, 1000)")
        connection.execute(
            "insert into post_tags (post_id, tag_id) select post.id, 1 + (post.id * 7 + n.value * 13) % 20 from post, json_each('[0, 1, 2]') as n"
        )
    return path


def add(connection: sqlite3.Connection, key: int) -> None:
    """One item more with the tag `fresh`, newer than all others."""
    with connection:
        connection.execute(
            "insert into post (id, title, body, created) values (?, ?, 'Words', datetime('2021-01-01', ? || ' minutes'))",
            (key, f"Post {key}", key),
        )
        connection.execute("insert into post_tags (post_id, tag_id) values (?, 1000)", [key])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "metadata.yml").write_text(yaml.safe_dump({"plugins": {"datasette-tagfeeds": SETTINGS}}), encoding="utf-8")
    return tmp_path


def command(file: Path, port: int) -> list[str]:
    # A busy machine is no error of ours.
    return datasette("serve", file, "-m", "metadata.yml", "-p", port, "--setting", "sql_time_limit_ms", "20000")


def everything(port: int, paths: tuple[str, ...] = (*PATHS, *FRESH)) -> dict[str, tuple[int, str, bytes]]:
    """What a server says at each address."""
    answers = {path: ask(port, path, Host="example.org") for path in paths}
    return {path: (one.status, one.etag, one.body) for path, one in answers.items()}


def test_servers_of_one_file_and_of_copies_say_the_same(folder):
    here = fill(folder / "blog.db")
    there = folder / "copy" / "blog.db"
    there.parent.mkdir()
    shutil.copyfile(here, there)
    os.utime(there, (10**9, 10**9))
    with served(here, "-m", "metadata.yml", folder=folder) as one, served(here, "-m", "metadata.yml", folder=folder) as two:
        said = everything(one)
        assert {status for status, _, _ in said.values()} == {200}
        assert everything(two) == said
        with served(there, "-m", "metadata.yml", folder=folder) as three:
            assert everything(three) == said
        # Any of them knows what another one has sent.
        for path, (_, etag, _) in said.items():
            assert ask(two, path, Host="example.org", If_None_Match=etag).status == 304
        with closing(sqlite3.connect(here)) as connection:
            add(connection, 5000)
        changed = everything(one)
        assert everything(two) == changed
        assert {path for path in said if changed[path] != said[path]} >= {"/tags/fresh.atom?size=100", "/tags.atom", "/tags.json"}
    with served(here, "-m", "metadata.yml", folder=folder) as after:
        assert everything(after) == changed


def test_without_a_base_url_they_still_say_the_same_to_one_host(folder):
    settings = {name: value for name, value in SETTINGS.items() if name not in ("base_url", "authority")}
    (folder / "metadata.yml").write_text(yaml.safe_dump({"plugins": {"datasette-tagfeeds": settings}}), encoding="utf-8")
    here = fill(folder / "blog.db")
    with served(here, "-m", "metadata.yml", folder=folder) as one, served(here, "-m", "metadata.yml", folder=folder) as two:
        assert everything(one) == everything(two)
        assert "http://example.org/tags/t1" in ask(one, "/tags/t1.atom", Host="example.org").text


class Replicas:
    """Three servers of one file, and nginx before them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.file = folder, fill(folder / "blog.db")
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("pragma journal_mode = wal")
        self.stack = stack
        self.servers = {port: self.start(port) for port in (free_port() for _ in range(3))}
        changed = {f"127.0.0.1:800{number}": f"127.0.0.1:{port}" for number, port in enumerate(self.servers, 1)}
        self.front = stack.enter_context(nginx(folder, "nginx-replicas.conf", changed))

    def start(self, port: int) -> subprocess.Popen[bytes]:
        return self.stack.enter_context(running(command(self.file, port), self.folder, port, "/-/versions.json"))

    def answering(self) -> set[int]:
        """The ports of those that nginx asks just now."""
        return {int(ask(self.front, path).headers["X-Served-By"].rsplit(":")[-1]) for path in (*PATHS, *FRESH)}


class Reader(threading.Thread):
    """Asks for one thing after another, often with the ETag of its last answer, and remembers every item of `fresh` that it has seen."""

    def __init__(self, port: int, number: int, stopped: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.stopped, self.chance = port, stopped, random.Random(f"{SEED} {number}")
        self.statuses: Counter[object] = Counter()
        self.seen: set[str] = set()
        self.vanished: list[object] = []
        self.cut: list[object] = []

    def run(self) -> None:
        etags: dict[str, str | None] = {}
        while not self.stopped.is_set():
            path = self.chance.choice((*PATHS, *FRESH, *FRESH))
            had = etags.get(path) if self.chance.random() < 0.5 else None
            try:
                answer = ask(self.port, path, **({"If_None_Match": had} if had else {}))
            except http.client.HTTPException as error:  # an answer that began, and did not end
                self.cut.append((path, repr(error)))
                continue
            except OSError as error:
                self.statuses[repr(error)] += 1
                continue
            etags[path] = answer.etag
            self.statuses[answer.status if answer.status in (200, 304) else (answer.status, path, answer.text[:200])] += 1
            if answer.status == 200 and path.startswith("/tags/fresh.json"):
                self.look(answer)

    def look(self, answer: Answer) -> None:
        now = {one["title"] for one in json.loads(answer.body)["items"]}
        if not self.seen <= now:
            self.vanished.append(self.seen - now)
        self.seen = now


class Load:
    """The readers, until the block ends; then no request may have failed."""

    def __init__(self, port: int, cut: int = 0) -> None:
        self.stopped, self.may_be_cut = threading.Event(), cut
        self.readers = [Reader(port, number, self.stopped) for number in range(READERS)]

    def __enter__(self):
        for one in self.readers:
            one.start()
        return self

    def made(self) -> int:
        return sum(sum(one.statuses.values()) for one in self.readers)

    def more(self, requests: int) -> None:
        """Wait until so many more have been answered."""
        wanted = self.made() + requests
        until(lambda: self.made() >= wanted, lambda: str(self.made()))

    def __exit__(self, *error):
        self.stopped.set()
        for one in self.readers:
            one.join()
        if error[0] is None:
            assert set().union(*(one.statuses for one in self.readers)) == {200, 304}
            assert [one.vanished for one in self.readers if one.vanished] == []
            cut = [one for reader in self.readers for one in reader.cut]
            assert len(cut) <= self.may_be_cut, cut


@needs_nginx
def test_nobody_notices_a_server_that_is_killed_while_another_program_writes(folder):
    with ExitStack() as stack:
        here = Replicas(folder, stack)
        until(lambda: here.answering() == set(here.servers))
        written, lost = 0, next(iter(here.servers))
        # What a server was in the middle of sending nobody can take back: it does one at a time.
        with closing(sqlite3.connect(here.file, timeout=30)) as connection, Load(here.front, cut=1) as load:
            for written in range(1, 61):
                add(connection, 1000 + written)
                load.more(10)
                if written == 20:
                    here.servers[lost].send_signal(signal.SIGKILL)
                if written == 40:
                    assert lost not in here.answering()
                    here.start(lost)
        titles = {one["title"] for one in json.loads(ask(here.front, FRESH[1]).body)["items"]}
        assert titles == {"Post 1", *(f"Post {1000 + number}" for number in range(1, written + 1))}
        until(lambda: here.answering() == set(here.servers))


@needs_nginx
@pytest.mark.publish
def test_servers_are_restarted_one_after_the_other_and_nobody_notices(folder):
    with ExitStack() as stack:
        here = Replicas(folder, stack)
        with Load(here.front) as load:
            for port, server in here.servers.items():
                load.more(50)
                server.terminate()
                server.wait()
                load.more(50)
                here.start(port)
                until(lambda: here.answering() == set(here.servers))


@needs_nginx
def test_each_address_has_a_server_of_its_own(folder):
    with ExitStack() as stack:
        here = Replicas(folder, stack)
        first = {path: ask(here.front, path).headers["X-Served-By"] for path in (*PATHS, *FRESH)}
        assert {int(one.rsplit(":")[-1]) for one in first.values()} == set(here.servers)
        for _ in range(3):
            assert {path: ask(here.front, path).headers["X-Served-By"] for path in first} == first
        # Only what the lost one had goes to the others.
        lost = next(iter(here.servers))
        here.servers[lost].kill()
        here.servers[lost].wait()
        ask(here.front, next(path for path, one in first.items() if one.endswith(f":{lost}")))
        after = {path: ask(here.front, path).headers["X-Served-By"].split(", ")[-1] for path in first}
        assert {path for path in first if after[path] != first[path]} == {path for path in first if first[path].endswith(f":{lost}")}


def newer(folder: Path) -> Path:
    """The file as it was, with one item more."""
    shutil.copyfile(folder / "blog.db", folder / "new.db")
    with closing(sqlite3.connect(folder / "new.db")) as connection:
        add(connection, 7000)
    return folder / "new.db"


def test_a_newer_file_written_into_the_open_one_is_served_at_once(folder):
    here = fill(folder / "blog.db")
    with served(here, "-m", "metadata.yml", folder=folder) as port:
        before = everything(port)
        with closing(sqlite3.connect(newer(folder))) as source, closing(sqlite3.connect(here)) as target:
            source.backup(target)
        after = everything(port)
        assert b"Post 7000" in after["/tags/fresh.atom?size=100"][2]
        assert {path for path in before if after[path] == before[path]} >= {"/tags/t2.rss", "/tags/t1.atom"}
        assert not any(one["code"] == "replaced" for one in json.loads(ask(port, "/-/tagfeeds.json").body)["warnings"])


def test_a_file_put_in_the_place_of_the_open_one_is_served_after_a_restart(folder):
    here = fill(folder / "blog.db")
    with served(here, "-m", "metadata.yml", folder=folder) as port:
        before = everything(port)
        os.replace(newer(folder), here)
        # Nothing is promised but that nothing breaks, and that health says so.
        assert {status for status, _, _ in everything(port).values()} == {200}
        warnings = json.loads(ask(port, "/-/tagfeeds.json").body)["warnings"]
        assert [one["remedy"] for one in warnings if one["code"] == "replaced"] == ["Restart Datasette."]
        assert "Another file has taken the place" in ask(port, "/-/tagfeeds").text
    with served(here, "-m", "metadata.yml", folder=folder) as port:
        after = everything(port)
        assert b"Post 7000" in after["/tags/fresh.atom?size=100"][2]
        # Who has what has not changed need not fetch it again.
        assert after["/tags/t2.rss"] == before["/tags/t2.rss"]
        assert ask(port, "/tags/t2.rss", Host="example.org", If_None_Match=before["/tags/t2.rss"][1]).status == 304
        assert "replaced" not in [one["code"] for one in json.loads(ask(port, "/-/tagfeeds.json").body)["warnings"]]
