"""Feed readers see what we meant: real parsers over every document, and subscriptions over HTTP to a live server."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from html import escape
from pathlib import Path
from time import struct_time
from typing import Any, NamedTuple
from urllib.request import urlopen

import atoma
import feedparser
import pytest
from conftest import SETTINGS, Site
from reader import Reader, make_reader
from test_documents import SITES, Document, collect

FORMATS = ("atom", "rss", "json")


class Seen(NamedTuple):
    """An entry as a reader shows it."""

    id: str
    title: str
    link: str
    published: datetime
    updated: datetime
    content: str
    tags: tuple[str, ...]


@pytest.fixture(params=SITES)
def pairs(request: pytest.FixtureRequest, tmp_path: Path) -> list[tuple[Document, list[Seen]]]:
    """The Atom and RSS documents of each site in turn, each with the entries that its JSON Feed tells of."""
    documents = collect(request.param, tmp_path, lambda: request.getfixturevalue("data"))
    told = {stem(document): document.json["items"] for document in documents if document.format == "json"}
    return [
        (document, [from_json(item, document.format) for item in told[stem(document)]])
        for document in documents
        if document.format in ("atom", "rss")
    ]


def stem(document: Document) -> str:
    """The path without the format."""
    path, mark, query = document.path.partition("?")
    return re.sub(r"\.(atom|rss|feed\.json|json)$", "", path) + mark + query


def from_json(item: dict[str, Any], format: str) -> Seen:
    """An entry as JSON Feed says it, plainly; where it is summed up, RSS says that as HTML. Tags that look alike are seen once."""
    published, updated = (datetime.fromisoformat(item[name].replace("Z", "+00:00")) for name in ("date_published", "date_modified"))
    summary = item.get("summary", "")
    content = item.get("content_html") or (escape(summary, quote=False) if format == "rss" else summary)
    return Seen(item["id"], item["title"], item["url"], published, updated, folded(content), tuple(dict.fromkeys(item.get("tags", ()))))


def folded(text: str) -> str:
    """Text with white space folded: XML and its parsers normalise line ends, and drop what is around."""
    return " ".join(text.split())


def moment(parsed: struct_time) -> datetime:
    """feedparser's time, which is UTC."""
    return datetime(*parsed[:6], tzinfo=timezone.utc)


