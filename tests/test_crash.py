"""`kill -9` at any moment of indexing or of a write: the file is whole, and its answers are those of a file without an index."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import yaml
from conftest import SCHEMA, SETTINGS
from datasette.app import Datasette
from victims import BEGUN, ENDED

from datasette_tagfeeds import site as sites
from datasette_tagfeeds.cli import indexing
from datasette_tagfeeds.postings import build, layout, state

SEED = int(os.environ.get("TAGFEEDS_SEED", "1"))
METADATA = {"plugins": {"datasette-tagfeeds": SETTINGS}}
POSTS, TAGS = 2000, 60
DATES = "case id % 9 when 0 then 'Tue, 03 Mar 2020 04:05:06 GMT' when 1 then null else datetime('2020-01-01', id || ' hours') end"
# (what is killed, how SQLite keeps a write from being half done, how often)
KILLS = [
    *((kind, mode, 6) for kind in ("ordinary", "online") for mode in ("delete", "wal")),
    *(("write", mode, 11) for mode in ("delete", "wal")),
    *(("drop", mode, 2) for mode in ("delete", "wal")),
]
# How long a writer goes on before it is killed at the latest, in seconds.
WRITING = 0.3
PATHS = (
    "/tags.json", "/tags/t5.atom", "/tags/t1.json?size=5", "/tags/t1,t7x.json?size=5", "/tags/t5+-t2.json?size=5", "/tags/t4.json?size=5&year=2020",
)  # fmt: skip


class Victims:
    """Starts processes and kills them."""

    def __init__(self) -> None:
        program = [sys.executable, str(Path(__file__).with_name("victims.py"))]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ""

    def start(self, *arguments: object) -> int:
        """Start one, and come back when its work begins; its process id."""
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        number = self.process.stdout.readline()
        self.said = ""
        self._hear(BEGUN)
        return int(number)

    def _hear(self, wanted: str) -> str:
        while wanted not in (line := self.process.stdout.readline()):
            assert line, self.said
            assert ENDED not in line, self.said
            self.said += line
        return line

    def end(self) -> int:
        """Wait until it is no more; its exit code, or less than nothing for the signal that ended it."""
        return int(self._hear(ENDED).split()[-1])


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    one = Victims()
    yield one
    one.process.stdin.close()
    one.process.wait(20)


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with some thousand posts, without an index."""
    path = tmp_path_factory.mktemp("blog") / "blog.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA + "create index by_post on post_tags (post_id); create index by_tag on post_tags (tag_id);")
        numbers = "with recursive n (id) as (select 1 union all select id + 1 from n where id < ?)"
        connection.execute(f"{numbers} insert into tag select id, 't' || id from n", [TAGS])
        connection.execute(
            f"{numbers} insert into post (id, title, body, created, is_draft) select id, 'Post ' || id, '<p>Words</p>', {DATES}, id % 11 = 0 from n",
            [POSTS],
        )
        connection.execute(
            f"insert into post_tags (post_id, tag_id) select post.id, 1 + (post.id * 7 + n.value * 13) % {TAGS} from post, json_each('[0, 1, 2]') as n"
        )
    (path.parent / "metadata.yml").write_text(yaml.safe_dump(METADATA), encoding="utf-8")
    return path


def copied(blog: Path, folder: Path, mode: str) -> Path:
    """A copy of the file with nothing left of the last one, in a journal mode."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(blog, folder / "blog.db")
    with closing(sqlite3.connect(folder / "blog.db")) as connection:
        connection.execute(f"pragma journal_mode = {mode}")
    return folder / "blog.db"


async def served(path: Path) -> Datasette:
    datasette = Datasette([str(path)], metadata=METADATA)
    await datasette.invoke_startup()
    return datasette


async def answers(datasette: Datasette) -> dict[str, tuple[int, str]]:
    found = {}
    for path in PATHS:
        answer = await datasette.client.get(path)
        found[path] = (answer.status_code, answer.text)
    return found


def differences(path: Path, sources: list) -> list:
    """What `datasette tagfeeds index --check` finds in a whole index; nothing where there is none."""
    with closing(build.connect(str(path))) as connection:
        known = layout.numbers(connection)
        return list(build.check(connection, [state.numbered(one, known[one.name][0]) for one in sources if one.name in known]))


async def judge(path: Path, kind: str) -> bool:
    """Fail unless the file is as if nothing had been killed; whether it has an index."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        whole = bool(layout.numbers(connection))
    datasette = await served(path)
    assert ((await sites.site(datasette)).indexing["post"].number == 1) == whole
    files = await indexing.described(datasette)
    assert differences(path, files[0].sources) == ([("post", 0, 0)] if whole else [])
    twin = path.parent / "twin" / "blog.db"
    twin.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(twin)) as other:
        other.execute("pragma synchronous = off")
        connection.backup(other)
        with other:
            build.drop(other)
        assert layout.objects(other) == {}
    assert await answers(datasette) == await answers(await served(twin))
    if kind == "online":
        # Something is written to what is half done, and then the work goes on.
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("delete from post where id % 97 = 0")
            connection.execute("update post set created = '2023-01-01' where id % 89 = 0")
            connection.execute("insert into post_tags (post_id, tag_id) values (3, 1), (1990, 2)")
        with closing(build.connect(str(path))) as connection:
            connection.execute("pragma synchronous = off")
            build.build_online(connection, files[0].sources, lambda count: None)
            assert state.indexing(files[0].sources, connection)["post"].number == 1
        assert differences(path, files[0].sources) == [("post", 0, 0)]
    return whole


