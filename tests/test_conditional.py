"""Conditional requests, methods and codings: tables straight from RFC 9110."""

import gzip
from email.utils import formatdate, parsedate_to_datetime

import pytest
from asking import Asker, Clock
from datasette.app import Datasette

FEEDS = ("/tags/python.atom", "/tags/python.rss", "/tags/python.json", "/tags.atom")
TARGETS = (*FEEDS, "/tags.json", "/tags.opml", "/tags", "/tags/python")
SAME = (
    "etag", "last-modified", "cache-control", "vary", "access-control-allow-origin", "access-control-expose-headers"
)  # fmt: skip

# What is between the quotes stands for {t}. True: the client has it (§13.1.2, §8.8.3.2).
NONE_MATCH = [
    ('W/"{t}"', True),
    ('"{t}"', True),
    ('  W/"{t}"  ', True),
    ("*", True),
    ('"x", W/"{t}"', True),
    ('W/"{t}","x"', True),
    ('"x,y" , "z", "{t}"', True),
    (',, "{t}",', True),
    ('"", "{t}"', True),
    ('W/"{t}-gzip"', True),
    ('"{t}--gzip"', True),
    ('"{t};gzip"', True),
    ('"{t}-br"', True),
    ('"{t}"-gzip', True),
    ('W/"{t}"--gzip', True),
    ('"{t}";gzip', True),
    ('W/"{t}"-br', True),
    ('"x", "{t}-gzip", "y"', True),
    ('"other"', False),
    ('W/"other-gzip", "x"', False),
    ('"x,{t}"', False),
    ('"{t},x"', False),
    ('"x{t}"', False),
    ('"{t}x"', False),
    ('"{t}-gzipped"', False),
    ('"{t}-"', False),
    ('"*"', False),
    ("", False),
    ("{t}", False),
    ("W/{t}", False),
    ('"{t}', False),
    ('{t}"', False),
    ('"{t} "', False),
    ("'{t}'", False),
    ('"\xff\xe9"', False),
    ('"' * 4000, False),
    ("W/" * 4000, False),
]


def rfc850(seconds: int) -> str:
    """The obsolete form with a year of two digits."""
    return parsedate_to_datetime(formatdate(seconds, usegmt=True)).strftime("%A, %d-%b-%y %H:%M:%S GMT")


def asctime(seconds: int) -> str:
    """The obsolete form of C's asctime."""
    moment = parsedate_to_datetime(formatdate(seconds, usegmt=True))
    return moment.strftime(f"%a %b {moment.day:2} %H:%M:%S %Y")


# True: nothing has changed since (§13.1.3). A date is any of three forms (§5.6.7), and what is none is passed over.
SINCE = [
    (lambda at: formatdate(at, usegmt=True), True),
    (lambda at: f" {formatdate(at, usegmt=True)} ", True),
    (lambda at: formatdate(at + 60, usegmt=True), True),
    (lambda at: formatdate(at + 10**8, usegmt=True), True),
    (lambda at: formatdate(at - 1, usegmt=True), False),
    (lambda at: formatdate(0, usegmt=True), False),
    (rfc850, True),
    (lambda at: rfc850(at - 1), False),
    (asctime, True),
    (lambda at: asctime(at - 1), False),
    (lambda at: "Sun, 06 Nov 1994 08:49:37 GMT", False),
    (lambda at: "Sunday, 06-Nov-94 08:49:37 GMT", False),
    (lambda at: "Sun Nov  6 08:49:37 1994", False),
    (lambda at: formatdate(at + 60).replace("-0000", "+0000"), False),
    (lambda at: formatdate(at + 60, usegmt=True).replace("GMT", "EST"), False),
    (lambda at: f"{formatdate(at + 60, usegmt=True)}, {formatdate(at + 60, usegmt=True)}", False),
    (lambda at: str(at + 60), False),
    (lambda at: "2099-01-01", False),
    (lambda at: "2099-01-01T00:00:00Z", False),
    (lambda at: "1 Jan 2099", False),
    (lambda at: "tomorrow", False),
    (lambda at: "", False),
    (lambda at: "Sun, 99 Nov 2099 99:99:99 GMT", False),
    (lambda at: "Sun, 31 Feb 2099 00:00:00 GMT", False),
    (lambda at: "Sun, 01 Jan 0000 00:00:00 GMT", False),
    (lambda at: "9" * 5000, False),
    (lambda at: "\xff\xe9", False),
]


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
async def ask(site, clock):
    """Asks a site without settings, whose file changed ten minutes ago."""
    blog = site({})
    for key in range(1, 8):
        blog.post(key, ["python", "sqlite"], body=f"<p>{'words ' * 50}</p>")
    clock.touch(blog.path, 600)
    await blog.start()
    return Asker(blog.datasette)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", TARGETS)
