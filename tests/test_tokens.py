"""Addresses that act for an actor: they show that feed to whoever has them, and nothing else to anybody."""

import asyncio
import gzip
import html
import json
import re
import sqlite3
import subprocess
import sys
from calendar import timegm
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import yaml
from asking import Asker, Clock
from conftest import SETTINGS, UNHURRIED
from datasette.app import Datasette
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from serving import ask, free_port, served

from datasette_tagfeeds import compat
from datasette_tagfeeds.errors import ConfigError
from datasette_tagfeeds.web import tokens

# Nothing here depends on where answers are read from.
pytestmark = pytest.mark.live

SECRET = "a secret for these tests"
SCHEMA = """
create table post (id integer primary key, title, body, created, tags);
create table secret (id integer primary key, title, body, created, tags);
insert into post values (1, 'Open one', '<p>Words</p>', '2020-01-01', '["python", "sqlite"]'), (2, 'Open two', '', '2020-02-01', '["python", "mine"]');
insert into secret values (1, 'Hushed one', '<p>Words</p>', '2021-01-01', '["python", "new name"]'), (2, 'Hushed two', '', '2021-02-01', '["python"]');
"""
SOURCE = {"html": "body", "tags": "tags", "published": "created", "title": "title"}
TWO = {**SETTINGS, "sources": {"post": SOURCE, "secret": SOURCE}, "hub": "https://hub.example/", "purge_header": "xkey"}
ANN = {"id": "ann"}
FORMATS = ("atom", "rss", "json")
FEEDS = tuple(f"/tags/python.{format}" for format in FORMATS)
ALL = ("/tags.atom", "/tags.rss", "/tags.feed.json")


class Shop:
    """One file, served by as many Datasettes as a test likes, each with its own settings, permissions and secret."""

    def __init__(self, site):
        self.path = site({}, SCHEMA).path

    async def __call__(self, allow=ANN, secret=SECRET, instance=None, **settings):
        """A server in which this actor alone may see the table `secret`."""
        metadata = {"plugins": {"datasette-tagfeeds": {**TWO, **settings}}, **({"allow": instance} if instance else {})}
        metadata["databases"] = {"blog": {"tables": {"secret": {"allow": allow}}}}
        datasette = Datasette([str(self.path)], metadata=metadata, secret=secret, settings=UNHURRIED)
        await datasette.invoke_startup()
        return Asker(datasette)


@pytest.fixture
def shop(site):
    return Shop(site)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def signed(here, expression="python", actor=ANN, made="2026-01-01", days=3650):
    """A token, as the command makes them."""
    return tokens.write(here.datasette, tokens.make(expression, actor, made, days))


def token_id(here, written):
    return tokens.read(here.datasette, written).id


async def offered(here, path="/tags/python", actor=ANN, **headers):
    """The address in the box of a page; None where there is none."""
    cookie = f"ds_actor={here.datasette.sign({'a': actor}, 'actor')}" if actor else None
    page = await here(path, {"cookie": cookie, **headers})
    assert page.status == 200, page.body
    found = re.search(r'id="tf-private"[^>]* value="([^"]*)"', page.body.decode())
    return html.unescape(found[1]) if found else None


def local(address):
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def seen(answer):
    """Which titles an answer holds."""
    return sorted(set(re.findall(r"(?:Open|Hushed) (?:one|two)", answer.body.decode())))


def assert_private(answer):
    assert answer["cache-control"] == "private, no-store"
    assert not [name for name, _ in answer.lines if name.startswith("access-control") or name == "xkey"]


EVERY = ["Hushed one", "Hushed two", "Open one", "Open two"]


