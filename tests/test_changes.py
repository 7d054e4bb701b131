"""datasette tagfeeds purge and ping: exactly what changed is told, to caches and to hubs."""

import json
import os
import re
import socket
import sqlite3
from contextlib import closing
from threading import Thread
from urllib.parse import quote, unquote

import pytest
from asking import Clock
from commands import command, metadata
from conftest import SETTINGS, Site
from hubs import Server
from hypothesis import given, settings
from hypothesis import strategies as st
from test_index import BASE, BY_NAME, PHASES, STORAGES, execute, statements

from datasette_tagfeeds.expression import Tag
from datasette_tagfeeds.web import keys

pytestmark = pytest.mark.live

WEBLOG = {**SETTINGS, "purge_header": "xkey", "sources": {"post": {"html": "body", "where": "is_draft = 0"}}, "size": 3}
FORMATS = ("atom", "rss", "json")


def keyed(*names):
    return {keys.of_all(name.removeprefix("a-")) if name.startswith("a-") else keys.of_tag(name) for name in names}


def purge(blog, *options):
    """The lines that `purge` prints."""
    found = command("purge", blog.path, "-m", metadata(blog.path.parent, blog.settings), *options)
    assert found.exit_code == 0, found.output
    return set(found.output.split())


def filled(site, settings=WEBLOG, **rest):
    """Ten posts on three tags in turn, and one on a tag of its own."""
    blog = site(settings, **rest)
    for key in range(1, 10):
        blog.post(key, ["python", f"tag{key % 3}"], created=f"2020-01-{key:02}T00:00:00Z")
    blog.post(10, ["rare"], created="2019-01-01T00:00:00Z")
    return blog


def test_the_first_run_says_everything_and_the_next_nothing(site):
    blog = filled(site)
    assert purge(blog) == {"tagfeeds"}
    assert purge(blog) == set()


CHANGES = [
    ("update post set title = 'Changed' where id = 10", ("a-post", "rare")),
    ("update post set title = 'Changed' where id = 3", ("a-post", "python", "tag0")),
    ("delete from post where id = 10", ("a-post", "rare")),
    ("update post_tags set tag_id = (select id from tag where tag = 'rare') where post_id = 3 and tag_id = (select id from tag where tag = 'tag0')",
     ("a-post", "python", "tag0", "rare")),
    ("update tag set tag = 'rarer' where tag = 'rare'", ("a-post", "rare", "rarer")),
    ("update post set is_draft = 1 where id = 10", ("a-post", "rare")),
    ("insert into post (id, title, created) values (77, 'untagged', '2020-01-01')", ()),
    ("insert into post (id, title, created, is_draft) values (78, 'draft', '2020-01-01', 1); insert into post_tags (post_id, tag_id) values (78, 1)", ()),
    ("create table other (id integer primary key, tags); insert into other values (1, 'x')", ()),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "purged"), CHANGES)
def test_what_changed_is_purged_and_nothing_else(site, sql, purged):
    blog = filled(site)
    purge(blog)
    blog.sql(sql)
    assert purge(blog) == keyed(*purged)
    assert purge(blog) == set()


def test_an_item_that_becomes_due_is_purged(site, monkeypatch):
    blog, clock = filled(site), Clock(monkeypatch)
    clock.now = 1_600_000_000
    blog.post(11, ["later"], created="2020-09-14T00:00:00Z")
    purge(blog)
    assert purge(blog) == set()
    clock.now += 86_400
    assert purge(blog) == keyed("a-post", "later")


def test_two_versions_of_a_file(site, tmp_path):
    blog = filled(site)
    old = tmp_path / "yesterday.db"
    old.write_bytes(blog.path.read_bytes())
    assert purge(blog, "--since", old) == set()
    blog.sql("update post set title = 'Changed' where id = 10")
    for _ in range(2):  # nothing is remembered
        assert purge(blog, "--since", old) == keyed("a-post", "rare")
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("drop table post_tags")
    assert purge(blog, "--since", old) == keyed("a-post", "rare", "python", "tag0", "tag1", "tag2")
    refused = command("purge", blog.path, "--since", old, "--since", old)
    assert (refused.exit_code, "once for each file" in refused.output) == (2, True)


def test_settings_and_templates_change_everything(site, tmp_path):
    blog = filled(site)
    purge(blog)
    blog.settings = {**blog.settings, "language": "de"}
    assert purge(blog) == {"tagfeeds"}
    folder = tmp_path / "templates"
    folder.mkdir()
    purge(blog, "--template-dir", folder)
    (folder / "tagfeeds-entry.html").write_text("{{ row.title }}")
    assert purge(blog, "--template-dir", folder) == {"tagfeeds"}


