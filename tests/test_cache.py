"""What is remembered is never stale, its validators tell exactly what changed, and nothing private is kept."""

import gzip
import os
import random
import re
import shutil
import sqlite3
from email.utils import formatdate, parsedate_to_datetime
from hashlib import sha256

import pytest
from asking import Asker, Clock
from conftest import SETTINGS, Site
from datasette.app import Datasette

from datasette_tagfeeds import store
from datasette_tagfeeds.store import databases
from datasette_tagfeeds.web import cache

# "A thousand" is for those who wait: TAGFEEDS_CHANGES=1000.
CHANGES = int(os.environ.get("TAGFEEDS_CHANGES", "120"))
SIZE = 10
ROOM = 200_000
NAMES = [f"t{number}" for number in range(8)]
SPARE = ["s0", "s1"]
DOCUMENTS = ("/tags.atom", "/tags.rss", "/tags.feed.json", "/tags/t1.atom", "/tags/t1.rss", "/tags/t1.json", "/tags/t1+t2.atom")
INDEXES = ("/tags", "/tags.json", "/tags.opml?min=1", "/tags/t1")


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def fill(blog, chance, clock, items=40):
    """Add items of the last month, each with one to four tags."""
    for key in range(1, items + 1):
        blog.post(key, chance.sample(NAMES, chance.randint(1, 4)), created=clock.text(-chance.randint(0, 30 * 86400)))


class Watched:
    """A feed as its reader knows it, and what it must hold: a test of a set of tags, and the tags that it names."""

    def __init__(self, path, names, holds, counts=False):
        self.path, self.names, self.holds, self.counts = path, names, holds, counts
        self.model = self.tag = self.date = None
        self.by_date = (None, None)

    def expected(self, items, known):
        """What the document is made of; None where a tag is on no item that may be seen."""
        if not self.names <= known:
            return None
        mine = [item for item in items if self.holds(item[-1])]
        return mine[:SIZE], len(mine) > SIZE, len(mine) if self.counts else 0


def watched():
    yield from (Watched(f"/tags/{name}.atom", {name}, lambda tags, name=name: name in tags) for name in [*NAMES, *SPARE])
    yield Watched("/tags/t0+t1.atom", {"t0", "t1"}, lambda tags: {"t0", "t1"} <= tags)
    yield Watched("/tags/t2+-t3.rss", {"t2", "t3"}, lambda tags: "t2" in tags and "t3" not in tags)
    yield Watched("/tags/t4,t5.json", {"t4", "t5"}, lambda tags: bool({"t4", "t5"} & tags), counts=True)
    yield Watched("/tags.atom", set(), bool)
    yield Watched("/tags.feed.json", set(), bool, counts=True)


def state(path, now):
    """Every item that may be seen, in the order of feeds, its tags last; and all their tags. Told by plain SQL."""
    connection = sqlite3.connect(path)
    items = []
    for row in connection.execute("select * from post where is_draft = 0 and created <= ? order by created desc, id desc", (now,)):
        found = connection.execute("select tag from post_tags join tag on tag.id = tag_id where post_id = ?", row[:1])
        if tags := frozenset(tag for (tag,) in found):
            items.append((*row, tags))
    connection.close()
    return items, {tag for item in items for tag in item[-1]}