@pytest.mark.parametrize(
    ("expression", "path", "status", "titles"),
    [
        *[("python", path, 200, EVERY) for path in FEEDS],
        *[(None, path, 200, EVERY) for path in ALL],
        ("python", "/tags/python.atom?type=secret", 200, EVERY[:2]),
        ("python", "/tags/python.atom?year=2021&month=1", 200, EVERY[:1]),
        ("python", "/tags/python.json?size=1", 200, ["Hushed two"]),
        ("python+sqlite", "/tags/python+sqlite.atom", 200, ["Open one"]),
        ("python+sqlite", "/tags/sqlite+python.atom", 301, []),
        ("python+sqlite", "/tags/python.atom", 403, []),
        ("new%20name", "/tags/new%20name.atom", 200, ["Hushed one"]),
        ("new%20name", "/tags/NEW%20name.atom", 301, []),
        *[("python", path, 403, []) for path in (*ALL, "/tags/sqlite.atom", "/tags/python+sqlite.atom", "/tags/-sqlite.rss", "/tags/-python.json")],
        *[("python", path, 403, []) for path in ("/tags/nope.atom", "/tags/new%20name.atom", "/tags/new%20names.json", "/tags/gone.atom")],
        *[(None, path, 403, []) for path in (*FEEDS, "/tags/nope.atom")],
        ("nope", "/tags/nope.atom", 404, []),
        ("gone", "/tags/gone.atom", 410, []),
        ("old%20name", "/tags/old%20name.rss", 301, []),
        ("old%20name", "/tags/new%20name.rss", 200, ["Hushed one"]),
        ("OLD%20name+python", "/tags/new%20name+python.rss", 200, ["Hushed one"]),
        ("old%20name", "/tags/older.rss", 301, []),
        ("python", "/tags/old%20name.rss", 403, []),
        ("python", "/tags/python.atom?size=x", 400, []),
        ("python", "/tags/(.atom", 400, []),
    ],
)  # fmt: skip
async def test_a_token_is_for_one_feed(shop, expression, path, status, titles):
    here = await shop(aliases={"old name": "new name", "older": "old name"}, gone=["gone"])
    token = signed(here, expression)
    answer = await here(f"{path}{'&' if '?' in path else '?'}token={token}")
    assert (answer.status, seen(answer)) == (status, titles)
    assert_private(answer)
    assert answer["referrer-policy"] == "no-referrer"
    if status == 301:
        assert parse_qs(urlsplit(answer["location"]).query)["token"] == [token]
        there = await here(answer["location"])
        assert there.status == 200
        assert_private(there)
    if status >= 400:
        kind = "application/json" if ".json" in path else "text/plain"
        assert answer["content-type"].startswith(kind)
        assert b"<" not in answer.body
    if status == 403:
        assert b"The token in this address is for another feed." in answer.body


async def test_other_tokens_are_refused(shop, clock):
    here, other = await shop(), await shop(secret="another")
    today = clock.text()[:10]
    good = signed(here, made=today)
    payload, _, signature = good.rpartition(".")
    wrong = [
        "x", ".", "..", "x.y", "%00", "%FF", "%ED%A0%80", "a" * 5000, good[:-1], good + "=", good + "A", "." + good, payload, signature, good + good, good.swapcase(),
        payload + "." + signature.replace("-", "+").replace("_", "/") + "!", payload + "%20." + signature, signed(other, made=today),
        here.datasette.sign({"a": ANN}, "actor"), here.datasette.sign({"id": "ann"}, tokens.NAMESPACE), here.datasette.sign("x", tokens.NAMESPACE),
    ]  # fmt: skip
    for path in (*FEEDS, *ALL):
        for token in wrong:
            answer = await here(f"{path}?token={token}")
            assert answer.status == 403, token
            assert b"not one that this site has signed" in answer.body
            assert_private(answer)
    assert (await here(f"/tags/python.atom?token={good}")).status == 200
    assert (await here(f"/tags/python.atom?%74oken={good}")).status == 200
    assert (await here(f"/tags/python.atom?token={good}&token=x")).status == 400
    assert (await here(f"/tags/python.atom?token=&token={good}")).status == 200
    # An empty parameter is none.
    assert seen(await here("/tags/python.atom?token=")) == ["Open one", "Open two"]


async def test_a_refused_token_is_told_in_one_sentence(shop):
    here = await shop()
    text, document = await here("/tags/python.rss?token=x"), await here("/tags/python.json?token=x")
    assert text["content-type"] == "text/plain; charset=utf-8"
    assert text.body == b"The token in this address is not one that this site has signed.\n"
    assert json.loads(document.body) == {"ok": False, "error": text.body.decode().strip(), "status": 403}
    # Also where the cookie would do.
    assert (await here("/tags/python.rss?token=x", actor="ann")).status == 403


LETTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n!~é")


@st.composite
def changed(draw, text):
    """The text after a change: a letter replaced, put in or added, a part cut out, both halves swapped."""
    place = draw(st.integers(0, len(text)))
    rest = draw(st.sampled_from([text[place + 1 :], text[place:]]))
    return draw(
        st.sampled_from([
            text[:place] + draw(LETTERS) + rest,
            text[:place] + text[draw(st.integers(place, len(text))) :],
            text[place:] + text[:place],
            text[:-1] + draw(LETTERS),
            text + draw(LETTERS),
        ])
    )  # fmt: skip


def test_no_altered_token_is_ever_good(shop):
    with closing(asyncio.new_event_loop()) as loop:
        here = loop.run_until_complete(shop())
        good = signed(here)

        @given(changed(good))
        def refused(token):
            answer = loop.run_until_complete(here(f"/tags/python.atom?token={quote(token)}"))
            # Without any, everyone's feed is answered.
            assert answer.status == (200 if token in (good, "") else 403)
            assert ("Hushed" in answer.body.decode()) == (token == good)

        refused()


ELSEWHERE = ("/tags", "/tags.json", "/tags.opml?min=1", "/tags/python", "/-/tagfeeds", "/-/tagfeeds.json", "/tags/python?explain=1")


async def test_elsewhere_a_token_means_nothing(shop):
    here = await shop()
    for path in ELSEWHERE:
        for token in (signed(here), signed(here, None), "x"):
            anonymous = await here(path)
            answer = await here(f"{path}{'&' if '?' in path else '?'}token={token}")
            assert answer.status == anonymous.status == 200
            assert token not in answer.body.decode() or token == "x"
            assert "Hushed" not in answer.body.decode()
            assert "secret" not in answer.body.decode()
    assert (await here(f"/tags/new%20name?token={signed(here)}")).status == 404
    assert "/secret/" not in (await here(f"/tags/python/random?token={signed(here)}"))["location"]


@pytest.mark.parametrize(
    ("settings", "made", "days", "today", "status"),
    [
        ({}, "2026-11-20", 1, "2026-11-20", 200),
        ({}, "2026-11-20", 1, "2026-11-21", 200),
        ({}, "2026-11-20", 1, "2026-11-22", 403),
        ({}, "2024-02-29", 366, "2025-03-01", 200),
        ({"tokens_since": "2026-11-20"}, "2026-11-20", 9, "2026-11-21", 200),
        ({"tokens_since": "2026-11-21"}, "2026-11-20", 9, "2026-11-21", 403),
        ({"revoked_tokens": True}, "2026-11-20", 9, "2026-11-21", 403),
        ({"revoked_tokens": ["t0000000000", {"id": "bob"}, {"role": "ann"}]}, "2026-11-20", 9, "2026-11-21", 200),
        ({"revoked_tokens": ["t0000000000", {"id": ["bob", "ann"]}]}, "2026-11-20", 9, "2026-11-21", 403),
        ({"token_days": 0}, "2026-11-20", 9, "2026-11-21", 200),
    ],
)
async def test_tokens_expire_and_are_revoked(shop, clock, settings, made, days, today, status):
    before = await shop()
    token = signed(before, made=made, days=days)
    if settings.get("revoked_tokens") is True:
        settings = {"revoked_tokens": [token_id(before, token)]}
    here = await shop(**settings)
    clock.now = timegm(date.fromisoformat(today).timetuple())
    for _ in range(2):
        answer = await here(f"/tags/python.atom?token={token}")
        assert (answer.status, "Hushed" in answer.body.decode()) == (status, status == 200)
        assert_private(answer)
        clock.now += 86_399 - 1


async def test_a_revoked_token_is_one_of_many(shop):
    before = await shop()
    mine, others = (
        signed(before),
        [
            signed(before, made="2026-01-02"),
            signed(before, days=5000),
            signed(before, "python+sqlite"),
            signed(before, actor={"id": "bob"}),
        ],
    )
    ids = {token_id(before, one) for one in (mine, *others)}
    assert len(ids) == 5
    assert all(re.fullmatch("t[0-9a-f]{10}", one) for one in ids)
    here = await shop(revoked_tokens=[token_id(before, mine)], allow={"id": ["ann", "bob"]})
    assert (await here(f"/tags/python.atom?token={mine}")).status == 403
    for other in (*others[:2], others[3]):
        assert len(seen(await here(f"/tags/python.atom?token={other}"))) == 4


