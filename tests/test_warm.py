"""What is answered again is what would be made anew, and what many ask for at once is made once."""

import asyncio
import subprocess
import sys

import pytest
from asking import Asker, Clock
from conftest import SCHEMA, SETTINGS, Site
from datasette.app import Datasette

from datasette_tagfeeds.errors import Unavailable
from datasette_tagfeeds.store import asking as requests
from datasette_tagfeeds.store import databases
from datasette_tagfeeds.web import access, cache, views

PATHS = (
    "/tags",
    "/tags?sort=name",
    "/tags/python",
    "/tags/python?year=2020",
    "/tags.atom",
    "/tags.feed.json",
    "/tags/python.atom",
    "/tags/python.rss?size=1",
    "/tags/python.json?unknown=1",
    "/tags/py%74hon.atom",
    "/tags/caf%C3%A9+python.atom",
)
HEADERS = (
    {},
    {"accept-encoding": "gzip, br"},
    {"accept-encoding": "gzip;q=0"},
    {"if-none-match": "{etag}"},
    {"if-none-match": '"other"'},
    {"if-modified-since": "{last-modified}"},
    {"if-none-match": '"other"', "if-modified-since": "{last-modified}"},
    {"host": "other.example"},
)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
async def blog(site, clock):
    """A site that has been asked for nothing yet, older than a few seconds."""
    # Without base_url links are of the host that was asked for.
    made = site({name: value for name, value in SETTINGS.items() if name != "base_url"})
    for key in range(1, 4):
        made.post(key, ["python", "café"])
    clock.settings_in_a_file()
    clock.touch(made.path, 60)
    await made.start()
    return made


def unread(monkeypatch):
    """Fail where a request is read."""

    async def visit(*_, **__):
        raise AssertionError("a visit")

    monkeypatch.setattr(views, "visit", visit)


@pytest.mark.parametrize("path", PATHS)
async def test_an_answer_given_again_is_the_one_made_anew(blog, monkeypatch, path):
    ask, anew = Asker(blog.datasette), Asker(Site(blog.path, blog.settings).datasette)
    await anew.datasette.invoke_startup()
    first = await ask(path)
    assert first.status == 200
    requests = [
        ({name: value.format_map({key: first[key] for key in ("etag", "last-modified")}) for name, value in headers.items()}, method)
        for headers in HEADERS
        for method in ("GET", "HEAD")
    ]
    expected = []
    for headers, method in requests:
        cache._CACHES.pop(anew.datasette, None)
        expected.append(await anew(path, headers, method))
        await ask(path, headers, method)
    unread(monkeypatch)
    for (headers, method), made in zip(requests, expected, strict=True):
        again = await ask(path, headers, method)
        assert (again.status, again.lines, again.body) == (made.status, made.lines, made.body), (headers, method)
    assert {answer.status for answer in expected} == {200, 304}


async def test_a_date_is_sent_from_its_second_on_again_too(blog, clock):
    clock.touch(blog.path)
    ask = Asker(blog.datasette)
    dates = []
    for _ in range(4):
        answer = await ask("/tags.atom")
        dates.append((answer["last-modified"], (await ask("/tags.atom", {"if-modified-since": answer["last-modified"]})).status))
        clock.now += 1
    assert dates[0] == (None, 200)
    assert [status for _, status in dates] == [200, 200, 200, 304]
    assert len({date for date, _ in dates[1:]}) == 1


@pytest.mark.parametrize("path", ["/tags", "/tags/python", "/tags/python.atom"])
@pytest.mark.parametrize("who", [{"cookie": "a=b"}, {"authorization": "Bearer x"}])
async def test_who_says_who_they_are_is_not_answered_from_memory(blog, monkeypatch, path, who):
    ask = Asker(blog.datasette)
    await ask(path)
    unread(monkeypatch)
    assert (await ask(path)).status == 200
    assert (await ask(path, who)).status != 200


@pytest.mark.parametrize("mode", ["delete", "wal"])
async def test_a_write_is_seen_by_the_next_request(blog, mode):
    blog.sql(f"pragma journal_mode = {mode}")
    ask = Asker(blog.datasette)
    for number in range(5):
        assert [(await ask("/tags.atom")).status for _ in range(3)] == [200] * 3
        blog.sql("update post set title = ? where id = 1", (f"Edit {number}",))
        assert f"Edit {number}".encode() in (await ask("/tags.atom")).body
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('update post set title = 9 || title'); c.commit()"
    subprocess.run([sys.executable, "-c", script, str(blog.path)], check=True)
    assert b"9Edit 4" in (await ask("/tags.atom")).body


async def test_a_new_table_and_a_lost_one_are_seen_by_the_next_request(site):
    blog = site({})
    blog.post(1)
    await blog.start()
    ask = Asker(blog.datasette)
    for _ in range(3):
        assert (await ask("/tags/python")).status == 200
    blog.sql("create table note (id integer primary key, title, tags); insert into note values (1, 'Noted', '[\"python\", \"sql\"]')")
    assert b"Noted" in (await ask("/tags/python")).body
    blog.sql("drop table note")
    assert b"Noted" not in (await ask("/tags/python")).body