def test_hidden_tables_are_told_of_to_nobody(site):
    blog = filled(site)
    private = metadata(blog.path.parent, blog.settings, databases={"blog": {"tables": {"post": {"allow": False}}}})
    for _ in range(2):
        assert "rare" not in command("purge", blog.path, "-m", private).output
        blog.sql("update post set title = title || '!' where id = 10")
    assert command("purge", blog.path, "-m", private).output == ""


def test_what_cannot_be_read_is_no_news(site, tmp_path):
    blog = filled(site)
    remembered = blog.path.with_name("blog.db-purged.json")
    for text in (b"", b"{", b"[]", b'{"form": 0}', b'{"form": 1, "tags": 3}', b"\xff\xfe"):
        remembered.write_bytes(text)
        assert purge(blog) == {"tagfeeds"}
    assert purge(blog, "--state", tmp_path / "other.json") == {"tagfeeds"}


def test_where_nothing_can_be_remembered_is_told(site, tmp_path):
    blog = filled(site)
    given = ("purge", blog.path, "-m", metadata(blog.path.parent, blog.settings))
    lost = command(*given, "--state", tmp_path / "nowhere" / "state.json")
    assert (lost.exit_code, "Error: For the next run nothing could be remembered" in lost.output) == (1, True)
    blog.path.with_name("blog.db-purged.json").mkdir()
    refused = command(*given)
    assert (refused.exit_code, "Error: What the last run remembered cannot be read" in refused.output) == (1, True)


def test_addresses(site):
    blog = filled(site)
    blog.post(12, ["a/b", "café"], created="2021-01-01T00:00:00Z")
    purge(blog)
    blog.sql("update post set title = 'Changed' where id = 12")
    names = ["a~2Fb", "caf%C3%A9"]
    pages = {"", ".json", ".opml", *(f"/{name}" for name in names)}
    feeds = {f"/{name}.{format}" for name in names for format in FORMATS}
    # The newest of all: the feed of everything shows it too.
    everything = {".atom", ".rss", ".feed.json"}
    assert purge(blog, "--addresses") == {f"https://example.org/tags{one}" for one in pages | feeds | everything}
    refused = command("purge", blog.path, "--addresses")
    assert (refused.exit_code, refused.output) == (1, "Error: The setting base_url is needed: it says where others find your site.\n")


def test_a_feed_whose_first_document_stays_as_it_is_has_no_news(site):
    """Three items make a document; the oldest is seen on later ones only. The counts of JSON Feed tell of every item."""
    blog = filled(site)
    purge(blog)
    blog.sql("update post set title = 'Changed' where id = 1")
    feeds = {one for one in purge(blog, "--addresses") if re.search(r"\.(atom|rss|json)$", one)}
    assert feeds == {"https://example.org/tags.json", *(f"https://example.org/tags/tag1.{one}" for one in FORMATS)}
    blog.sql("delete from post where id = 1")
    feeds = {one.removeprefix("https://example.org/tags") for one in purge(blog, "--addresses") if re.search(r"\.(atom|rss|json)$", one)}
    assert feeds == {".json", ".feed.json", "/python.json", *(f"/tag1.{one}" for one in FORMATS)}


MARGIN = re.compile(r'<nav aria-labelledby="tf-(?:seen|narrow)">.*?</nav>|<datalist.*?</datalist>', re.DOTALL)


async def documents(path, source, names):
    """{path: (keys, body)} of everything that is public about these tags; the margins of pages may wait."""
    blog = Site(path, {**WEBLOG, "sources": {"post": source}})
    wanted = [f"{quote(str(Tag(name)), safe='~%+,()-')}" for name in names]
    paths = ["/tags", "/tags.json", "/tags.opml", "/tags.atom", "/tags.rss", "/tags.feed.json", "/tags.atom?size=1"]
    for name in wanted:
        paths += [
            f"/tags/{name}{suffix}" for suffix in ("", "?size=1", "?year=2020", ".atom", ".rss", ".json", ".json?related=1", ".atom?size=1")
        ]
        paths += [f"/tags/-{name}.atom", f"/tags/-{name}"]
    paths += [f"/tags/{op.join(sorted(wanted[:2], key=unquote))}.{form}" for op in "+," for form in FORMATS if len(wanted) > 1]
    found = {}
    for one in paths:
        response = await blog.get(one)
        if response.status_code == 200:
            found[one] = (set(response.headers["xkey"].split()), MARGIN.sub("", response.text))
    return found