@pytest.mark.parametrize(
    ("actor", "allow", "status", "titles"),
    [
        (ANN, ANN, 200, 4),
        (ANN, {"id": "bob"}, 200, 2),
        ({"id": "ann", "role": "staff"}, {"role": "staff"}, 200, 4),
        (ANN, {"role": "staff"}, 200, 2),
        ({"id": "bob"}, ANN, 200, 2),
        ({"role": ["staff", "é"]}, {"role": "é"}, 200, 4),
    ],
)
async def test_permissions_are_asked_of_its_actor_each_time(shop, actor, allow, status, titles):
    before = await shop(allow=actor)
    token = signed(before, actor=actor)
    assert len(seen(await before(f"/tags/python.atom?token={token}"))) == 4
    here = await shop(allow=allow)
    for format in FORMATS:
        answer = await here(f"/tags/python.{format}?token={token}")
        assert (answer.status, len(seen(answer))) == (status, titles)
        assert_private(answer)
        # Whoever asks with it: the token says who.
        assert len(seen(await here(f"/tags/python.{format}?token={token}", actor="ann"))) == titles


async def test_an_actor_who_may_see_nothing_any_more_gets_a_sentence(shop):
    here = await shop(allow={"id": "bob"}, instance={"id": "bob"})
    for path in (*FEEDS, *ALL):
        answer = await here(f"{path}?token={signed(here, None if path in ALL else 'python')}")
        assert answer.status == 403
        assert b"may see nothing here any more" in answer.body
        assert b"<" not in answer.body
        assert_private(answer)


async def test_a_hidden_tag_is_hidden_from_an_actor_who_lost_it(shop):
    here = await shop(allow={"id": "bob"})
    answer = await here(f"/tags/new%20name.atom?token={signed(here, 'new%20name')}")
    unknown = await here(f"/tags/no%20name.atom?token={signed(here, 'no%20name')}")
    assert answer.status == unknown.status == 404
    assert answer.body.replace(b"new name", b"no name") == unknown.body


async def test_restrictions_stay_with_a_token(shop):
    """On 1.0 an actor may be restricted to some tables; 0.65 does not know that, and treats them as any actor."""
    here = await shop()
    actor = {"id": "ann", "_r": {"r": {"blog": {"post": ["vt"]}}}}
    answer = await here(f"/tags/python.atom?token={signed(here, actor=actor)}")
    assert seen(answer) == (["Open one", "Open two"] if compat.HAS_RESOURCES else EVERY)
    cookie = f"ds_actor={here.datasette.sign({'a': actor}, 'actor')}"
    assert seen(await here("/tags/python.atom", {"cookie": cookie})) == seen(answer)


async def test_links_keep_the_token_and_ids_do_not(shop):
    here = await shop(allow=ANN)
    token = signed(here)
    base, query = "https://example.org/tags/python", f"?year=2021&size=1&token={token}"
    first = etree.fromstring((await here(f"/tags/python.atom{query}")).body)
    links = {one.get("rel"): one.get("href") for one in first.findall("{*}link")}
    assert set(links) == {"self", "alternate", "first", "next"}
    assert links["self"] == links["first"] == f"{base}.atom{query}"
    assert links["alternate"] == f"{base}?year=2021&size=1"
    second = await here(local(links["next"]))
    assert seen(second) == ["Hushed one"]
    more = {one.get("rel"): one.get("href") for one in etree.fromstring(second.body).findall("{*}link")}
    assert more["previous"] == more["first"] == links["first"]
    assert more["self"] == links["next"]
    assert first.findtext("{*}id") == "tag:example.org,2026:tags/python?year=2021"
    rss = etree.fromstring((await here(f"/tags/python.rss{query}")).body)
    assert rss.findtext("channel/link") == f"{base}?year=2021&size=1"
    assert {one.get("rel") for one in rss.findall("channel/{http://www.w3.org/2005/Atom}link")} == {"self", "first", "next"}
    assert all(token in one.get("href") for one in rss.findall("channel/{http://www.w3.org/2005/Atom}link"))
    document = json.loads((await here(f"/tags/python.json{query}&related=1")).body)
    assert document["feed_url"] == f"{base}.json{query}"
    assert document["next_url"].startswith(f"{base}.json?year=2021&size=1&next=")
    assert document["next_url"].endswith(f"&token={token}")
    assert document["home_page_url"] == f"{base}?year=2021&size=1"
    assert "hubs" not in document
    assert token not in json.dumps([document["items"], document["_tagfeeds"]])
    answer = await here(f"/tags/python.atom{query}")
    assert set(re.findall(r'rel="(\w+)"', answer["link"])) == {"self", "alternate", "first", "next"}