def change(blog, chance, clock, number):
    """One change, of any kind. Some change nothing that anybody sees, some only the time."""
    ids = [row[0] for row in sqlite3.connect(blog.path).execute("select id from post")]
    key, name = chance.choice(ids), chance.choice(NAMES)
    tag = "(select id from tag where tag = ?)"
    match kind := chance.randrange(13):
        case 0 | 1:
            blog.sql("update post set title = ?, body = ? where id = ?", (f"Edit {number}", f"<p>{number}</p>", key))
        case 2:
            blog.sql("update post set created = ? where id = ?", (clock.text(-chance.randint(0, 40 * 86400)), key))
        case 3:
            blog.sql("update post set created = ? where id = ?", (clock.text(chance.randint(1, 20)), key))
        case 4:
            blog.post(max(ids) + 1, chance.sample(NAMES, 2), created=clock.text(chance.choice([-5, 0, 1, 10])))
        case 5:
            blog.sql(f"delete from post_tags where post_id = ? and tag_id = {tag}", (key, name))
        case 6:
            blog.sql(
                f"insert into post_tags (post_id, tag_id) select ?, max(id) from tag where tag = ? and id not in (select tag_id from post_tags where post_id = {key}) having max(id)",
                (key, name),
            )
        case 7:
            blog.sql("delete from post where id = ?", (key,)) if len(ids) > 30 else blog.post(max(ids) + 1, [name])
        case 8:
            blog.sql("update post set is_draft = 1 - is_draft where id = ?", (key,))
        case 9:
            old, new = chance.sample([*NAMES, *SPARE], 2)
            blog.sql("update tag set tag = ? where tag = ? and not exists (select 1 from tag where tag = ?)", (new, old, new))
        case 10:
            blog.sql("create table if not exists other (n); insert into other values (1)")
        case _:
            clock.now += chance.choice([1, 5, 20])
    if kind < 11:
        clock.touch(blog.path)
    clock.now += chance.choice([0, 1, 1, 2, 3])


async def test_each_change_changes_the_feeds_that_it_is_in_and_no_other(site, clock):
    chance = random.Random(4)
    blog = site({**SETTINGS, "size": SIZE})
    fill(blog, chance, clock)
    clock.settings_in_a_file()
    clock.touch(blog.path, 5)
    await blog.start()
    # Beside the server that remembers, one that is made to forget all.
    ask, forgetful = Asker(blog.datasette), Asker(Site(blog.path, blog.settings).datasette)
    await forgetful.datasette.invoke_startup()
    feeds, changed, same, dated = list(watched()), 0, 0, 0
    for number in range(CHANGES + 1):
        if number:
            change(blog, chance, clock, number)
        if number % 50 == 49:
            forgetful = Asker(Site(blog.path, blog.settings).datasette)
            await forgetful.datasette.invoke_startup()
        items, known = state(blog.path, clock.text())
        for feed in feeds:
            model = feed.expected(items, known)
            answer = await ask(feed.path)
            if number % 6 == 0:
                cache._CACHES.pop(forgetful.datasette, None)
                databases._MEMORIES.pop(forgetful.datasette, None)
                fresh = await forgetful(feed.path)
                assert (answer.status, answer.body, answer["etag"]) == (fresh.status, fresh.body, fresh["etag"]), (number, feed.path)
            assert answer.status == (404 if model is None else 200), (number, feed.path)
            if model is None:
                feed.model = feed.tag = None
                continue
            tag, date = answer["etag"], answer["last-modified"]
            if feed.tag:
                assert (tag == feed.tag) == (model == feed.model), (number, feed.path)
                assert (await ask(feed.path, {"if-none-match": feed.tag})).status == (304 if model == feed.model else 200)
                changed, same = changed + (tag != feed.tag), same + (tag == feed.tag)
            feed.model, feed.tag = model, tag
            # A reader that knows dates only is never told that it has what it has not.
            known_date, known_tag = feed.by_date
            if known_date:
                assert (await ask(feed.path, {"if-modified-since": known_date})).status == 200 or known_tag == tag, (number, feed.path)
            if date:
                seconds = parsedate_to_datetime(date).timestamp()
                assert seconds <= clock.now
                assert seconds >= (feed.date or 0)
                assert (date == known_date) <= (tag == known_tag)
                feed.date, feed.by_date, dated = seconds, (date, tag), dated + 1
    assert min(changed, same, dated) > CHANGES  # the changes were worth trying


async def test_a_scheduled_item_appears_on_its_second_though_nothing_is_written(site, clock):
    blog = site()
    blog.post(1)
    blog.post(2, created=clock.text(10))
    clock.settings_in_a_file()
    clock.touch(blog.path, 60)
    await blog.start()
    ask = Asker(blog.datasette)
    before = {path: await ask(path) for path in ("/tags.atom", "/tags/python.atom", "/tags.json", "/tags/python")}
    clock.now += 9
    for path, answer in before.items():
        assert (await ask(path)).body == answer.body
    clock.now += 1
    for path, answer in before.items():
        due = await ask(path, {"if-none-match": answer["etag"]})
        assert due.status == 200
        assert due["last-modified"] == formatdate(clock.now, usegmt=True)
        assert b"Post 2" in due.body or path == "/tags.json"
        assert (await ask(path, {"if-modified-since": answer["last-modified"]})).status == 200