@pytest.mark.parametrize("name", [storage.name for storage in STORAGES])
@settings(max_examples=60 if os.environ.get("HYPOTHESIS_PROFILE") else 4, phases=PHASES)
@given(data=st.data())
async def test_every_document_that_changed_is_purged(name, data, tmp_path_factory):
    storage, folder = BY_NAME[name], tmp_path_factory.mktemp("changes")
    path, source = folder / "blog.db", {**BASE, **storage.source}
    transactions = st.lists(statements(storage), min_size=1, max_size=6)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(storage.schema)
        execute(connection, data.draw(st.lists(statements(storage), min_size=8, max_size=20)), False)
        blog = Site(path, {**WEBLOG, "sources": {"post": source}})
        purge(blog)
        for _ in range(2):
            known = [one["tag"] for one in (await blog.get("/tags.json")).json()["tags"]]
            before = await documents(path, source, known)
            execute(connection, data.draw(transactions), False)
            purged = purge(blog)
            after = await documents(path, source, known)
            changed = {one for one in before if one not in after or after[one][1] != before[one][1]}
            missed = {one for one in changed if not before[one][0] & purged}
            assert missed == set()
            if not purged:
                assert changed == set()


ANSWERS = {"xkey": "PURGE", "Surrogate-Key": "POST", "Cache-Tag": "POST"}


@pytest.mark.parametrize("header", ANSWERS)
class Cache(Server):
    """A cache that takes keys from whoever says a:b."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def post(self, path, headers, body):
        self.asked.append((headers.method, path, headers, body))
        return 200 if headers["Authorization"] == "Bearer a:b" else 403


@pytest.mark.parametrize("header", ANSWERS)
def test_caches_are_told_in_their_own_ways(site, header):
    blog, cache = filled(site, {**WEBLOG, "purge_header": header}), Cache()
    given = (blog.path, "-m", metadata(blog.path.parent, blog.settings), "--send", f"{cache.address}x")
    refused = command("purge", *given)
    assert (refused.exit_code, "answered 403" in refused.output) == (1, True)
    cache.asked.clear()
    assert command("purge", *given, "--header", "Authorization: Bearer a:b").output == "1 key sent.\n"
    for key in range(20, 330):
        blog.post(key, [f"new{key}"])
    assert command("purge", *given, "--header", "Authorization: Bearer a:b").output == "311 keys sent.\n"
    assert command("purge", *given).output == "0 keys sent.\n"
    cache.stop()
    assert {(method, path) for method, path, _, _ in cache.asked} == {(ANSWERS[header], "/x")}
    together = [json.loads(body)["tags"] if header == "Cache-Tag" else headers[header].split() for _, _, headers, body in cache.asked]
    assert [key for some in together for key in some] == ["tagfeeds", "a-post", *sorted(f"t-new{key}" for key in range(20, 330))]
    assert max(map(len, together)) <= {"xkey": 150, "Surrogate-Key": 256, "Cache-Tag": 30}[header]


@pytest.mark.parametrize("address", ["localhost", "http://127.0.0.1/ a", "http://127.0.0.1:abc/", "file:///dev/null", "data:,x"])
def test_what_is_no_address_of_a_cache_is_told_and_nothing_remembered(site, address):
    blog = filled(site, {**WEBLOG, "purge_header": "xkey"})
    refused = command("purge", blog.path, "-m", metadata(blog.path.parent, blog.settings), "--send", address)
    assert (refused.exit_code, refused.output.startswith(f"Error: {address} could not be reached: ")) == (1, True)
    assert not blog.path.with_name("blog.db-purged.json").exists()


def test_a_cache_that_speaks_no_http_is_told_of(site):
    blog = filled(site, {**WEBLOG, "purge_header": "xkey"})
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=_greet, args=(listening,), daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        refused = command("purge", blog.path, "-m", metadata(blog.path.parent, blog.settings), "--send", address)
    assert (refused.exit_code, refused.output.startswith(f"Error: {address} could not be reached: ")) == (1, True)


def _greet(listening):
    with listening.accept()[0] as connection:
        connection.recv(9999)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


class Elsewhere(Server):
    """Redirects every POST, and answers well to whoever follows."""

    def __init__(self, status):
        super().__init__()
        self.status, self.followed = status, []

    def get(self, path, headers):
        self.followed.append(dict(headers))
        return 200, b""

    def post(self, path, headers, body):
        return self.status


@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_a_redirect_is_no_purge(site, status):
    blog, cache = filled(site, {**WEBLOG, "purge_header": "Surrogate-Key"}), Elsewhere(status)
    given = ("purge", blog.path, "-m", metadata(blog.path.parent, blog.settings), "--send", cache.address)
    refused = command(*given, "--header", "Fastly-Key: secret")
    cache.stop()
    assert (refused.exit_code, f"answered {status}" in refused.output, cache.followed) == (1, True, [])