async def test_what_is_private_is_not_known_by_what_it_holds(shop):
    """Where the actor sees nothing more than everyone, the answer is as private."""
    here = await shop(allow={"id": "bob"})
    for path in FEEDS:
        answer, anonymous = await here(f"{path}?token={signed(here)}"), await here(path)
        assert seen(answer) == seen(anonymous) == ["Open one", "Open two"]
        assert_private(answer)
        assert "hub.example" not in answer.body.decode() + answer["link"]
        assert anonymous["cache-control"].startswith("public")
        assert "hub" in anonymous["link"]
        assert anonymous["xkey"]


async def test_headers_of_every_answer(shop):
    here = await shop()
    for path in FEEDS:
        address = f"{path}?token={signed(here)}"
        whole = await here(address)
        head = await here(address, method="HEAD")
        had = await here(address, {"if-none-match": whole["etag"]})
        packed = await here(address, {"accept-encoding": "gzip"})
        assert (whole.status, head.status, had.status, packed.status) == (200, 200, 304, 200)
        assert gzip.decompress(packed.body) == whole.body
        assert head.body == had.body == b""
        assert head["content-length"] == str(len(whole.body))
        for answer in (whole, head, had, packed):
            assert_private(answer)
            assert answer["etag"] == whole["etag"]
            assert answer["referrer-policy"] == "no-referrer"
        assert whole["x-robots-tag"] == "noindex"
        for answer in (await here(address, method="OPTIONS"), await here(address, method="POST")):
            assert answer.status in (204, 405, 403)
            assert not [name for name, _ in answer.lines if name.startswith("access-control")]
        too_long = await here(f"{address}&x={'x' * 9000}")
        assert too_long.status == 414
        assert_private(too_long)


async def test_an_entry_tag_tells_nothing_to_others(shop):
    here = await shop()
    mine = await here(f"/tags/python.atom?token={signed(here)}")
    again = await here(f"/tags/python.atom?token={signed(here, made='2026-01-02')}", {"if-none-match": mine["etag"]})
    assert again.status == 200
    assert (await here("/tags/python.atom", {"if-none-match": mine["etag"]})).status == 200


async def test_nothing_private_is_answered_to_others(shop):
    """Asked in every order, several times, so that what is remembered answers too."""
    here = await shop()
    token, weak = signed(here), signed(here, actor={"id": "bob"})
    for path in FEEDS:
        for order in ((token, None), (None, token), (weak, token, None), (None, "x", None), (token, weak)):
            for _ in range(3):
                for one in order:
                    answer = await here(f"{path}?token={one}" if one else path)
                    assert answer.status == (403 if one == "x" else 200)
                    assert len(seen(answer)) == {token: 4, "x": 0}.get(one, 2)
                    assert ("token=" in answer.body.decode()) == (one in (token, weak))
                    assert (answer["access-control-allow-origin"] == "*") == (one is None)


async def test_what_changes_is_seen_through_a_token(shop):
    here = await shop()
    address = f"/tags/python.atom?token={signed(here)}"
    before = await here(address)
    with closing(sqlite3.connect(shop.path)) as connection, connection:
        connection.execute("update secret set title = 'Hushed two, changed' where id = 2")
    after = await here(address, {"if-none-match": before["etag"]})
    assert after.status == 200
    assert b"changed" in after.body


