"""A real Varnish with the settings of examples/edge in front of a real server: what is kept, what is told, what is forgotten and when."""

import gzip
import sqlite3
import threading
from contextlib import ExitStack, closing
from functools import partial

import pytest
from commands import command
from fronts import SCHEMA, Edge, has_xkey, varnish
from serving import ask, running, until

pytestmark = [pytest.mark.live, pytest.mark.skipif(not has_xkey(), reason="Varnish with its module xkey is not installed")]

PYTHON, SQLITE = "/tags/python.atom", "/tags/sqlite.atom"
KEPT = (
    PYTHON,
    "/tags/python.rss",
    "/tags/python.json",
    "/tags.atom",
    "/tags.feed.json",
    "/tags.json",
    "/tags.opml",
    "/tags",
    "/tags/python",
)
# As if the time in which what is old may be sent were over.
NO_GRACE = {"set req.grace = 1h;": "set req.grace = 0s;"}
NOT_FROM_HERE = {'"127.0.0.1";\n    "::1";': '"192.0.2.1";'}


@pytest.fixture
def edge(tmp_path):
    with ExitStack() as stack:

        def start(ttl=900, changed=None, schema=SCHEMA):
            one = Edge(tmp_path, ttl, partial(varnish, changed=changed), schema)
            one.start(stack)
            return one

        yield start


def test_whatever_readers_ask_for_is_fetched_once(edge):
    here = edge()
    for path in KEPT:
        first = here.ask(path, Accept_Encoding="gzip", User_Agent="one")
        assert (first.status, first.headers["X-Cache"], first.headers["Content-Encoding"]) == (200, "MISS", "gzip")
        plain = here.ask(path, User_Agent="two", Accept_Language="de", Referer="https://x.example/")
        assert (plain.headers["X-Cache"], plain.headers["Content-Encoding"]) == ("HIT", None)
        assert plain.body == gzip.decompress(first.body) == ask(here.backend, path).body
        assert plain.headers["ETag"] == first.headers["ETag"]
        head = here.ask(path, "HEAD", Accept_Encoding="gzip")
        assert (head.status, head.headers["X-Cache"], head.body) == (200, "HIT", b"")
        for conditions in ({"If_None_Match": first.etag}, {"If_None_Match": first.etag, "Accept_Encoding": "gzip"}):
            had = here.ask(path, **conditions)
            assert (had.status, had.body, had.etag) == (304, b"", first.etag)
        assert here.fetched(path)[:-1] == [200]  # the last was ours, past Varnish
        assert first.headers["xkey"] is None
        assert first.headers["Cache-Control"].startswith("public, max-age=900, s-maxage=300")
    # What is unknown may be taken for unknown for a minute; chance, and Datasette's own pages, are asked for each time.
    assert [(one.status, one.headers["X-Cache"]) for one in (here.ask("/tags/nope.atom"), here.ask("/tags/nope.atom"))] == [
        (404, "MISS"),
        (404, "HIT"),
    ]
    for path in ("/tags/python/random", "/"):
        assert {here.ask(path).headers["X-Cache"] for _ in range(3)} & {"HIT", "STALE"} == set()


def test_a_head_before_any_get_fetches_the_whole(edge):
    here = edge()
    assert here.ask(PYTHON, "HEAD").body == b""
    assert here.cached(PYTHON) == "HIT"
    assert "Open one" in here.ask(PYTHON).text


def test_what_is_old_is_sent_at_once_and_asked_for_behind_the_readers_back(edge):
    here = edge(ttl=1)
    first = here.ask(PYTHON)
    until(lambda: here.cached(PYTHON) == "STALE")
    until(lambda: 304 in here.fetched(PYTHON))
    assert here.fetched(PYTHON).count(200) == 1
    assert here.ask(PYTHON).etag == first.etag
    here.sql("update post set title = 'Changed'")
    until(lambda: "Changed" in here.ask(PYTHON).text)
    assert here.fetched(PYTHON).count(200) == 2
    assert here.ask(PYTHON).etag != first.etag


