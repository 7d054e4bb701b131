"""Sixteen readers and a writer at 200 rows a second, over an indexed file: no error, and nobody is answered with what was before a commit."""

import http.client
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import yaml
from conftest import SCHEMA, SETTINGS

SEED = int(os.environ.get("TAGFEEDS_SEED", "1"))
# A minute is for those who wait: TAGFEEDS_SECONDS=60.
SECONDS = float(os.environ.get("TAGFEEDS_SECONDS", "5"))
READERS, ROWS_A_SECOND, POSTS, TAGS = 16, 200, 2000, 40
# After so many commits the writer looks for its own last item.
LOOKS = 25
PATHS = (
    "/tags.json", "/tags.atom", "/tags.opml", "/tags", "/tags/t1", "/tags/t1.atom", "/tags/t2.rss", "/tags/t3.json", "/tags/t4.json?size=5",
    "/tags/t1,t5.atom", "/tags/t1+t8.json", "/tags/t2+-t9.atom", "/tags/-t3.json", "/tags/fresh.atom", "/tags/t6?year=2020", "/-/tagfeeds.json",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(path: Path, port: int) -> Iterator[None]:
    """A real server of the file."""
    command = [sys.executable, "-m", "datasette", "serve", path.name, "-m", "metadata.yml", "-h", "127.0.0.1", "-p", str(port)]
    command += ["--setting", "sql_time_limit_ms", "20000"]  # a busy machine is no error of ours
    with open(path.with_name("log"), "wb") as log:
        process = subprocess.Popen(command, cwd=path.parent, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            try:
                if ask(port, "/tags.json")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise AssertionError(path.with_name("log").read_text())
        yield
    finally:
        process.terminate()
        process.wait(20)


def ask(port: int, path: str, etag: str | None = None) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(connection):
        connection.request("GET", path, headers={"If-None-Match": etag} if etag else {})
        response = connection.getresponse()
        return response.status, response.headers["ETag"], response.read()


def fill(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("pragma journal_mode = wal")
        connection.executescript(SCHEMA + "create index by_post on post_tags (post_id); create index by_tag on post_tags (tag_id);")
        numbers = "with recursive n (id) as (select 1 union all select id + 1 from n where id < ?)"
        connection.execute(f"{numbers} insert into tag select id, 't' || id from n", [TAGS])
        connection.execute("insert into tag values (1000, 'fresh')")
        dated = "datetime('2020-01-01', id || ' hours')"
        connection.execute(
            f"{numbers} insert into post select id, 'Post ' || id, '<p>Words</p>', {dated}, null, null, null, 0 from n", [POSTS]
        )
        connection.execute("insert into post_tags (post_id, tag_id) values (1, 1000)")
        connection.execute(
            f"insert into post_tags (post_id, tag_id) select post.id, 1 + (post.id * 7 + n.value * 13) % {TAGS} from post, json_each('[0, 1, 2]') as n"
        )


class Reader(threading.Thread):
    """Asks for one feed after another, often with the ETag of its last answer."""

    def __init__(self, port: int, number: int, stopped: threading.Event) -> None:
        super().__init__()
        self.port, self.stopped, self.chance = port, stopped, random.Random(f"{SEED} {number}")
        self.statuses: Counter[object] = Counter()

    def run(self) -> None:
        etags: dict[str, str | None] = {}
        while not self.stopped.is_set():
            path = self.chance.choice(PATHS)
            try:
                status, etags[path], _ = ask(self.port, path, etags.get(path) if self.chance.random() < 0.7 else None)
                self.statuses[status if status in (200, 304) else (status, path)] += 1
            except Exception as error:
                self.statuses[repr(error), path] += 1


class Writer:
    """Writes rows at a steady pace, and asks now and then for what it has written last."""

    def __init__(self, path: Path, port: int) -> None:
        self.port, self.chance = port, random.Random(SEED)
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        self.last = POSTS
        self.rows = self.commits = self.looks = 0
        # Seconds for the lock, for the statements and for the commit, of each transaction.
        self.times: list[tuple[float, float, float]] = []
        self.stale: list[str] = []

    def write(self, seconds: float) -> None:
        start = time.perf_counter()
        while (now := time.perf_counter() - start) < seconds:
            if self.rows > now * ROWS_A_SECOND:
                time.sleep(self.rows / ROWS_A_SECOND - now)
            self._transaction()
            if self.commits % LOOKS == 0:
                self._look()

    def _transaction(self) -> None:
        marks = [time.perf_counter()]
        self.connection.execute("begin immediate")
        marks.append(time.perf_counter())
        self.last += 1
        self._row(
            "insert into post (id, title, body, created) values (?, ?, 'Words', datetime('now', '-1 minute'))",
            self.last,
            f"Post {self.last}",
        )
        for tag in (1000, self.chance.randrange(1, TAGS + 1)):
            self._row("insert into post_tags (post_id, tag_id) values (?, ?)", self.last, tag)
        old = self.chance.randrange(1, self.last)
        self._row("update post set created = datetime('2020-01-01', ? || ' minutes') where id = ?", self.last, old)
        self._row("delete from post_tags where id = (select min(id) from post_tags where post_id = ?)", self.chance.randrange(1, POSTS))
        marks.append(time.perf_counter())
        self.connection.execute("commit")
        marks.append(time.perf_counter())
        self.commits += 1
        self.times.append((marks[1] - marks[0], marks[2] - marks[1], marks[3] - marks[2]))

    def _row(self, sql: str, *values: object) -> None:
        self.connection.execute(sql, values)
        self.rows += 1

    def _look(self) -> None:
        """Nobody else writes: the newest item of the tag is the last one, unless its date was changed since."""
        [(newest,)] = self.connection.execute(
            "select post.title from post_tags join post on post.id = post_id where tag_id = 1000 order by created desc, post.id desc limit 1"
        ).fetchall()
        self.looks += 1
        for path in ("/tags/fresh.json?size=1", "/tags/fresh.atom"):
            status, _, body = ask(self.port, path)
            titles = (
                [one["title"] for one in json.loads(body)["items"]]
                if ".json" in path
                else re.findall(r"<title[^>]*>(.*?)</title>", body.decode())[1:]
            )
            if status != 200 or titles[:1] != [newest]:
                self.stale.append(f"{path} after commit {self.commits} ({newest}): {status} {body[:300]!r}")


def test_nobody_meets_an_error_or_an_old_answer_while_others_write(tmp_path):
    path, port = tmp_path / "blog.db", free_port()
    fill(path)
    (tmp_path / "metadata.yml").write_text(yaml.safe_dump({"plugins": {"datasette-tagfeeds": SETTINGS}}), encoding="utf-8")
    if not os.environ.get("TAGFEEDS_PLAIN"):
        subprocess.run([sys.executable, "-m", "datasette", "tagfeeds", "index", path.name, "-m", "metadata.yml"], cwd=tmp_path, check=True)
    stopped = threading.Event()
    with served(path, port):
        readers = [Reader(port, number, stopped) for number in range(READERS)]
        for reader in readers:
            reader.start()
        writer = Writer(path, port)
        try:
            # sqlite3 would raise "database is locked" for a wait of more than five seconds.
            writer.write(SECONDS)
        finally:
            stopped.set()
            for reader in readers:
                reader.join()
        writer.connection.close()
    statuses = sum((reader.statuses for reader in readers), Counter())
    longest = [1000 * max(times) for times in zip(*writer.times, strict=True)]
    print(f"{sum(statuses.values())} answers: {dict(statuses)}; {writer.rows} rows in {writer.commits} commits, {writer.looks} looks;")
    print("longest for the lock {:.1f} ms, for the statements {:.1f} ms, for the commit {:.1f} ms".format(*longest))
    usual = [1000 * sorted(times)[len(times) * 99 // 100] for times in zip(*writer.times, strict=True)]
    print("of 99 in 100: {:.1f} ms, {:.1f} ms, {:.1f} ms".format(*usual))
    assert set(statuses) <= {200, 304}
    assert writer.looks
    assert writer.stale == []
    if not os.environ.get("TAGFEEDS_PLAIN"):
        check = subprocess.run(
            [sys.executable, "-m", "datasette", "tagfeeds", "index", path.name, "-m", "metadata.yml", "--check"], cwd=tmp_path
        )
        assert check.returncode == 0