async def test_the_page_gives_an_address_that_works_without_cookies(shop, clock):
    here = await shop()
    address = await offered(here)
    assert address.startswith("https://example.org/tags/python.atom?token=")
    assert address == await offered(here)
    for suffix in FORMATS:
        answer = await here(local(address).replace(".atom", f".{suffix}"))
        assert (answer.status, seen(answer)) == (200, EVERY)
    assert (await here(local(address).replace("/tags/python", "/tags/sqlite"))).status == 403
    narrowed = await offered(here, "/tags/python?type=secret&year=2021&size=1&next=")
    assert seen(await here(local(narrowed))) == ["Hushed two"]
    clock.now += 86_400
    assert await offered(here) != address
    clock.now += 364 * 86_400
    assert (await here(local(address))).status == 200
    clock.now += 86_400
    assert (await here(local(address))).status == 403


async def test_an_actor_who_cannot_be_compared_is_revoked(shop):
    here = await shop(revoked_tokens=[{"team": "a"}])
    for team, status in (("a", 403), (["b", "a"], 403), ({"a": 1}, 403), ("b", 200), (None, 200)):
        assert (await here(f"/tags/python.atom?token={signed(here, actor={**ANN, 'team': team})}")).status == status


async def test_a_page_gives_whole_actors_in_any_order(shop):
    here = await shop(allow={"role": "staff"})
    one, other = (
        {"id": "ann", "role": "staff", "more": {"b": 1, "a": [None, 1.5]}},
        {"more": {"a": [None, 1.5], "b": 1}, "role": "staff", "id": "ann"},
    )
    address = await offered(here, actor=one)
    assert address == await offered(here, actor=other)
    assert seen(await here(local(address))) == EVERY


@pytest.mark.parametrize(
    ("settings", "actor"),
    [
        ({}, None),
        ({}, {"id": "bob"}),
        ({"token_days": 0}, ANN),
        ({"tokens_since": "2999-01-01"}, ANN),
        ({"revoked_tokens": [{"id": "ann"}]}, ANN),
        ({"allow": True}, ANN),
        ({"sources": {"post": {**SOURCE, "published": None}, "secret": {**SOURCE, "published": None}}}, ANN),
        # A token of Datasette's own, which ends some day; and an actor too large for an address.
        ({}, {"id": "ann", "token": "dstok"}),
        ({}, {"id": "ann", "about": [f"{number * 7919 % 99991}" for number in range(2000)]}),
    ],
)
async def test_pages_that_give_none(shop, settings, actor):
    here = await shop(**settings)
    assert await offered(here, actor=actor) is None


async def test_a_page_never_gives_a_revoked_one(shop, clock):
    before = await shop()
    token = parse_qs(urlsplit(await offered(before)).query)["token"][0]
    here = await shop(revoked_tokens=[token_id(before, token)])
    assert await offered(here) is None
    assert await offered(here, "/tags/python+sqlite")


async def test_a_page_of_a_signed_in_actor_is_theirs(shop):
    """The page with an address in it is kept by nobody, and nobody else is given it."""
    here = await shop()
    for _ in range(3):
        address = await offered(here)
        mine = await here("/tags/python", actor="ann")
        assert_private(mine)
        for actor in (None, "bob"):
            page = await here("/tags/python", actor=actor)
            assert "token=" not in page.body.decode()
            assert "Hushed" not in page.body.decode()
            assert address
    # Nor does it stand where programs look for feeds.
    assert all("token" not in one for one in re.findall(r"<link [^>]*>", mine.body.decode()))


async def test_a_prefix_stands_in_the_address(shop):
    metadata = {"plugins": {"datasette-tagfeeds": TWO}, "databases": {"blog": {"tables": {"secret": {"allow": ANN}}}}}
    datasette = Datasette([str(shop.path)], metadata=metadata, secret=SECRET, settings={**UNHURRIED, "base_url": "/data/"})
    await datasette.invoke_startup()
    here = Asker(datasette)
    address = await offered(here, "/data/tags/python")
    assert address.startswith("https://example.org/data/tags/python.atom?token=")
    assert seen(await here(local(address))) == EVERY