def test_what_is_too_old_is_asked_for_first(edge):
    here = edge(ttl=1, changed=NO_GRACE)
    first = here.ask(PYTHON)
    until(lambda: here.ask(PYTHON).headers["X-Cache"] == "MISS")
    assert here.fetched(PYTHON) == [200, 304]
    assert here.ask(PYTHON).body == first.body
    here.sql("update post set title = 'Changed'")
    until(lambda: "Changed" in here.ask(PYTHON).text)
    until(lambda: here.cached(PYTHON) == "MISS" and here.fetched(PYTHON)[-1] == 304)
    # What has been asked for again has its keys still.
    assert here.purge("t-python").text == "Purged 1\n"


@pytest.mark.parametrize("changed", [{}, NO_GRACE], ids=["old", "too old"])
def test_where_the_server_is_dead_readers_get_what_there_was(edge, changed):
    here = edge(ttl=1, changed=changed)
    first = here.ask(PYTHON)
    here.server.kill()
    here.server.wait()
    until(lambda: here.cached(PYTHON) == "STALE")
    for _ in range(5):
        again = here.ask(PYTHON, Accept_Encoding="gzip")
        assert (again.status, gzip.decompress(again.body), again.etag) == (200, first.body, first.etag)
        assert here.ask(PYTHON, If_None_Match=first.etag).status == 304
    cold = here.ask(SQLITE)
    assert (cold.status, cold.headers["Retry-After"], cold.headers["Cache-Control"]) == (503, "5", "no-store")
    assert cold.text.startswith("The server does not answer")
    # Nobody gets what was somebody's, or is told that he is nobody.
    assert here.ask(PYTHON, Cookie=here.root).status == 503
    assert here.ask(PYTHON, Cookie=here.root, If_None_Match=first.etag).status == 503
    with running(here.server.args, here.folder, here.backend, "/-/versions.json"):
        assert here.cached(SQLITE) == "MISS"
        until(lambda: here.cached(PYTHON) == "HIT")


@pytest.mark.publish
def test_a_server_that_fails_does_not_take_the_place_of_its_answers(edge):
    here = edge(ttl=1, changed=NO_GRACE)
    first = here.ask(PYTHON)
    with closing(sqlite3.connect(here.path, isolation_level=None)) as connection:
        connection.execute("begin exclusive")  # nobody can read
        until(lambda: here.cached(PYTHON) == "STALE")
        assert 503 in here.fetched(PYTHON)
        assert here.ask(PYTHON).body == first.body
        cold = here.ask(SQLITE)
        assert (cold.status, cold.headers["Retry-After"]) == (503, "5")
        connection.execute("rollback")
    until(lambda: here.ask(SQLITE).status == 200)
    until(lambda: here.cached(PYTHON) == "HIT")


def test_what_is_private_is_never_kept(edge):
    here = edge()
    for path in (PYTHON, "/tags/python.json", "/tags.atom", "/tags/python"):
        for warm in (False, True):  # before anything is kept, and beside what is
            for _ in range(2):
                mine = here.ask(path, Cookie=here.root)
                assert (mine.status, mine.headers["X-Cache"], mine.headers["Cache-Control"]) == (200, "PASS", "private, no-store")
                assert "Hushed" in mine.text
            others = here.ask(path)
            assert others.headers["X-Cache"] == ("HIT" if warm else "MISS")
            assert "Hushed" not in others.text
            assert here.ask(path, If_None_Match=mine.etag).status == 200
    assert here.cached(PYTHON, Authorization="Bearer x") == "PASS"
    for address in [here.private()] * 2:
        mine = here.ask(address)
        assert (mine.status, mine.headers["X-Cache"], "Hushed" in mine.text) == (200, "PASS", True)
    assert "Hushed" not in here.ask(PYTHON).text


def test_a_purge_reaches_what_has_the_key_and_nothing_else(edge):
    here = edge()
    for path in (PYTHON, "/tags/python+sqlite.atom", SQLITE):
        assert here.cached(path) == "MISS"
    answer = here.purge("t-python t-none")
    assert (answer.status, answer.text) == (200, "Purged 2\n")
    assert [here.cached(path) for path in (PYTHON, "/tags/python+sqlite.atom", SQLITE)] == ["MISS", "MISS", "HIT"]
    assert here.ask(SQLITE, "PURGE").status == 200
    assert [here.cached(path) for path in (PYTHON, SQLITE)] == ["HIT", "MISS"]
    assert here.purge("t-python", X_Forwarded_For="192.0.2.7").status == 403
    assert here.cached(PYTHON) == "HIT"


