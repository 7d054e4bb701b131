"""Random requests against torture rows: no error of ours, no broken document, no loop, no unbounded time."""

import gzip
import json
import os
import random
import re
import sqlite3
import string
import time
from collections import Counter
from email.utils import formatdate
from urllib.parse import parse_qs, quote

import pytest
from asking import Asker
from datasette.app import Datasette
from lxml import etree

REQUESTS = int(os.environ.get("TAGFEEDS_REQUESTS", "3000"))
SEED = int(os.environ.get("TAGFEEDS_SEED", "1"))
SLOW = 20.0

TAGS = [
    "python", "sqlite", "Python", "c++", "c#", "a/b", "node.js", "feed.atom", "x.json", ".", "..", "-x", "@y", "~", "~2B", "100%", "%2B", "a,b", "(p)",
    "a+b", " led", "two words", "é", "日本語", "💥", "\u202etrap", "a\u0301", "x" * 300, "<script>", '"q"', "'", "\x01\x0b", "a\nb", "tab\there", "null",
    "1", "]]>", "&amp;", "?q", "random", "tags", "\ufffe", "İ", "ß", "gone", "hush",
]  # fmt: skip
BODIES = [
    "<p>plain</p>", "<div>" * 3000 + "deep", "x\x00y", "]]><![CDATA[", "\x01\x02\x0b\x1f\ufffe\uffff", "<script>alert(1)</script>",
    '<a href="javascript:alert(1)">x</a><img src="//e.example/i.png" srcset="a 1x, b 2x"><a href="http://[bad">', "<p>" + "word " * 20_000, "&#0;&#xD800;&bogus;",
    "<table><tr><td>", "<!--", "<svg><style><!--</style><img src=x onerror=alert(1)>-->", "", None, 7, 1.5, b"\xff\xfe\x00", "\u202e\u2028\u2029", "💥" * 500, " \n\t ",
]  # fmt: skip
DATES = [
    "2020-01-01", "2020-01-01T00:00:00Z", "2021-12-31T23:59:59+14:00", "2019-02-29", "0001-01-01", "9999-12-31", "10000-01-01", "-1", "", None, 0, 1600000000,
    1600000000.5, 1600000000000, 9e999, -9e999, "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", b"2020", "2020-13-45", "12:00", "\u0662\u0660\u0662\u0660-01-01", "20200101", 2**62,
]  # fmt: skip
TITLES = ["Title", "", None, "<b>&amp;</b>", "\x00\x01", "a\nb", "x" * 5000, "{{ 7 }}", 5, b"\xff", "\u202e", " "]
LINKS = [
    "https://e.example/1",
    "/relative",
    "javascript:alert(1)",
    "http://[bad",
    "",
    None,
    "https://e.example/\u00e9 space",
    "data:text/html,x",
    "//e.example",
    4,
]
SURROGATE = b"\xed\xa0\x80x"

SCHEMA = """
create table post (id integer primary key, title, body, created, updated, link, author, is_draft integer not null default 0);
create table tag (id integer primary key, tag);
create table post_tags (post_id integer references post(id), tag_id integer references tag(id));
create virtual table post_fts using fts5(title, body, content=post);
create table noted (a, b text, title, body, created, tags, primary key (a, b)) without rowid;
create table marked (title, body, created, link, tags);
create table kept (id text primary key, title, body, created, tags);
create view seen as select noted.rowid_ as id, title, created, tag from (select a || '/' || b as rowid_, * from noted) as noted
  join (select 'python' as tag union all select 'view & tag' union all select 'sqlite');
"""
SETTINGS = {
    "title": 'Torture & "rows" <x>',
    "aliases": {"py": "python", "old": "nowhere", "loop": "loop2", "loop2": "loop", "was gone": "gone"},
    "gone": ["gone"],
    "hidden": ["hush"],
    "size": 7,
    "max_bytes": 65536,
    "purge_header": "Surrogate-Key",
    "hub": "https://hub.example/",
    "sources": {
        "post": {"html": "body", "where": "is_draft = 0", "published": "created", "title": "title", "link": "link"},
        "noted": {"tags": "tags", "markdown": "body", "published": "created", "title": "{{ title or b }}"},
        "odd marks": {
            "table": "marked",
            "tags": {"column": "tags", "split": ","},
            "text": "body",
            "published": "created",
            "title": "title",
        },
        "kept": {"tags": {"column": "tags", "split": " "}, "html": "body", "published": "created", "title": "title"},
        "seen": {"tags": "tag", "id": "id", "published": "created", "title": "title"},
    },
}