def run(*arguments, **environment):
    command = [str(Path(sys.executable).parent / "datasette"), "tagfeeds", "token", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment or None)


@pytest.fixture
def shelf(shop, tmp_path):
    """A file, its settings, and a port to serve them at."""
    port = free_port()
    metadata = tmp_path / "metadata.yml"

    def write(**settings):
        block = {"plugins": {"datasette-tagfeeds": {**TWO, "base_url": f"http://127.0.0.1:{port}", **settings}}}
        block["databases"] = {"blog": {"tables": {"secret": {"allow": ANN}}}}
        metadata.write_text(yaml.safe_dump(block), encoding="utf-8")

    write()
    return shop.path, metadata, port, write


def titles(answer):
    return sorted(set(re.findall(r"(?:Open|Hushed) (?:one|two)", answer.text)))


def test_the_command_makes_addresses_that_a_server_answers(shelf, tmp_path):
    path, metadata, port, write = shelf
    given = (path, "-m", metadata, "--secret", SECRET)
    made = {format: run("PYTHON", *given, "--actor", "ann", "--format", format) for format in FORMATS}
    everything = run("@everything", *given, "--actor", '{"id": "ann"}', "--format", "json")
    short = run("sqlite+python", path, "-m", metadata, "--actor", "ann", "--days", "1", DATASETTE_SECRET=SECRET)
    stranger = run("python", *given, "--actor", "bob")
    for one in (*made.values(), everything, short, stranger):
        assert one.returncode == 0, one.stderr
        assert one.stdout.startswith(f"http://127.0.0.1:{port}/tags")
        assert one.stdout.count("\n") == 1
        assert re.search(r"Good until \d{4}-\d\d-\d\d\. Its id is t[0-9a-f]{10}\.", one.stderr)
        assert ("sees what everyone sees" in one.stderr) == (one is stranger)
    revoked = re.search("t[0-9a-f]{10}", made["rss"].stderr)[0]
    with served(path, "-m", metadata, "--secret", SECRET, folder=tmp_path, port=port):
        for one in (*made.values(), everything):
            assert titles(ask(port, local(one.stdout.strip()))) == EVERY
        assert titles(ask(port, local(short.stdout.strip()))) == ["Open one"]
        assert titles(ask(port, local(stranger.stdout.strip()))) == ["Open one", "Open two"]
    read = run("--read", made["atom"].stdout.strip(), *given)
    assert (read.returncode, read.stderr) == (0, "")
    assert re.fullmatch(
        r'Feed:  python\nActor: {"id": "ann"}\nMade:  \d{4}-\d\d-\d\d\nUntil: \d{4}-\d\d-\d\d\nId:    ' + revoked + r"\n", read.stdout
    )
    assert "Feed:  @everything" in run(everything.stdout.strip(), *given, "--read").stdout
    write(revoked_tokens=[revoked])
    again = run("--read", made["rss"].stdout.strip(), *given)
    assert (again.returncode, "Error: This address has been revoked." in again.stderr) == (1, True)
    assert "It would be refused: This address has been revoked." in run("python", *given, "--actor", "ann").stderr
    foreign = run("--read", made["rss"].stdout.strip(), path, "-m", metadata, "--secret", "another")
    assert (foreign.returncode, "was not signed with this secret" in foreign.stderr) == (1, True)
    with served(path, "-m", metadata, "--secret", SECRET, folder=tmp_path, port=port):
        assert ask(port, local(made["rss"].stdout.strip())).status == 403
        assert titles(ask(port, local(everything.stdout.strip()))) == EVERY


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["python", "--actor", "ann"], 2, "--secret"),
        (["python", "--secret", "x"], 2, "--actor"),
        (["pythom", "--secret", "x", "--actor", "ann"], 1, "Nothing is tagged “pythom”. Did you mean “python”?"),
        (["new%20name", "--secret", "x", "--actor", "bob"], 1, "Nothing is tagged “new name”."),
        (["(python", "--secret", "x", "--actor", "ann"], 1, "is no combination of tags"),
        (["python", "--secret", "x", "--actor", "{"], 2, "is no JSON object"),
        (["python", "--secret", "x", "--actor", '{"id": NaN}'], 2, "is no JSON object"),
        (["python", "--secret", "x", "--actor", '{"id": "\\ud800"}'], 2, "is no JSON object"),
        (["python", "--secret", "x", "--actor", " "], 2, "--actor must be an id"),
        (["python", "--secret", "x", "--actor", "{}"], 2, "--actor must be an id"),
        (["python", "--secret", "x", "--actor", "ann", "--days", "0"], 2, "--days"),
        (["python", "--secret", "x", "--actor", "ann", "--format", "xml"], 2, "--format"),
        (["--read", "https://example.org/tags/python.atom", "--secret", "x"], 1, "was not signed with this secret"),
        (["--read", "https://example.org/?token=\udcff.\udcff", "--secret", "x"], 1, "was not signed with this secret"),
    ],
)
def test_the_command_says_what_is_wrong(shelf, arguments, code, words):
    path, metadata, _, _ = shelf
    ended = run(*arguments, path, "-m", metadata)
    assert (ended.returncode, "Traceback" in ended.stderr, ended.stdout) == (code, False, "")
    assert words in ended.stderr