async def test_what_became_due_moves_dates_on_a_server_that_was_not_asked_before(site, clock):
    blog = site({**SETTINGS, "size": 2})
    for key in range(1, 6):
        blog.post(key, created=f"2020-01-0{key}")
    blog.post(6, created=clock.text(10))
    clock.settings_in_a_file()
    clock.touch(blog.path, 60)
    await blog.start()
    ask = Asker(blog.datasette)
    following = "/tags/python.atom?next=" + re.search(rb"next=([\w-]+)", (await ask("/tags/python.atom")).body)[1].decode()
    paths = ("/tags.atom", "/tags/python.atom", "/tags/python.json", "/tags.json", "/tags.opml", "/tags", "/tags/python", following)
    before = {path: await ask(path) for path in paths}
    clock.now += 20
    other = Site(blog.path, blog.settings)
    await other.start()
    for path in reversed(paths):
        answer = await Asker(other.datasette)(path, {"if-modified-since": before[path]["last-modified"]})
        assert answer.status == 200 or before[path].body == (await ask(path)).body, path


async def test_a_reader_that_has_the_document_costs_no_query(site, clock, monkeypatch):
    blog = site()
    blog.post(1)
    await blog.start()
    ask = Asker(blog.datasette)
    tags = {path: (await ask(path))["etag"] for path in ("/tags.atom", "/tags/python.atom", "/tags/python.json")}

    async def asked(*_):
        raise AssertionError("a query")

    monkeypatch.setattr(store.Store, "_execute", asked)
    for path, tag in tags.items():
        assert (await ask(path, {"if-none-match": tag})).status == 304
        assert (await ask(path)).status == 200


async def test_servers_with_the_same_data_send_the_same_tags(site, clock, tmp_path):
    blog = site()
    fill(blog, random.Random(1), clock)
    (tmp_path / "copy").mkdir()
    shutil.copy(blog.path, tmp_path / "copy" / "blog.db")
    servers = [
        blog,
        Site(tmp_path / "copy" / "blog.db", blog.settings),
        Site(blog.path, blog.settings),
        Site(blog.path, blog.settings, True),
    ]
    told = []
    for one in servers:
        await one.start()
        ask = Asker(one.datasette)
        answers = [await ask(path, {"accept-encoding": coding}) for path in (*DOCUMENTS, *INDEXES) for coding in ("gzip", None)]
        told.append([(answer.status, answer["etag"], answer.body) for answer in answers])
    assert all(status == 200 for status, _, _ in told[0])
    assert told[1:] == [told[0]] * 3


TWO = {
    **SETTINGS,
    "purge_header": "Cache-Tag",
    "sources": {"post": {"html": "body"}, "secret": {"table": "secret", "published": "created", "title": "title", "tags": "tags"}},
}
SECRETS = """
create table post (id integer primary key, title, body, created, tags);
create table secret (id integer primary key, title, created, tags);
insert into post values (1, 'Open', '', '2020-01-01', '["t1", "t2"]');
insert into secret values (1, 'Hushed', '2021-01-01', '["t1", "t2", "hush"]');
"""


@pytest.mark.parametrize("path", [*DOCUMENTS, *INDEXES])
async def test_what_is_hidden_from_anybody_is_kept_nowhere(site, clock, path):
    blog = site(TWO, SECRETS, databases={"blog": {"tables": {"secret": {"allow": {"id": "root"}}}}})
    await blog.start()
    ask = Asker(blog.datasette)
    for _ in range(2):  # what one may see is not remembered for the other
        answer, root = await ask(path), await ask(path, actor="root")
        assert answer.status == root.status == 200
        assert b"Hushed" not in answer.body
        assert b"hush" not in answer.body
        assert "s-secret" not in (answer["cache-tag"] or "")
        assert answer["cache-control"].startswith("public, max-age=900")
        assert root.body != answer.body
        assert root["etag"] != answer["etag"]
        again = await ask(path, {"if-none-match": root["etag"]}, actor="root")
        if path not in ("/tags", "/tags/t1"):  # pages hold what changes with each visit of an actor
            assert again.status == 304
        for one in (root, again, await ask(path, method="HEAD", actor="root")):
            assert one["cache-control"] == "private, no-store"
            assert one["referrer-policy"] == "no-referrer"
            assert not [name for name, _ in one.lines if name.startswith("access-control-")]
    assert (await ask(path, {"if-none-match": root["etag"]})).status == 200