async def test_a_permission_taken_away_is_seen_within_a_second(blog, monkeypatch):
    ask = Asker(blog.datasette)
    before = await ask("/tags.atom")
    later = access.monotonic() + access.REUSED

    async def hidden(*_):
        return False, True

    monkeypatch.setattr(access.compat, "table_visibility", hidden)
    assert b"Post 1" in before.body
    monkeypatch.setattr(access, "monotonic", lambda: later)
    assert b"Post 1" not in (await ask("/tags.atom")).body


async def test_a_description_that_is_hidden_now_is_on_no_page(site, monkeypatch):
    schema = SCHEMA + "create table about (name text primary key, description); insert into about values ('python', 'Hushed.');"
    blog = site({**SETTINGS, "descriptions": "about.description"}, schema)
    blog.post(1)
    await blog.start()
    ask, told = Asker(blog.datasette), access.compat.table_visibility
    assert b"Hushed." in (await ask("/tags/python")).body
    later = access.monotonic() + access.REUSED

    async def hidden(datasette, actor, database, table):
        return (False, True) if table == "about" else await told(datasette, actor, database, table)

    monkeypatch.setattr(access.compat, "table_visibility", hidden)
    monkeypatch.setattr(access, "monotonic", lambda: later)
    assert b"Hushed." not in (await ask("/tags/python")).body


async def test_what_one_finds_in_a_hidden_index_is_not_told_to_others(site):
    schema = """create table post (id integer primary key, title, created, tags);
        insert into post values (1, 'Open', '2020-01-01', '["t1", "t2"]'), (2, 'Other', '2020-01-01', '["t1", "t2"]');
        create virtual table post_fts using fts5(title, secret);
        insert into post_fts (rowid, title, secret) values (1, 'Open', 'hush')"""
    hidden = {"blog": {"tables": {"post_fts": {"allow": {"id": "root"}}}}}
    settings = {**SETTINGS, "sources": {"post": {}}}
    alone, both = (site(settings, schema, databases=hidden) for _ in range(2))
    await alone.start()
    await both.start()
    ask, path = Asker(both.datasette), "/tags/t1.atom?q=hush"
    expected = await Asker(alone.datasette)(path)
    await ask(path, actor="root")
    assert (await ask(path)).body == expected.body


class Counted:
    """Statements asked, each slow enough that others come in between; `broken` makes them fail, so late that all who ask have come."""

    def __init__(self, monkeypatch):
        self.number, self.broken, self._execute = 0, False, requests.execute
        monkeypatch.setattr(requests, "execute", self)

    async def __call__(self, *arguments, **named):
        self.number += 1
        await asyncio.sleep(2 if self.broken else 0.01)
        if self.broken:
            raise Unavailable("Not now.")
        return await self._execute(*arguments, **named)


@pytest.mark.parametrize("path", ["/tags", "/tags/python", "/tags/python.atom", "/tags.json"])
async def test_what_ten_ask_for_at_once_is_made_once(blog, monkeypatch, path):
    counted, other = Counted(monkeypatch), Site(blog.path, blog.settings)
    await other.start()
    one = await Asker(other.datasette)(path)
    alone, counted.number = counted.number, 0
    ask = Asker(blog.datasette)
    answers = await asyncio.gather(*(ask(path) for _ in range(10)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, one.body)}
    assert counted.number == alone


async def test_an_error_is_everyones_and_then_over(blog, monkeypatch):
    counted, ask = Counted(monkeypatch), Asker(blog.datasette)
    counted.broken = True
    answers = await asyncio.wait_for(asyncio.gather(*(ask("/tags/python.atom") for _ in range(10))), 60)
    assert {(answer.status, answer["retry-after"]) for answer in answers} == {(503, "5")}
    assert counted.number == 1
    counted.broken = False
    assert (await ask("/tags/python.atom")).status == 200


async def test_where_the_first_goes_away_the_others_are_answered(blog, monkeypatch):
    Counted(monkeypatch)
    ask = Asker(blog.datasette)
    asked = [asyncio.ensure_future(ask("/tags/python.atom")) for _ in range(5)]
    await asyncio.sleep(0.015)
    asked[0].cancel()
    asked[3].cancel()
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 60)
    assert [getattr(answer, "status", None) for answer in answers] == [None, 200, 200, None, 200]


async def test_who_comes_after_a_write_does_not_wait_for_what_was_begun_before(blog, monkeypatch):
    Counted(monkeypatch)
    ask = Asker(blog.datasette)
    before = asyncio.ensure_future(ask("/tags/python.atom"))
    await asyncio.sleep(0.015)
    blog.sql("update post set title = 'Edited'")
    assert b"Edited" in (await ask("/tags/python.atom")).body
    assert (await before).status == 200
    assert b"Edited" in (await ask("/tags/python.atom")).body


async def test_what_takes_too_long_is_503_and_says_what_helps(site):
    slow = "(with recursive n (x) as (select 1 union all select x + 1 from n where x < 300000) select count(*) from n) > 0"
    blog = site({**SETTINGS, "sources": {"post": {"where": slow}}})
    blog.post(1)
    metadata = {"plugins": {"datasette-tagfeeds": blog.settings}}
    ask = Asker(Datasette([str(blog.path)], metadata=metadata, settings={"sql_time_limit_ms": 1}))
    await ask.datasette.invoke_startup()
    for path in ("/tags/python.atom", "/tags/python"):
        answer = await ask(path)
        assert (answer.status, answer["retry-after"]) == (503, "5")
        assert answer.body.decode() == f"{databases.TOO_SLOW}\n"
    assert "datasette tagfeeds index" in databases.TOO_SLOW