async def test_tags_and_dates_decide_as_the_specification_says(ask, clock, path, method):
    whole = await ask(path, method=method)
    assert whole.status == 200
    assert whole["etag"].startswith('W/"')
    assert whole["last-modified"] == formatdate(clock.now - 599, usegmt=True)
    assert (whole["link"] is not None) == (path in FEEDS)
    opaque = whole["etag"].removeprefix("W/").strip('"')
    tags = [(None, None), *((written.replace("{t}", opaque), has_it) for written, has_it in NONE_MATCH)]
    dates = [(None, None), *((write(clock.now - 599), unchanged) for write, unchanged in SINCE)]
    for tag, has_it in tags:
        # Dates are looked at only where there are no tags, so a few are enough beside each.
        for date, unchanged in dates if tag is None else dates[:3]:
            told = has_it if tag is not None else unchanged
            answer = await ask(path, {"if-none-match": tag, "if-modified-since": date}, method)
            assert answer.status == (304 if told else 200), (tag, date)
            assert {name: answer[name] for name in SAME} == {name: whole[name] for name in SAME}
            assert answer["link"] == (None if told else whole["link"])
            if told:
                assert answer.body == b""
                assert answer["content-length"] is None
                assert answer["content-encoding"] is None
            else:
                assert answer.body == whole.body


async def test_several_lines_of_a_header_are_one_list(ask):
    path = "/tags/python.atom"
    tag = (await ask(path))["etag"]
    assert (await ask(path, [("If-None-Match", tag), ("If-None-Match", '"x"')])).status == 304
    assert (await ask(path, [("If-None-Match", '"x"'), ("If-None-Match", tag)])).status == 304
    assert (await ask(path, [("If-None-Match", '"x"'), ("If-None-Match", '"y"')])).status == 200
    assert (await ask(path, [("Accept-Encoding", "gzip"), ("Accept-Encoding", "br")]))["content-encoding"] == "gzip"


@pytest.mark.parametrize("path", TARGETS)
async def test_a_date_is_sent_once_no_change_can_get_it_and_tells_something_two_seconds_later(site, clock, path):
    blog = site({})
    blog.post(1)
    clock.touch(blog.path)
    await blog.start()
    ask = Asker(blog.datasette)
    date = formatdate(clock.now + 1, usegmt=True)
    for second, sent, status in [(0, None, 200), (1, date, 200), (2, date, 200), (3, date, 304), (4, date, 304)]:
        clock.now += second and 1
        answer = await ask(path, {"if-modified-since": date})
        assert (answer["last-modified"], answer.status) == (sent, status), second
        assert (await ask(path, {"if-none-match": answer["etag"]})).status == 304


async def test_two_changes_in_one_second_are_told_apart_by_date(site, clock):
    blog = site({})
    blog.post(1)
    await blog.start()
    ask = Asker(blog.datasette)
    dates = {}
    for change in range(6):
        blog.sql(f"update post set title = 'Change {change}'")
        clock.touch(blog.path)
        for _ in range(2):
            answer = await ask("/tags/python.atom")
            if answer["last-modified"]:
                assert dates.setdefault(answer["last-modified"], answer["etag"]) == answer["etag"]
                assert parsedate_to_datetime(answer["last-modified"]).timestamp() <= clock.now
        clock.now += change % 2
    clock.now += 5
    last = await ask("/tags/python.atom")
    for date, tag in dates.items():
        assert (await ask("/tags/python.atom", {"if-modified-since": date})).status == (304 if tag == last["etag"] else 200)