@pytest.mark.parametrize("block", [{"allow": {"id": "root"}}, {"databases": {"blog": {"allow": {"id": "root"}}}}])
@pytest.mark.parametrize("path", ["/tags.atom", "/tags/t1.atom", "/tags/t1+t2.json", "/tags.json"])
async def test_a_private_site_keeps_nothing(site, clock, block, path):
    blog = site(TWO, SECRETS, **block)
    await blog.start()
    ask = Asker(blog.datasette)
    root = await ask(path, actor="root")
    assert (root.status, root["cache-control"], root["access-control-allow-origin"]) == (200, "private, no-store", None)
    anonymous = await ask(path)
    assert b"Open" not in anonymous.body
    assert anonymous.status in (403, 404) or b"Open" in root.body or path == "/tags.json"
    missing = await ask("/tags/nope.atom", actor="root")
    assert (missing.status, missing["cache-control"], missing["access-control-allow-origin"]) == (404, "private, no-store", None)


@pytest.mark.parametrize(("header", "between"), [("Cache-Tag", ","), ("Surrogate-Key", " "), ("xkey", " ")])
async def test_purge_keys_name_sources_and_operands(site, header, between):
    blog = site({**SETTINGS, "purge_header": header, "sources": {"post": {}, "second post": {"table": "post"}}})
    long = "x" * 41
    blog.post(1, ["django", "c++", "café", long, "a b"])
    await blog.start()
    ask = Asker(blog.datasette)

    def hashed(name):
        return sha256(name.encode()).hexdigest()[:10]

    both = ["s-post", f"s-{hashed('second post')}"]
    every = ["a-post", f"a-{hashed('second post')}"]
    for path, keys in {
        **{one: [*both, *every] for one in ("/tags.atom", "/tags", "/tags.json", "/tags.opml")},
        "/tags.rss?type=post": ["s-post", "a-post"],
        "/tags/-django.atom": [*both, *every, "t-django"],
        f"/tags/{long},-django": [*both, *every, "t-django", f"t-{hashed(long)}"],
        "/tags/django": [*both, "t-django"],
        "/tags/django.atom": [*both, "t-django"],
        "/tags/django.rss?type=post": ["s-post", "t-django"],
        "/tags/c~2B~2B+django.json": [*both, f"t-{hashed('c++')}", "t-django"],
        f"/tags/caf%C3%A9,{long}.atom": [*both, f"t-{hashed('café')}", f"t-{hashed(long)}"],
        "/tags/django+-a%20b.atom": [*both, f"t-{hashed('a b')}", "t-django"],
    }.items():
        answer = await ask(path)
        assert answer.status == 200, path
        told = answer[header.lower()].split(between)
        assert told[0] == "tagfeeds"
        assert sorted(told) == sorted(["tagfeeds", *keys])
        assert (await ask(path, {"if-none-match": answer["etag"]}))[header.lower()] == answer[header.lower()]


async def test_no_purge_keys_unless_wanted(site):
    blog = site()
    blog.post(1)
    await blog.start()
    names = {name for name, _ in (await Asker(blog.datasette)("/tags.atom")).lines}
    assert not names & {"cache-tag", "surrogate-key", "xkey"}


async def test_while_templates_are_worked_on_nothing_says_how_long_to_keep(site, clock):
    blog = site({})
    blog.post(1, ["t1", "t2"])
    ask = Asker(Datasette([str(blog.path)], cache_headers=False))
    await ask.datasette.invoke_startup()
    for path in (*DOCUMENTS, *INDEXES, "/tags/nope.atom", "/tags/nope.json"):
        answer = await ask(path)
        assert answer["cache-control"] is None
        if answer.status == 200:
            assert (await ask(path, {"if-none-match": answer["etag"]})).status == 304