def test_the_command_needs_a_base_url_and_takes_a_prefix(shelf):
    path, metadata, port, write = shelf
    given = ("python", path, "-m", metadata, "--secret", "x", "--actor", "ann")
    for prefix in ("/data/", "data"):
        assert run(*given, "--prefix", prefix).stdout.startswith(f"http://127.0.0.1:{port}/data/tags/python.atom?token=")
    write(base_url=None)
    ended = run(*given)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "The settings have no base_url" in ended.stderr


SIGNED_IN = """
from datasette import hookimpl

@hookimpl
def actor_from_request(request):
    return {"id": "ann"} if request.headers.get("x-ann") else None
"""


@contextmanager
def signing_in(shelf, folder, *options):
    path, metadata, port, _ = shelf
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "ann.py").write_text(SIGNED_IN)
    with served(path, "-m", metadata, "--plugins-dir", folder / "plugins", *options, folder=folder, port=port):
        yield port


def test_without_a_secret_that_lasts_pages_give_no_address(shelf, tmp_path):
    for options, lasts in (([], False), (["--secret", SECRET], True)):
        with signing_in(shelf, tmp_path, *options) as port:
            page = ask(port, "/tags/python", X_Ann="1")
            assert "Hushed one" in page.text
            found = re.search(r'id="tf-private"[^>]* value="([^"]*)"', page.text)
            assert bool(found) == lasts
    with signing_in(shelf, tmp_path, "--secret", SECRET) as port:
        assert titles(ask(port, local(html.unescape(found[1])))) == EVERY


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"revoked_tokens": "t0123456789"}, "revoked_tokens: must be a list, not text"),
        (
            {"revoked_tokens": [123]},
            "revoked_tokens: must be a list of ids such as 't0123456789', or actors such as {id: ann}, and 123 is neither",
        ),
        ({"revoked_tokens": [{}]}, "and {} is neither"),
        ({"revoked_tokens": [{"id": None}]}, "and {'id': None} is neither"),
        ({"revoked_tokens": [{"id": ["ann", {}]}]}, "and {'id': ['ann', {}]} is neither"),
        ({"revoked_tokens": ["t0123456789", {1: "ann"}]}, "and {1: 'ann'} is neither"),
        ({"revoked_tokens": ["T0123456789"]}, "and 'T0123456789' is neither"),
        ({"tokens_since": "2026-11-31"}, "tokens_since: must be a day in quotes, such as '2026-11-01', not '2026-11-31'"),
        ({"tokens_since": yaml.safe_load("2026-11-01")}, "tokens_since: must be a day in quotes"),
        ({"tokens_since": "20261101"}, "tokens_since: must be a day in quotes"),
        ({"token_days": -1}, "token_days: must be a whole number of days, from 0 to 3650"),
        ({"token_days": True}, "token_days: must be a whole number of days"),
        ({"tokens": False}, "tokens: unknown setting"),
    ],
)
async def test_settings_are_checked(shop, settings, problem):
    with pytest.raises(ConfigError) as caught:
        await shop(**settings)
    assert problem in str(caught.value)