def test_feedparser_reads_every_feed_and_sees_what_json_feed_says(pairs: list[tuple[Document, list[Seen]]]) -> None:
    for document, expected in pairs:
        feed = feedparser.parse(
            document.content,
            response_headers={"content-type": document.content_type},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        assert not feed.bozo, (document.path, feed.bozo_exception)
        assert feed.version == {"atom": "atom10", "rss": "rss20"}[document.format]
        seen = [
            Seen(
                entry.id,
                entry.title,
                entry.link,
                moment(entry.published_parsed),
                moment(entry.updated_parsed if "updated_parsed" in entry else entry.published_parsed),
                folded(entry.content[0].value if "content" in entry else entry.get("summary", "")),
                tuple(dict.fromkeys(tag.label or tag.term for tag in entry.get("tags", ()))),
            )
            for entry in feed.entries
        ]
        assert seen == expected, document.path


def test_atoma_reads_every_feed_and_sees_what_json_feed_says(pairs: list[tuple[Document, list[Seen]]]) -> None:
    for document, expected in pairs:
        if document.format == "atom":
            seen = [
                Seen(
                    entry.id_,
                    entry.title.value,
                    next(link.href for link in entry.links if link.rel == "alternate"),
                    entry.published,
                    entry.updated,
                    folded(entry.content.value if entry.content else entry.summary.value if entry.summary else ""),
                    tuple(dict.fromkeys(category.label or category.term for category in entry.categories)),
                )
                for entry in atoma.parse_atom_bytes(document.content).entries
            ]
            assert seen == expected, document.path
        else:
            items = [
                (item.guid, item.title, item.link, item.pub_date, folded(item.content_encoded or item.description or ""))
                for item in atoma.parse_rss_bytes(document.content).items
            ]
            # atoma takes the year 0001 for 2001.
            dates = [one.published.replace(year={1: 2001}.get(one.published.year, one.published.year)) for one in expected]
            assert items == [(one.id, one.title, one.link, date, one.content) for one, date in zip(expected, dates, strict=True)], (
                document.path
            )


class Server:
    """A `datasette serve` of its own process over a site's file, with its access log."""

    def __init__(self, site: Site, port: int, log: Path) -> None:
        self.site = site
        self.base = f"http://127.0.0.1:{port}"
        self.log = log
        settings = log.with_name("metadata.json")
        settings.write_text(json.dumps({"plugins": {"datasette-tagfeeds": {**site.settings, "base_url": self.base}}}))
        command = [sys.executable, "-m", "datasette", "serve", str(site.path), "--metadata", str(settings), "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=log.open("w"), stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Return as soon as it answers."""
        for _ in range(300):
            assert self.process.poll() is None, self.log.read_text()
            try:
                urlopen(f"{self.base}/-/versions.json", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def answers(self) -> list[tuple[str, int]]:
        """What was asked for and how it was answered, in order."""
        time.sleep(0.05)
        return [(path, int(status)) for path, status in re.findall(r'"GET (\S+) HTTP/1.1" (\d+)', self.log.read_text())]


@pytest.fixture
def live(site: Callable[..., Site], tmp_path: Path) -> Iterator[Server]:
    """A live server of a weblog with three posts."""
    blog = site({**SETTINGS, "aliases": {"python": "cpython"}})
    for key in (1, 2, 3):
        blog.post(key, ["python", "web"], created=f"2020-01-0{key}T00:00:00Z", updated=f"2020-02-0{key}T00:00:00Z")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(blog, port, tmp_path / "access.log")
    try:
        server.wait()
        yield server
    finally:
        server.process.terminate()
        server.process.wait(10)


class Update(NamedTuple):
    """What a subscriber noticed: how it was answered, and how many entries were new or changed to it."""

    statuses: list[int]
    new: int
    modified: int


def update(server: Server, reader: Reader, format: str) -> Update:
    """Let the reader ask for its feed once."""
    before = len(server.answers())
    done = reader.update_feed(f"{server.base}/tags/python.{format}")
    statuses = [status for _, status in server.answers()[before:]]
    return Update(statuses, done.new if done else 0, done.modified if done else 0)


def test_a_subscriber_sees_news_as_news_edits_as_edits_and_nothing_twice(live: Server) -> None:
    blog = live.site
    reader = make_reader(":memory:")
    for format in FORMATS:
        reader.add_feed(f"{live.base}/tags/python.{format}")

    def everyone() -> list[Update]:
        return [update(live, reader, format) for format in FORMATS]

    assert everyone() == [Update([200], 3, 0)] * 3
    assert everyone() == [Update([304], 0, 0)] * 3
    blog.sql("update post set body = '<p>Corrected</p>' where id = 2")
    assert everyone() == [Update([200], 0, 1)] * 3
    blog.sql("update post set title = 'Rewritten', updated = '2020-03-01T00:00:00Z' where id = 1")
    assert everyone() == [Update([200], 0, 1)] * 3
    blog.post(4, ["python"], created="2020-01-04T00:00:00Z")
    assert everyone() == [Update([200], 1, 0)] * 3
    assert everyone() == [Update([304], 0, 0)] * 3
    blog.sql("update tag set tag = 'cpython' where tag = 'python'")
    renamed = everyone()
    assert [(one.statuses, one.new) for one in renamed] == [([301, 200], 0)] * 3
    assert everyone() == [Update([301, 304], 0, 0)] * 3
    for format in FORMATS:
        entries = list(reader.get_entries(feed=f"{live.base}/tags/python.{format}"))
        assert sorted(entry.id for entry in entries) == [f"tag:example.org,2026:blog/post/{key}" for key in (1, 2, 3, 4)]
        one = next(entry for entry in entries if entry.id.endswith("/1"))
        assert (one.title, one.link) == ("Rewritten", f"{live.base}/blog/post/1")
        assert one.published == datetime(2020, 1, 1, tzinfo=timezone.utc)
        assert one.updated == datetime(2020, 3, 1, tzinfo=timezone.utc)
        assert next(entry for entry in entries if entry.id.endswith("/2")).get_content().value == "<p>Corrected</p>"


@pytest.mark.parametrize("format", ["atom", "rss"])
def test_feedparsers_own_conditional_requests_are_answered_304(live: Server, format: str) -> None:
    address = f"{live.base}/tags/web.{format}"
    first = feedparser.parse(address)
    assert (first.status, len(first.entries)) == (200, 3)
    assert first.headers["content-encoding"] == "gzip"
    assert feedparser.parse(address, etag=first.etag).status == 304
    assert feedparser.parse(address, etag=first.etag, modified=first.get("modified")).status == 304
    live.site.sql("update post set title = 'New' where id = 3")
    second = feedparser.parse(address, etag=first.etag, modified=first.get("modified"))
    assert (second.status, second.entries[0].title) == (200, "New")
    assert second.etag != first.etag
    # No date is sent within the second in which it would come to be.
    if "modified" in second and "modified" in first:
        assert parsedate_to_datetime(second.modified) >= parsedate_to_datetime(first.modified)
