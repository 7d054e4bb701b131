"""A real nginx with its proxy cache in front of a real server: hits, revalidation, and nothing private kept."""

import gzip
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
import yaml
from conftest import SETTINGS
from datasette.app import Datasette

from datasette_tagfeeds.web import tokens

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
pytestmark = [pytest.mark.live, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]

SECRET = "a secret for this test"
# Both caches honour what we say of our documents. The first changes nothing else; the second compresses by itself, and so needs one
# entry for all readers: those that send credentials pass it by, as Vary would have had it.
CONFIG = """
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  proxy_cache_path {folder}/plain keys_zone=plain:1m; proxy_cache_path {folder}/one keys_zone=one:1m;
  proxy_cache_revalidate on; proxy_http_version 1.1; proxy_set_header Host $http_host; add_header X-Cache-Status $upstream_cache_status;
  server {{ listen 127.0.0.1:{plain}; location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_cache plain; }} }}
  server {{
    listen 127.0.0.1:{one};
    gzip on; gzip_proxied any; gzip_min_length 0; gzip_types application/atom+xml application/rss+xml application/feed+json;
    location / {{
      proxy_pass http://127.0.0.1:{backend}; proxy_cache one; proxy_set_header Accept-Encoding ""; proxy_ignore_headers Vary;
      proxy_cache_bypass $http_cookie $http_authorization; proxy_no_cache $http_cookie $http_authorization;
    }}
  }}
}}
"""
SCHEMA = """
create table post (id integer primary key, title, body, created, tags);
create table secret (id integer primary key, title, body, created, tags);
insert into post values (1, 'Open one', '<p>Words</p>', '2020-01-01', '["python"]');
insert into secret values (1, 'Hushed', '<p>Words</p>', '2021-01-01', '["python"]');
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        self.cache, self.etag = self.headers["X-Cache-Status"], self.headers["ETag"]
        self.text = (gzip.decompress(self.body) if self.headers["Content-Encoding"] == "gzip" else self.body).decode()


class Front:
    """The server, and the two caches in front of it."""

    def __init__(self, site, folder, ttl):
        sources = {
            name: {"html": "body", "tags": "tags", "published": "created", "title": "title", "namespace": name}
            for name in ("post", "secret")
        }
        self.blog = site({}, SCHEMA)
        self.folder, self.log = folder, folder / "server.log"
        self.ports = {name: free_port() for name in ("backend", "plain", "one")}
        metadata = {
            "plugins": {"datasette-tagfeeds": {**SETTINGS, "ttl": ttl, "sources": sources}},
            "databases": {"blog": {"tables": {"secret": {"allow": {"id": "root"}}}}},
        }
        (folder / "metadata.yml").write_text(yaml.safe_dump(metadata), encoding="utf-8")
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, user=user, **self.ports), encoding="utf-8")
        # The date of a document must have come before it is sent.
        os.utime(self.blog.path, (time.time() - 100, time.time() - 100))
        os.utime(folder / "metadata.yml", (time.time() - 100, time.time() - 100))
        served = [
            "datasette",
            "serve",
            str(self.blog.path),
            "-m",
            str(folder / "metadata.yml"),
            "-p",
            str(self.ports["backend"]),
            "--secret",
            SECRET,
        ]
        with open(self.log, "wb") as log:
            self.processes = [
                subprocess.Popen([sys.executable, "-m", *served], cwd=folder, stdout=log, stderr=subprocess.STDOUT),
                subprocess.Popen([str(NGINX), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]),
            ]

    def wait(self):
        for name in self.ports:
            for _ in range(200):
                try:
                    if self.ask("/-/versions.json", name).status == 200:
                        break
                except OSError:
                    pass
                time.sleep(0.1)
            else:
                raise AssertionError(f"{name} did not start: {self.log.read_text()}")

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)

    def ask(self, path, through="plain", method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[through], timeout=20)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def backend(self, path):
        """The statuses that the server itself has answered a path with."""
        time.sleep(0.05)
        lines = self.log.read_text().splitlines()
        return [int(line.rsplit('HTTP/1.1"')[1].split()[0]) for line in lines if f"GET {path} HTTP" in line]

    def kept(self):
        """All that the caches hold."""
        return b"".join(file.read_bytes() for name in ("plain", "one") for file in (self.folder / name).rglob("*") if file.is_file())

    @property
    def root(self):
        return "ds_actor=" + Datasette(secret=SECRET).sign({"a": {"id": "root"}}, "actor")


@pytest.fixture
def front(site, tmp_path):
    started = []

    def start(ttl=900):
        folder = tmp_path / "front"
        folder.mkdir()
        one = Front(site, folder, ttl)
        started.append(one)
        one.wait()
        return one

    yield start
    for one in started:
        one.stop()


FEEDS = ("/tags/python.atom", "/tags/python.rss", "/tags/python.json", "/tags.atom")


def test_the_second_reader_gets_what_the_first_one_got(front):
    here = front()
    for path in (*FEEDS, "/tags.json", "/tags.opml", "/tags/python"):
        first = here.ask(path, User_Agent="one", Accept_Encoding="gzip")
        assert (first.status, first.cache) == (200, "MISS")
        # No other header of a request than the coding splits the cache.
        other = {
            "User_Agent": "two",
            "Accept": "text/html",
            "Accept_Language": "de",
            "Referer": "https://x.example/",
            "X_Forwarded_For": "1.2.3.4",
        }
        second = here.ask(path, Accept_Encoding="gzip", **other)
        assert (second.status, second.cache, second.body, second.etag) == (200, "HIT", first.body, first.etag)
        head = here.ask(path, method="HEAD", Accept_Encoding="gzip")
        assert (head.status, head.cache, head.headers["Content-Length"]) == (200, "HIT", str(len(first.body)))
        had = here.ask(path, Accept_Encoding="gzip", If_None_Match=first.etag)
        assert (had.status, had.cache, had.body) == (304, "HIT", b"")
        dated = here.ask(path, Accept_Encoding="gzip", If_Modified_Since=first.headers["Last-Modified"])
        assert (dated.status, dated.body) == (304, b"")
        assert here.backend(path) == [200]
        plain = here.ask(path)
        assert (plain.cache, plain.etag, plain.text) == ("MISS", first.etag, first.text)
        assert plain.headers["Content-Encoding"] is None


def test_what_has_expired_is_revalidated_and_what_changed_is_fetched(front):
    here, path = front(ttl=1), "/tags/python.atom"
    first = {through: here.ask(path, through) for through in ("plain", "one")}
    assert {(one.status, one.cache) for one in first.values()} == {(200, "MISS")}
    time.sleep(2.1)
    for through, one in first.items():
        again = here.ask(path, through)
        assert (again.status, again.cache, again.text, again.etag) == (200, "REVALIDATED", one.text, one.etag)
    assert here.backend(path) == [200, 200, 304, 304]
    here.blog.sql("update post set title = 'Changed'")
    time.sleep(2.1)
    for through, one in first.items():
        after = here.ask(path, through, If_None_Match=one.etag)
        assert (after.status, after.cache) == (200, "EXPIRED")
        assert "Changed" in after.text
        assert after.etag != one.etag
        assert after.headers["Last-Modified"] != one.headers["Last-Modified"]
    assert here.backend(path)[4:] == [200, 200]


def test_a_tag_that_nginx_passed_on_with_its_own_coding_is_known_again(front):
    here = front()
    for path in FEEDS:
        packed = here.ask(path, "one", Accept_Encoding="gzip")
        assert (packed.status, packed.headers["Content-Encoding"]) == (200, "gzip")
        direct = here.ask(path, "backend")
        assert direct.headers["Content-Encoding"] is None
        assert (packed.text, packed.etag) == (direct.text, direct.etag)
        for through in ("one", "plain", "backend"):
            assert here.ask(path, through, Accept_Encoding="gzip", If_None_Match=packed.etag).status == 304
            assert here.ask(path, through, If_None_Match=packed.etag).status == 304
        # One entry serves every coding.
        for asked in ("gzip, deflate", "br", "gzip;q=0.5, *;q=0", ""):
            assert here.ask(path, "one", Accept_Encoding=asked).cache == "HIT"


def test_what_is_private_is_never_kept(front):
    here = front()
    for through in ("plain", "one"):
        for path in (*FEEDS, "/tags/python", "/tags.json"):
            for warm in (False, True):  # before anything is kept, and beside what is
                for _ in range(2):
                    mine = here.ask(path, through, Cookie=here.root)
                    assert (mine.status, mine.headers["Cache-Control"]) == (200, "private, no-store")
                    assert ("Hushed" in mine.text) == (path != "/tags.json")
                    assert mine.cache in ("MISS", "BYPASS")
                others = here.ask(path, through)
                assert (others.status, others.cache) == (200, "HIT" if warm else "MISS")
                assert "Hushed" not in others.text
                assert "Hushed" not in here.ask(path, through, Cookie="other=1").text
                # Who knows the tag of a private document is not told whether it still holds.
                assert here.ask(path, through, If_None_Match=mine.etag).status == 200
    kept = here.kept()
    assert b"Open one" in kept
    assert b"Hushed" not in kept
    assert b"no-store" not in kept


def test_what_a_token_shows_is_never_kept(front):
    """By its address alone: no cookie tells nginx that it is private."""
    here, signer = front(), Datasette(secret=SECRET)
    for path in FEEDS:
        token = tokens.write(signer, tokens.make("python" if "python" in path else None, {"id": "root"}, "2026-01-01", 3650))
        for through in ("plain", "one"):
            for _ in range(2):
                mine = here.ask(f"{path}?token={token}", through)
                assert (mine.status, mine.headers["Cache-Control"], mine.cache) == (200, "private, no-store", "MISS")
                assert "Hushed" in mine.text
                assert here.ask(f"{path}?token={token}x", through).status == 403
                assert "Hushed" not in here.ask(path, through).text
    kept = here.kept()
    assert b"Open one" in kept
    assert b"Hushed" not in kept
    assert b"token=" not in kept
