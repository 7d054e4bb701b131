"""A real nginx with the settings of examples/edge in front of a real server."""

import gzip
import threading
from contextlib import ExitStack

import pytest
from fronts import Edge, nginx, program
from serving import running, until

pytestmark = [pytest.mark.live, pytest.mark.skipif(program("nginx") is None, reason="nginx is not installed")]

PYTHON, SQLITE = "/tags/python.atom", "/tags/sqlite.atom"
KEPT = (PYTHON, "/tags/python.rss", "/tags/python.json", "/tags.atom", "/tags.json", "/tags.opml", "/tags", "/tags/python")
SECRET_OF_REFRESH = "change-this-secret"


def front(folder, backend):
    """nginx with its cache, by our example."""
    return nginx(folder, "nginx.conf", {"127.0.0.1:8001": f"127.0.0.1:{backend}", "/var/lib/nginx/tagfeeds": str(folder / "cache")})


@pytest.fixture
def edge(tmp_path):
    with ExitStack() as stack:

        def start(ttl=900):
            one = Edge(tmp_path, ttl, front)
            one.start(stack)
            return one

        yield start


def test_one_entry_for_each_address_serves_every_reader(edge):
    here = edge()
    for path in KEPT:
        first = here.ask(path, Accept_Encoding="gzip", User_Agent="one")
        assert (first.status, first.headers["X-Cache"], first.headers["Content-Encoding"]) == (200, "MISS", "gzip")
        plain = here.ask(path, User_Agent="two", Accept_Language="de")
        assert (plain.headers["X-Cache"], plain.headers["Content-Encoding"], plain.etag) == ("HIT", None, first.etag)
        assert plain.body == gzip.decompress(first.body)
        head = here.ask(path, "HEAD", Accept_Encoding="gzip")
        assert (head.status, head.headers["X-Cache"], head.body) == (200, "HIT", b"")
        assert here.ask(path, If_None_Match=first.etag).status == 304
        assert here.fetched(path) == [200]
        assert first.headers["xkey"] is None


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


def test_where_the_server_is_dead_readers_get_what_there_was(edge):
    here = edge(ttl=1)
    first = here.ask(PYTHON)
    here.server.kill()
    here.server.wait()
    until(lambda: here.cached(PYTHON) == "STALE")
    for _ in range(5):
        again = here.ask(PYTHON)
        assert (again.status, again.body, again.etag) == (200, first.body, first.etag)
    assert here.ask(SQLITE).status == here.ask(PYTHON, Cookie=here.root).status == 502
    with running(here.server.args, here.folder, here.backend, "/-/versions.json"):
        until(lambda: here.cached(SQLITE) == "HIT")
        until(lambda: here.cached(PYTHON) == "HIT")


def test_one_address_is_fetched_again_by_who_knows_the_secret(edge):
    here = edge()
    first = here.ask(PYTHON)
    here.sql("update post set title = 'Changed'")
    assert here.ask(PYTHON, X_Refresh="a guess").body == first.body
    renewed = here.ask(PYTHON, X_Refresh=SECRET_OF_REFRESH)
    assert (renewed.headers["X-Cache"], renewed.status) == ("BYPASS", 200)
    after = here.ask(PYTHON)
    assert (after.headers["X-Cache"], after.body) == ("HIT", renewed.body)
    assert "Changed" in after.text
    assert here.fetched(PYTHON) == [200, 200]


def test_what_is_private_is_never_kept(edge):
    here = edge()
    for path in (PYTHON, "/tags/python.json", "/tags.atom", "/tags/python"):
        for warm in (False, True):  # before anything is kept, and beside what is
            for _ in range(2):
                mine = here.ask(path, Cookie=here.root)
                assert (mine.status, mine.headers["X-Cache"], mine.headers["Cache-Control"]) == (200, "BYPASS", "private, no-store")
                assert "Hushed" in mine.text
            others = here.ask(path)
            assert others.headers["X-Cache"] == ("HIT" if warm else "MISS")
            assert "Hushed" not in others.text
            assert here.ask(path, If_None_Match=mine.etag).status == 200
    # Not even where it is asked for with the secret.
    assert "Hushed" in here.ask(PYTHON, Cookie=here.root, X_Refresh=SECRET_OF_REFRESH).text
    assert "Hushed" not in here.ask(PYTHON).text
    for address in [here.private()] * 2:
        mine = here.ask(address)
        assert (mine.status, mine.headers["X-Cache"], "Hushed" in mine.text) == (200, "BYPASS", True)
    assert "Hushed" not in here.ask(PYTHON).text
    bodies = [file.read_bytes() for file in (here.folder / "cache").rglob("*") if file.is_file()]
    kept = b"".join(gzip.decompress(body[body.index(b"\x1f\x8b") :]) for body in bodies)
    assert b"Open one" in kept
    assert b"Hushed" not in kept
    assert here.cached(PYTHON, Authorization="Bearer x") == "BYPASS"


def test_two_names_of_one_server_do_not_share_answers(edge):
    here = edge()
    assert here.cached(PYTHON, Host="one.example") == "MISS"
    assert here.cached(PYTHON, Host="two.example") == "MISS"
    assert here.cached(PYTHON, Host="one.example") == "HIT"


def test_thirty_who_ask_at_once_are_one_to_the_server(edge):
    here, ready, answers = edge(), threading.Barrier(30), []

    def reader():
        ready.wait()
        answers.append(here.ask(PYTHON))

    readers = [threading.Thread(target=reader) for _ in range(30)]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    assert [one.status for one in answers] == [200] * 30
    assert len({one.body for one in answers}) == 1
    assert here.fetched(PYTHON) == [200]