def torture(path, chance):
    """A database whose every column holds what it should not."""
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)

    def row():
        return chance.choice(TITLES), chance.choice(BODIES), chance.choice(DATES)

    connection.executemany("insert into tag values (?, ?)", enumerate([*TAGS, 1.5, None, b"blob", 12], 1))
    connection.execute("insert into tag values (1000, cast(? as text))", (SURROGATE,))
    for key in [*range(-3, 150), 2**63 - 1, -(2**63)]:
        values = (key, *row(), chance.choice(DATES), chance.choice(LINKS), chance.choice(["Ann", "", None, "\x01<"]), int(key % 20 == 0))
        connection.execute("insert into post values (?, ?, ?, ?, ?, ?, ?, ?)", values)
        for tag in chance.sample(range(1, len(TAGS) + 5), 3):
            connection.execute("insert into post_tags values (?, ?)", (key, tag))
        connection.execute("insert into post_tags values (?, ?)", (key, chance.choice([1, 2, 1000, 5555, None])))
    connection.execute("update post set title = cast(? as text), body = cast(? as text) where id = 7", (SURROGATE, SURROGATE))
    arrays = ['["python", "sqlite"]', "[", "null", "[1, 2.5, null, true, {}, [\"x\"]]", '{"a": 1}', '["' + "y" * 400 + '"]', '["\\ud800"]', "", None, 5, b"\xff", "[]"]  # fmt: skip
    for number in range(60):
        key = chance.choice([number, f"k/{number}", f"é {number}", number + 0.5, b"\x00%d" % number])
        connection.execute("insert into noted values (?, ?, ?, ?, ?, ?)", (key, f"b,{number}~%", *row(), chance.choice(arrays)))
        tags = chance.choice([", ".join(map(str, chance.sample(TAGS, 3))), ",,,", "python", " ", None, 3, b"a,b"])
        connection.execute("insert into marked values (?, ?, ?, ?, ?)", (*row(), chance.choice(LINKS), tags))
        key = chance.choice([f"t{number}", f"a/b?{number}", f"{number}\x00", "", None, f"\u202e{number}"])
        connection.execute(
            "insert or ignore into kept values (?, ?, ?, ?, ?)", (key, *row(), chance.choice(["python sqlite", "  a  b ", "", None]))
        )
    connection.execute("insert into post_fts (post_fts) values ('rebuild')")
    connection.commit()
    connection.close()