def test_a_soft_purge_lets_the_next_reader_have_what_is_there(edge):
    here = edge()
    first = here.ask(PYTHON)
    here.sql("update post set title = 'Changed'")
    assert here.purge("t-python", X_Purge="soft").text == "Purged 1\n"
    stale = here.ask(PYTHON)
    assert (stale.headers["X-Cache"], stale.body) == ("STALE", first.body)
    until(lambda: here.cached(PYTHON) == "HIT")
    assert "Changed" in here.ask(PYTHON).text
    assert here.fetched(PYTHON) == [200, 200]
    # What has not changed is asked for, and not sent again.
    here.purge("t-python", X_Purge="soft")
    assert here.cached(PYTHON) == "STALE"
    until(lambda: here.cached(PYTHON) == "HIT")
    assert here.fetched(PYTHON) == [200, 200, 304]


def test_only_those_who_may_purge(edge):
    here = edge(changed=NOT_FROM_HERE)
    here.ask(PYTHON)
    assert here.purge("t-python").status == here.ask(PYTHON, "PURGE").status == 403
    assert here.cached(PYTHON) == "HIT"


def test_thirty_who_ask_at_once_are_one_to_the_server(edge):
    here, ready, answers = edge(), threading.Barrier(30), []

    def reader():
        ready.wait()
        answers.append(here.ask(PYTHON, Accept_Encoding="gzip"))

    readers = [threading.Thread(target=reader) for _ in range(30)]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    assert [one.status for one in answers] == [200] * 30
    assert len({one.body for one in answers}) == 1
    assert here.fetched(PYTHON) == [200]


TAGS = 1000
# Each item has a tag of its own, and the next one's.
MANY = f"""
create table post (id integer primary key, title, body, created, tags);
with recursive n (id) as (select 0 union all select id + 1 from n where id < {TAGS - 1})
insert into post select id, 'Post ' || id, '<p>Words</p>', '2020-01-01', json_array('t' || id, 't' || ((id + 1) % {TAGS})) from n;
create table secret (id integer primary key, title, body, created, tags);
"""


@pytest.mark.publish
def test_a_thousand_feeds_and_one_row_that_changed(edge):
    here = edge(schema=MANY)
    purge = partial(command, "purge", here.path, "-m", here.folder / "metadata.yml")
    sending = ("--send", f"http://127.0.0.1:{here.front}/")
    feeds = {f"t{number}": f"/tags/t{number}.atom" for number in range(TAGS)}
    others = {"/tags", "/tags.atom", "/tags.json", "/tags/t5+t6.rss", "/tags/t6", "/tags/-t900.atom", "/tags/t900+t901.json", "/tags/t901"}
    assert purge().output == "tagfeeds\n"  # the first run remembers
    for wanted in ("MISS", "HIT"):
        assert {here.cached(path) for path in (*feeds.values(), *others)} == {wanted}
    here.sql('update post set tags = \'["t5", "t700"]\' where id = 5')  # it had t5 and t6
    assert purge(*sending).output == "4 keys sent.\n"
    fetched = {path for path in (*feeds.values(), *others) if here.cached(path) == "MISS"}
    changed = {"t5", "t6", "t700"}
    assert fetched == {
        *(feeds[tag] for tag in changed),
        "/tags",
        "/tags.atom",
        "/tags.json",
        "/tags/t5+t6.rss",
        "/tags/t6",
        "/tags/-t900.atom",
    }
    assert {tag for tag, path in feeds.items() if here.fetched(path) != [200]} == changed
    assert "Post 5" in here.ask(feeds["t700"]).text
    assert "Post 5<" not in here.ask(feeds["t6"]).text
    # Nothing has changed since; softly, and by address, the same is told.
    assert purge(*sending).output == "0 keys sent.\n"
    here.sql("update post set title = 'Renamed' where id = 7")
    purge(*sending, "--header", "X-Purge: soft")
    assert {tag for tag, path in feeds.items() if here.cached(path) == "STALE"} == {"t7", "t8"}
    until(lambda: all("Renamed" in here.ask(feeds[tag]).text for tag in ("t7", "t8")))