async def test_settings_say_how_long(site):
    blog = site({**SETTINGS, "ttl": 60})
    blog.post(1)
    await blog.start()
    kept = (await Asker(blog.datasette)("/tags/python.atom"))["cache-control"]
    assert kept == "public, max-age=60, s-maxage=60, stale-while-revalidate=3600, stale-if-error=86400"


async def test_memory_is_bounded(site, clock, monkeypatch):
    blog = site({**SETTINGS, "cache_bytes": 2 * ROOM})
    fill(blog, random.Random(2), clock)
    clock.settings_in_a_file()
    await blog.start()
    ask = Asker(blog.datasette)
    monkeypatch.setattr(cache, "SENT", 20)
    first = await ask("/tags.atom?size=1")
    held = cache.existing(blog.datasette)
    for size in range(1, 101):
        assert (await ask(f"/tags.atom?size={size}", {"accept-encoding": "gzip"})).status == 200
        for shelf in (held.documents, held.packed):
            documents = [kept.document for (kept, _) in shelf._held.values()]
            assert sum(len(one.body) + len(one.compressed) for one in documents) <= shelf.size
        assert held.documents.size + held.packed.size + held.addresses.size <= 2 * ROOM
        assert len(held._sent) <= cache.SENT
    assert 1 <= len(held.documents) < len(held.packed) < 100
    # What is packed is what it was, in both codings, and is not made anew.
    place, plain = f"/tags.atom?size={99 - len(held.documents)}", {"accept-encoding": "identity"}
    with monkeypatch.context() as nothing_is_made:
        nothing_is_made.setattr("datasette_tagfeeds.web.documents._made", None)
        packed, copy = await ask(place, plain), await ask(place, {"accept-encoding": "gzip"})
    assert gzip.decompress(copy.body) == packed.body
    blog.sql("pragma user_version = 1")  # everything is made anew
    made = await ask(place, plain)
    assert (made.body, made["etag"], made["content-length"]) == (packed.body, packed["etag"], packed["content-length"])
    # What was forgotten is made again, with the same validators.
    assert (await ask("/tags.atom?size=1")).lines == first.lines


async def test_compressed_copies_count(site):
    blog = site()
    blog.post(1, body="<p>Words.</p>" * 500)
    await blog.start()
    ask = Asker(blog.datasette)
    await ask("/tags.atom")
    held = cache.existing(blog.datasette).documents
    before, copy = held.size, await ask("/tags.atom", {"accept-encoding": "gzip"})
    assert held.size == before + len(copy.body)


async def test_addresses_that_anybody_makes_up_push_no_document_out(site):
    blog = site({**SETTINGS, "cache_bytes": ROOM})
    blog.post(1)
    await blog.start()
    ask = Asker(blog.datasette)
    for number in range(200):
        assert (await ask(f"/tags.atom?made-up={number}" + "x" * 1000)).status == 200
    held = cache.existing(blog.datasette)
    assert (len(held.documents), held.addresses.size <= ROOM / 8) == (1, True)


@pytest.mark.parametrize("room", [0, 10, 20_000])
async def test_a_document_that_is_too_large_is_served_and_not_kept(site, room):
    blog = site({**SETTINGS, "cache_bytes": room})
    blog.post(1, body="<p>Words.</p>" * 1000)
    await blog.start()
    ask = Asker(blog.datasette)
    answers = [await ask(path) for path in ("/tags.atom", "/tags.rss") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 6
    assert answers[0].body == answers[1].body
    assert len(cache.existing(blog.datasette).documents) == 0


def test_dates_of_what_was_forgotten_are_not_gone_behind(monkeypatch, clock):
    monkeypatch.setattr(cache, "SENT", 2)
    held, start = cache.Cache(0), clock.now
    assert held.modified("a", "1", start - 50) == start - 50
    assert held.modified("a", "2", start - 50) == start
    for number in range(5):
        held.modified(number, "x", start - 40)
    assert held.modified("a", "2", start - 50) == start