class Requests:
    """Random requests, the same for the same seed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.tokens, self.seen = ["x"], ['"x"']

    def junk(self, most=12):
        return "".join(self.chance.choice(string.printable + "é\xff\x00") for _ in range(self.chance.randrange(most)))

    def spelt(self, tag):
        """A tag in one of the ways that clients write it, now and then a wrong one."""
        match self.chance.randrange(10):
            case 0:
                return "".join(f"%{byte:02x}" for byte in tag.encode())
            case 1:
                return quote(tag, safe=self.chance.choice(["", "+,()~", "/"])).lower()
            case 2:
                return tag.encode("ascii", "ignore").decode().replace("?", "").replace("#", "")
            case 3:
                return quote(tag, safe="")[: self.chance.randrange(1, 9)]
        return "".join(f"~{ord(char):02X}" if char in "%+,()/~?#-@." else quote(char, safe="") for char in tag)

    def expression(self, depth=0):
        chance = self.chance
        if depth > 3 or chance.random() < 0.6:
            tag = chance.choice(
                [
                    "python",
                    "sqlite",
                    chance.choice(TAGS),
                    "view & tag",
                    chance.choice(["nope", "py", "old", "loop", "was gone", self.junk(6)]),
                ]
            )
            return chance.choice([*[""] * 20, "-", "-", "--"]) + self.spelt(tag)
        parts = [self.expression(depth + 1) for _ in range(chance.choice([1, 2, 2, 3, 5]))]
        joined = chance.choice("+,").join(parts)
        return chance.choice([*["{}"] * 9, "({})", "({})", "-({})", "({}", "{})", "{}+", ",{}"]).format(joined)

    def path(self):
        chance, suffix = (
            self.chance,
            self.chance.choice([".atom"] * 5 + [".rss", ".json"] * 2 + ["", "", "/random", "/", "/x", ".opml", ".xml", ".ATOM"]),
        )
        match chance.randrange(20):
            case 0:
                return chance.choice(
                    [
                        "/-/tagfeeds",
                        "/-/tagfeeds.json",
                        "/tags/",
                        "/tags//",
                        "/tags/.atom",
                        "/tags/%00.atom",
                        "/tags/%",
                        "/tags/~",
                    ]
                )
            case 1 | 2 | 3 | 4:
                return "/tags" + chance.choice([".atom", ".rss", ".feed.json", ".json", ".opml", "", "/@x", "/random"])
            case 5:
                return (
                    "/tags/" + "".join(chance.choice("%~+,()-@./;:=&$!*'" + string.hexdigits) for _ in range(chance.randrange(40))) + suffix
                )
            case 6:
                return "/tags/" + chance.choice(["(", "-(", "a+", "python,", "~2B", "%e9"]) * chance.choice([1, 9, 500, 2000]) + suffix
        return f"/tags/{self.expression()}{suffix}"

    def value(self, name):
        chance = self.chance
        good = {
            "type": ["post", "noted", "odd marks", "seen", "kept"],
            "year": ["2020", "2021", "0000", "9999"],
            "month": ["1", "12", "02"],
            "q": ["word", "plain", '"', "a OR", "NEAR(", "*", "-x", "title:word", "\u0000"],
            "size": ["1", "3", "100", "030"],
            "next": self.tokens[-50:],
            "t": TAGS,
            "not": TAGS,
            "op": ["any", "all"],
            "within": ["python,sqlite", "(", "python+-sqlite"],
            "sort": ["count", "name", "recent"],
            "min": ["1", "3", "999999999"],
            "related": ["1"],
            "explain": ["1"],
        }.get(name, ["1"])  # fmt: skip
        bad = ["", "0", "-1", "1e3", "101", "x", "nan", "2020-01", "13", "\u0663", "9" * 400, "' or 1=1 --", "[]", "%", self.junk()]
        value = chance.choice(good) if chance.random() < 0.7 else chance.choice(bad)
        if name == "next" and chance.random() < 0.3:
            place = chance.randrange(len(value) + 1)
            value = value[:place] + chance.choice(string.ascii_letters + "=-_") + value[place + 1 :]
        return value

    def query(self):
        chance = self.chance
        if chance.random() < 0.4:
            return ""
        names = ["type", "year", "month", "q", "size", "next", "sort", "min", "related", "explain", "utm_source", "_shape", ""]
        names += ["t", "not", "op", "within"] if chance.random() < 0.2 else []
        pairs = [(name, self.value(name)) for name in (chance.choice(names) for _ in range(chance.choice([1, 1, 2, 3, 6])))]
        written = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in pairs)
        return "?" + (written if chance.random() < 0.95 else written + chance.choice(["&%ff=%ff", "&&&=", ";x", "&size=%", "?"]))

    def headers(self):
        chance = self.chance
        dates = [
            formatdate(time.time() - 10**6, usegmt=True),
            formatdate(time.time() + 10**6, usegmt=True),
            "Sun Nov  6 08:49:37 1994",
            "x",
            "9" * 99,
            "\xff",
        ]
        values = {
            "if-none-match": [self.seen[-1], f'"a", {self.seen[-1]}', "*", "W/", '"' * 99, "\xff", ","],
            "if-modified-since": dates,
            "accept-encoding": ["gzip", "gzip;q=0", "*", "br", "gzip;q=x", ";;q=,", "gzip;q=0." + "0" * 99 + "1"],
            "host": [
                "example.org",
                "example.org:8001",
                "[::1]:80",
                "bad host",
                "a@b",
                "x" * 300,
                "é",
                "[",
                "",
                "e.example/x",
                "e.example:99999",
                "e.example:x",
            ],
            "x-forwarded-host": ["evil.example", "\xff"],
            "x-forwarded-proto": ["https", "javascript"],
            "forwarded": ["host=evil.example;proto=https"],
            "cookie": ["a=b", "ds_actor=junk", "ds_actor=" + "x" * 500, "ds_messages=1", ";;;=", "csrftoken=1"],
            "authorization": ["Bearer junk", "Basic x", "\xff"],
            "accept": ["application/atom+xml", "*/*", "text/html;q=x"],
            "range": ["bytes=0-10"],
            "origin": ["https://e.example"],
            "if-match": ['"x"'],
            "te": ["trailers"],
        }
        return [(name, chance.choice(values[name])) for name in chance.sample(sorted(values), chance.choice([0, 0, 1, 1, 2, 4]))]

    def method(self):
        return self.chance.choice(["GET"] * 40 + ["HEAD"] * 6 + ["OPTIONS", "POST", "PUT", "DELETE", "TRACE", "get", "X"])


def read(answer):
    """Parse the body of a 200 as what it says it is."""
    body = gzip.decompress(answer.body) if answer["content-encoding"] == "gzip" else answer.body
    media_type = answer["content-type"].partition(";")[0]
    if media_type in ("application/atom+xml", "application/rss+xml", "text/x-opml", "text/x-opml+xml", "text/xml", "application/xml"):
        root = etree.fromstring(body, etree.XMLParser(huge_tree=False, resolve_entities=False))
        assert len(root)
    elif media_type.endswith("json"):
        json.loads(body.decode("utf-8", "strict"), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    else:
        assert media_type == "text/html"
        assert body.decode("utf-8", "strict").rstrip().endswith("</html>")
    return body


def explained(path, answer):
    """True for a tag page that shows its SQL, which nobody else may keep."""
    place, _, query = path.partition("?")
    return place.startswith("/tags/") and answer["content-type"].startswith("text/html") and parse_qs(query).get("explain", [""])[0] == "1"


def is_a_sentence(text):
    return re.fullmatch(r"[^\n\r\x00-\x08]*\w[^\n\r\x00-\x08]*[.?]\n?", text) is not None


async def judge(ask, requests, path, headers, method):
    """Ask once, judge the answer, follow where it leads; the statuses on the way."""
    statuses = []
    for step in range(4):
        started = time.monotonic()
        answer = await ask(path, headers, method)
        assert time.monotonic() - started < SLOW, "slow"
        assert answer.status < 500
        statuses.append(answer.status)
        reading = method in ("GET", "HEAD")
        if method == "HEAD" and answer.status in (200, 304):
            assert answer.body == b""
        if answer.status == 200 and method == "GET":
            body = read(answer)
            if answer["content-length"]:
                assert int(answer["content-length"]) == len(answer.body)
            if answer["etag"]:
                requests.seen.append(answer["etag"])
            requests.tokens += [found.decode() for found in re.findall(rb"next=([A-Za-z0-9_-]+)", body)[:1]]
        if answer.status in (200, 304) and reading and "cookie" not in dict(headers) and "authorization" not in dict(headers):
            assert answer["cache-control"].startswith("private, " if explained(path, answer) else "public, ")
        if answer.status in (301, 302):
            where = answer["location"]
            assert where.isascii()
            assert "\n" not in where
            if not where.startswith("/tags"):
                assert "/random" in path  # to an item, wherever that is
                return statuses
            assert not where.startswith("//")
            assert step < 3, f"leads on: {where}"
            path = where
            continue
        if answer.status >= 400 and reading:
            kind = answer["content-type"]
            if kind.startswith("application/json"):
                told = json.loads(answer.body)
                assert told["status"] == answer.status
                assert is_a_sentence(told["error"])
            elif kind.startswith("text/plain"):
                assert is_a_sentence(answer.body.decode())
            else:
                assert kind.startswith("text/html")
                assert not re.search(r"\.(atom|rss|opml|json)$", path.partition("?")[0])
                assert b"Traceback" not in answer.body
        return statuses
    raise AssertionError("leads nowhere")


async def test_random_requests(tmp_path):
    chance = random.Random(SEED)
    torture(tmp_path / "torture.db", chance)
    datasette = Datasette([str(tmp_path / "torture.db")], metadata={"plugins": {"datasette-tagfeeds": SETTINGS}})
    await datasette.invoke_startup()
    ask, requests = Asker(datasette), Requests(SEED)
    statuses, wrong = Counter(), []
    for number in range(REQUESTS):
        path, headers, method = requests.path() + requests.query(), requests.headers(), requests.method()
        path = path.encode("ascii", "ignore").decode().replace("#", "").replace(" ", "%20").replace("\n", "").replace("\r", "")
        try:
            statuses.update(await judge(ask, requests, path, headers, method))
        except Exception as error:
            wrong.append(f"{number}: {method} {path[:300]} {headers}: {type(error).__name__} {str(error)[:300]}")
    print(statuses)
    assert not wrong, f"{len(wrong)} of {REQUESTS}:\n" + "\n".join(wrong[:40])
    assert {200, 204, 301, 304, 400, 404, 405, 410} <= set(statuses), statuses
    assert statuses[200] > REQUESTS // 8, statuses