@pytest.mark.parametrize(("kind", "mode", "kills"), KILLS)
async def test_a_killed_process_leaves_a_whole_file_and_right_answers(tmp_path, victims, blog, kind, mode, kills):
    chance = random.Random(f"{SEED} {kind} {mode}")
    begin = blog
    if kind in ("write", "drop"):
        begin = copied(blog, tmp_path / "indexed", "delete")
        files = await indexing.described(await served(begin))
        with closing(build.connect(str(begin))) as connection:
            build.build(connection, files[0].sources, lambda count: None)
    option = {"online": ["--online"], "drop": ["--drop"]}.get(kind, [])

    def asked(path: Path, number: int) -> list:
        return (
            ["write", str(path), SEED + number]
            if kind == "write"
            else ["index", str(path), "-m", str(blog.parent / "metadata.yml"), *option]
        )

    span = WRITING
    if kind != "write":
        victims.start(*asked(copied(begin, tmp_path / "undisturbed", mode), 0))
        start = time.perf_counter()
        assert victims.end() == 0
        span = time.perf_counter() - start
    killed, whole = 0, []
    for number in range(10 * kills):
        if killed == kills:
            break
        path = copied(begin, tmp_path / "killed", mode)
        process = victims.start(*asked(path, number))
        # One moment in each part of the time.
        time.sleep(span * (killed + chance.random()) / kills)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        if victims.end() == -signal.SIGKILL:
            killed += 1
        else:
            span *= 0.9
        whole.append(await judge(path, kind))
    assert killed == kills
    print(f"{kind}, {mode}: {killed} killed within {1000 * span:.0f} ms, {len(whole) - killed} had ended before, {sum(whole)} indexed")


async def test_a_half_written_file_is_recovered_before_it_is_indexed(tmp_path, victims, blog):
    """Datasette, which opens files to read only, cannot take back what stands in a journal."""
    path = copied(blog, tmp_path / "blog", "delete")
    half = tmp_path / "half" / "blog.db"
    half.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma cache_size = 5")
        connection.execute("begin")
        connection.execute("update post set title = 'Never', created = null")
        for name in ("blog.db", "blog.db-journal"):
            shutil.copy(path.with_name(name), half.with_name(name))
        connection.execute("rollback")
    with (
        closing(sqlite3.connect(f"file:{half}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("select count(*) from post")
    victims.start("index", str(half), "-m", str(blog.parent / "metadata.yml"))
    assert victims.end() == 0
    assert await judge(half, "ordinary")
    assert await answers(await served(half)) == await answers(await served(path))


async def test_triggers_that_went_with_their_table_are_made_anew(tmp_path, blog):
    path = copied(blog, tmp_path / "blog", "delete")
    files = await indexing.described(await served(path))

    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with closing(build.connect(str(path))) as connection, pytest.raises(KeyboardInterrupt):
        build.build_online(connection, files[0].sources, stop)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "begin; create table kept as select * from post_tags; drop table post_tags;"
            " create table post_tags (id integer primary key, post_id integer references post(id), tag_id integer references tag(id));"
            " insert into post_tags select * from kept where id % 2; drop table kept; commit"
        )
    with closing(build.connect(str(path))) as connection:
        build.build_online(connection, files[0].sources, lambda count: None)
    assert differences(path, files[0].sources) == [("post", 0, 0)]
    assert await judge(path, "ordinary")