async def test_a_database_in_memory_has_tags_and_no_dates(clock):
    datasette = Datasette(memory=True)
    database = datasette.add_memory_database("remembered")
    await database.execute_write_script(
        "create table if not exists post (id integer primary key, title, tags, created); delete from post;"
        "insert into post values (1, 'First', '[\"python\"]', '2020-01-01')"
    )
    await datasette.invoke_startup()
    ask = Asker(datasette)
    for path in TARGETS:
        answer = await ask(path)
        assert answer.status == 200
        assert answer["last-modified"] is None
        assert (await ask(path, {"if-modified-since": formatdate(clock.now + 10**6, usegmt=True)})).status == 200
        assert (await ask(path, {"if-none-match": answer["etag"]})).status == 304
    before = (await ask("/tags/python.atom"))["etag"]
    await database.execute_write("update post set title = 'Second'")
    after = await ask("/tags/python.atom", {"if-none-match": before})
    assert after.status == 200
    assert b"Second" in after.body


# What a client takes, and what it gets (§12.5.3).
CODINGS = [
    (None, None),
    ("", None),
    ("gzip", "gzip"),
    ("GZip", "gzip"),
    ("x-gzip", "gzip"),
    ("deflate, gzip;q=1.0, *;q=0.5", "gzip"),
    ("br;q=1, gzip;q=0.8", "gzip"),
    ("gzip;q=0.001", "gzip"),
    ("gzip ; Q=0.5", "gzip"),
    ("*", "gzip"),
    ("*;q=0.1", "gzip"),
    ("identity;q=0.5, gzip", "gzip"),
    ("identity;q=0, gzip;q=0.2", "gzip"),
    ("gzip;q=0", None),
    ("gzip;q=0.0", None),
    ("gzip;q=0.000, br", None),
    ("gzip; q = 0", None),
    ("gzip;q=0, *", None),
    ("*;q=0", None),
    ("identity", None),
    ("identity;q=1, *;q=0", None),
    ("identity, gzip;q=0.5", None),
    ("br, zstd, deflate", None),
    ("gzipped", None),
    ("identity;q=0", None),
    (",;=q", None),
]


@pytest.mark.parametrize("path", TARGETS)
async def test_the_coding_is_one_that_the_client_takes_and_the_tag_one_for_all(ask, path):
    plain = await ask(path)
    assert plain["content-encoding"] is None
    for asked, coding in CODINGS:
        answer = await ask(path, {"accept-encoding": asked})
        assert answer["content-encoding"] == coding, asked
        assert (gzip.decompress(answer.body) if coding else answer.body) == plain.body
        assert len(answer.body) < len(plain.body) or not coding
        assert answer["etag"] == plain["etag"]
        for one in (answer, plain):
            assert "accept-encoding" in one["vary"].lower()
            assert one["content-length"] == str(len(one.body))
        head = await ask(path, {"accept-encoding": asked}, "HEAD")
        assert head.body == b""
        assert sorted(head.lines) == sorted(answer.lines)
        assert (await ask(path, {"accept-encoding": asked, "if-none-match": plain["etag"]})).status == 304


@pytest.mark.parametrize("path", [*TARGETS, "/tags/nope.atom", "/tags/python/random", "/tags/x/y"])
async def test_methods(ask, path):
    asked = await ask(path, {"origin": "https://reader.example", "access-control-request-method": "GET"}, "OPTIONS")
    assert (asked.status, asked.body) == (204, b"")
    assert asked["allow"] == asked["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert asked["access-control-allow-origin"] == "*"
    assert asked["access-control-allow-headers"] == "If-None-Match, If-Modified-Since"
    assert asked["access-control-allow-credentials"] is None
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "QUERY", "X"):
        refused = await ask(path, method=method)
        assert refused.status == 405
        assert refused["allow"] == "GET, HEAD, OPTIONS"
        assert refused["content-type"].startswith("application/json" if path.endswith(".json") else "text/plain")


@pytest.mark.parametrize("path", FEEDS)
async def test_a_feed_says_all_that_a_public_one_should(ask, path):
    answer = await ask(path)
    assert answer["cache-control"] == "public, max-age=900, s-maxage=300, stale-while-revalidate=3600, stale-if-error=86400"
    assert answer["access-control-allow-origin"] == "*"
    assert answer["access-control-expose-headers"] == "ETag, Link, Last-Modified"
    assert answer["x-robots-tag"] == "noindex"
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["content-security-policy"] == "default-src 'none'; style-src 'self'; sandbox"
    assert answer["set-cookie"] is None
    assert 'rel="self"' in answer["link"]
    assert 'rel="alternate"; type="text/html"' in answer["link"]
