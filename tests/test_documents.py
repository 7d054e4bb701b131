"""Every document is what its specification asks for, whatever the rows hold: schemas and rules over the feeds of many databases.

The W3C feed validator is not to be had from a package index: `tests/validate.py` runs a checkout of it over the same documents.
"""

import asyncio
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from conftest import ATOM, ROOT, Site, texts
from datasette.app import Datasette
from lxml import etree

BASE = {"base_url": "https://example.org", "authority": "example.org,2026", "title": "Site"}
RSS = {**ATOM, "dc": "http://purl.org/dc/elements/1.1/", "content": "http://purl.org/rss/1.0/modules/content/"}

# Columns without a type keep whatever is put into them.
NASTY_SCHEMA = """
create table post (id integer primary key, title, body, created, updated, link, related, via, enclosure, size, image, language, author,
    helper, rights, summary, guid);
create table tag (id integer primary key, tag);
create table post_tags (id integer primary key, post_id integer references post(id), tag_id integer references tag(id));
"""
NASTY_SOURCE = {
    "table": "post",
    **{name: name for name in ("link", "related", "via", "enclosure", "image", "language", "author", "rights", "summary")},
    "enclosure_length": "size",
    "contributor": "helper",
    "id": "guid",
}
# As many rows, from the first, as test titles and bodies.
BODIES = 50
NASTY_SETTINGS = {
    **BASE,
    "sources": {
        "post": {**NASTY_SOURCE, "html": "body"},
        "note": {**NASTY_SOURCE, "markdown": "body", "namespace": "blog/note", "id": None, "where": f"id <= {BODIES}"},
        "memo": {**NASTY_SOURCE, "text": "body", "namespace": "blog/memo", "id": None, "where": f"id <= {BODIES}"},
    },
}
TRUSTED_SETTINGS = {**BASE, "sources": {"post": {**NASTY_SOURCE, "html": "body", "trusted": True}}}
# Lone surrogates, and bytes that are no text at all, where text is expected.
INVALID_UTF_8 = """
insert into post (id, title, body, created) values
    (9001, cast(x'61eda08062' as text), 'x', '2020-01-01'), (9002, 'x', cast(x'3c703e61edb08062' as text), '2020-01-01'),
    (9003, cast(x'ff41' as text), cast(x'61ff62' as text), '2020-01-01');
insert into tag (id, tag) values (9001, cast(x'61eda08062' as text)), (9002, cast(x'ff42' as text));
insert into post_tags (post_id, tag_id) select post.id, tag.id from post, tag where post.id > 9000 and (tag.tag = 'nasty' or tag.id > 9000);
"""

NASTY_TITLES = [
    "bell\x07 and \x00 null \x1b[31m",
    "tab\tnew\nline\r\nreturn\rend",
    "not \ufffe a \uffff character \U0001fffe",
    "delete \x7f c1 \x80\x85\x92\x9f",
    "ends ]]> here <![CDATA[x]]>",
    "👩‍👩‍👧‍👦 🇧🇷 ☃️",
    "right \u202e left \u2066 isolated",
    "<b>bold</b> & <script>alert(1)</script>",
    "AT&T &amp; &lt;i&gt; &nbsp; &bogus; &#0;",
    "",
    None,
    " \t\n ",
    42,
    1.5,
    float("inf"),
    b"\x00\xff bytes",
    "\ufeffmark\u200b of order",
    "long " * 20_000,
    "e\u0301 composed ﷺ",
    "{{ 7 * 7 }} {% x %}",
]
NASTY_BODIES = [
    "<p>bell\x07 \x00 \x0b \x0c</p>",
    "<p>&#0; &#x1; &#xB; &#xFFFE; &#xD800; &#x110000; &#128; &nbsp; &bogus; &amp;lt;</p>",
    "not \ufffe <b>a \uffff</b> character",
    "c1 \x80\x85 <i>\x92\x9f</i>",
    "<p>]]> <![CDATA[ x ]]></p>",
    '<a href="/x">x</a> <a href="y">y</a> <a href="#z">z</a> <a href="?q">q</a> <img src="//cdn.example/i.png" alt=""> <a href="">e</a>',
    '<p onclick="x()">a<script>alert(1)</script><a href="javascript:alert(1)">b</a><a href=" java\nscript:x">c</a></p>',
    "<p>unbalanced <b>bold <i>both</b> italic</i> <table><tr><td>x <div></p></span>",
    "<p/><br></br><hr/ ><img src=x onerror=alert(1)//",
    "",
    None,
    "  \n ",
    b"<p>bytes \x00\xff</p>",
    12,
    "a < b & c > d &amp; e \"quoted\" 'so'",
    "<p>" + "long words " * 100_000 + "</p>",
    "<div>" * 3_000 + "deep" + "</div>" * 3_000,
    '<iframe src="x"></iframe><object data="x"></object><embed src="x"><form><input name=a></form><style>*{}</style><base href="http://a/">',
    '<svg><a xlink:href="javascript:x"><text>s</text></a></svg><math><mi>x</mi></math>',
    '<img src="data:image/png;base64,AAAA" alt="d"><img srcset="a.png 1x, /b.png 2x,,, c" alt=s>',
    '<a href="http://[bad">b</a><a href="http://a b/">s</a><a href="http://ü.example/é?ö#ß">i</a><a href="mailto:a@b.example">m</a>',
    "<!-- comment --><!DOCTYPE html><?php x ?><!-- unclosed",
    '<!DOCTYPE x [<!ENTITY a "b">]><p>&a;</p>',
    '<audio src="a.mp3" controls></audio><video poster="p.png"><source src="v.mp4"></video><details open><summary>s</summary>t</details>',
    '<p id="a" name="b" style="color:red" class="c" lang="pt-BR" dir="rtl" data-x="1">attributes</p>',
    '<h1>one</h1><center>old</center><font color="red">f</font><blink>b</blink><custom-tag>c</custom-tag>',
    "<p>\u202e right to left \u2066</p>",
    "# markdown\n\n* list\n\n```html\n<b>\n```\n\n[x](/y 'z') ![i](j.png) <http://a.example/> [js](javascript:x)",
    "line\r\nline\rline\n\n\n\npara",
    "\u2028 lines \u2029 apart",
]
NASTY_LINKS = [
    "https://a.example/\x00\x07x\x7f",
    "x/y",
    "/x?y#z",
    "//b.example/x",
    "https://a.example/ü/日本語?q=é#ß",
    "https://münchen.example/",
    'https://a.example/a b "c" <d> {e} |f| \\g ^h `i`',
    "javascript:alert(1)",
    " java\nscript:alert(1)",
    "data:text/html,x",
    "mailto:a@b.example",
    "ftp://a.example/x",
    "http://",
    "http://exa mple.org/",
    "http://[::1",
    "http://[::1]:8001/x",
    "http://a.example:99999/x",
    "http://a.example:x/",
    "https://user:pa ss@a.example/",
    "https://a.example/100%/%zz/%41",
    "https://a.example/" + "x" * 5_000,
    "\\\\a.example\\x",
    "",
    7,
    b"https://a.example/bytes",
    "urn:isbn:123",
    "https://-a-.example./x",
    "https://xn--zz.example/",
    "http://a..b.example/",
    "https://a_b.example/x",
    "https://a.example/?a=[1]&b[]=2;c='d'",
    "https://a.example/x#a#b",
]
NASTY_DATES: list[tuple[Any, Any]] = [
    ("2020-01-02T03:04:05Z", None),
    (None, None),
    ("1899-12-31", None),
    ("0001-01-01T00:00:00+14:00", None),
    ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),
    ("9999-12-31T23:59:59-12:00", None),
    ("10000-01-01T00:00:00Z", None),
    ("1890-05-05T12:00:00+00:53:28", None),
    ("2020-01-02T03:04:05.678901Z", "2020-01-02T03:04:05.999999999Z"),
    ("2020-01-02 03:04:05", "2020-01-02 03:04"),
    ("2020-01-02", "20200103"),
    (1577934245, 1577934245000),
    ("1577934245", 1577934245.75),
    ("soon", "soon"),
    ("", ""),
    ("01/02/2024", "13/02/2024"),
    ("2020-02-30", "2020-02-30"),
    ("2020-01-02T03:04:60Z", None),
    ("2020-06-01", "2019-01-01"),
    ("2020-06-02", "2919-01-01"),
    ("2020-06-03", "9999-12-31T23:59:59-12:00"),
    ("Thu, 02 Jan 2020 03:04:05 +0200", "Thu Jan  2 03:04:05 2020"),
    (b"2020-01-02", b"2020"),
    (float("inf"), float("-inf")),
    (10**18, -(10**18)),
    ("٢٠٢٠-٠١-٠٢", None),
    ("2020-01-02T03:04:05+99:99", None),
]
NASTY_IDS = [
    123,
    "123",
    "",
    "urn:has space",
    "urn:uuid:not-a-uuid",
    "urn:x:bell\x07",
    "https://a.example/a",
    "https://a.example/a",
    "https://a.example/é",
    "/relative",
    "tag:example.org,2026:tags/",
    "tag:example.org,2026:tags/nasty",
    "tag:a b:x",
    "HTTP://A.example/%7e",
    b"urn:x",
    "a:b",
    "http:x",
    "https://",
    "https://a.example/#a#b",
    "https://a.example/%zz",
    "urn:",
    "javascript:alert(1)",
]
NASTY_TAGS = [
    "",
    None,
    42,
    1.5,
    "spaced words / slash",
    "bell\x07",
    "\x07",
    "t" * 3_000,
    "a,b",
    "c++",
    "c#",
    "\"<&>'",
    "👩‍👩‍👧‍👦",
    "\u202ertl",
    ".",
    "..",
    "-lead",
    "@x",
    "x.atom",
    "x.rss",
    "x.json",
    "50%",
    "~",
    "?q#f",
    "(a)",
    "Nasty",
    " nasty ",
    "\ufffe",
    "]]>",
    "new\nline",
    "random",
    "é",
    "e\u0301",
    b"bytes",
    "\x80\x92",
]
NASTY_AUTHORS = [
    "",
    " ",
    7,
    "bell\x07",
    "Ann <ann@b.example>",
    "ann@b.example",
    "<b>Ann</b> & Co",
    "A\nB",
    b"x",
    "n" * 2_000,
    "\ufffe",
    "é",
]
NASTY_LANGUAGES = [
    "en-GB",
    "pt_BR",
    "pt-BR",
    "x",
    "",
    "klingon!",
    "en us",
    "de-DE-1996",
    "xx",
    "english",
    7,
    "EN",
    "zh-Hant-TW",
    "en-",
    b"en",
]
NASTY_ENCLOSURES: list[tuple[Any, Any]] = [
    ("https://a.example/a.mp3", None),
    ("https://a.example/a.mp3", 0),
    ("https://a.example/a.mp3", -1),
    ("https://a.example/a.mp3", 12_345),
    ("https://a.example/a.mp3", "12345"),
    ("https://a.example/a.mp3", "12 MB"),
    ("https://a.example/a.mp3", 1.5),
    ("https://a.example/a.mp3", 10**15),
    ("https://a.example/a.mp3", "٣"),
    ("https://a.example/unknown", 5),
    ("https://a.example/a.tar.gz?x=1", 5),
    ("/a b.ogg", 5),
    ("javascript:x", 5),
    ("https://a.example/é.mp4", b"5"),
    ("https://a.example/a.mp3#t=1", 5),
    ("", 5),
]


@dataclass(frozen=True)
class Document:
    """An answer of a site: where it stands, in which format, and its bytes."""

    path: str
    format: str
    content_type: str
    content: bytes

    @cached_property
    def address(self) -> str:
        """What the document says is its own address; the path where it says nothing."""
        if self.format == "json":
            return str(self.json["feed_url"])
        return next(iter(texts(self.xml, "(. | channel)/a:link[@rel='self']/@href")), self.path)

    @cached_property
    def xml(self) -> etree._Element:
        """The document, parsed as XML."""
        return etree.fromstring(self.content, etree.XMLParser(huge_tree=True))

    @cached_property
    def json(self) -> Any:
        """The document, parsed as strict JSON."""

        def refuse(name: str) -> None:
            raise ValueError(f"{name} is not JSON")

        return json.loads(self.content.decode(), parse_constant=refuse)


def nasty_rows() -> Iterator[dict[str, Any]]:
    """Rows of which each holds one thing that breaks feeds."""
    for name, values in (("title", NASTY_TITLES), ("body", NASTY_BODIES), ("author", NASTY_AUTHORS), ("language", NASTY_LANGUAGES)):
        yield from ({name: value} for value in values)
    for name in ("link", "related", "via", "image"):
        yield from ({name: value} for value in NASTY_LINKS)
    yield from ({"created": created, "updated": updated} for created, updated in NASTY_DATES)
    yield from ({"enclosure": address, "size": size} for address, size in NASTY_ENCLOSURES)
    for name in ("helper", "rights", "summary"):
        yield from ({name: value} for value in NASTY_TITLES + NASTY_AUTHORS)
    yield from ({"guid": value} for value in NASTY_IDS)
    yield from ({"tags": ["nasty", value, value]} for value in NASTY_TAGS)
    yield {"tags": ["nasty", *NASTY_TAGS]}
    yield dict.fromkeys(("title", "body", "updated", "link", "author", "language", "summary", "guid"))


def nasty(folder: Path, settings: dict[str, Any]) -> Site:
    """A site of nasty rows."""
    site = Site(folder / "blog.db", settings)
    site.sql(NASTY_SCHEMA)
    connection = sqlite3.connect(site.path)
    with connection:
        for key, row in enumerate(nasty_rows(), 1):
            written = {
                "title": f"Post {key}",
                "body": f"<p>Body {key}</p>",
                "created": f"2020-01-02T{key // 60:02}:{key % 60:02}:00Z",
                **row,
            }
            tags = written.pop("tags", ["nasty"])
            columns = f"id, {', '.join(written)}"
            connection.execute(f"insert into post ({columns}) values (?{', ?' * len(written)})", (key, *written.values()))
            for tag in tags:
                connection.execute("insert into tag (tag) select ? where not exists (select 1 from tag where tag is ?)", (tag, tag))
                connection.execute("insert into post_tags (post_id, tag_id) select ?, id from tag where tag is ?", (key, tag))
        connection.executescript(INVALID_UTF_8)
    connection.close()
    return site


def everything_set(folder: Path) -> Site:
    """A site that uses every setting that shows in documents."""
    site = Site(
        folder / "blog.db",
        {
            **BASE,
            "author": {"name": "Ann & Bob", "email": "ann@example.org", "uri": "https://ann.example/"},
            "language": "pt-BR",
            "hub": "https://hub.example/?a=1&b=2",
            "icon": "https://example.org/icon.png",
            "logo": "https://example.org/logo.png",
            "rights": "© 2020 Ann & Bob",
            "content_type": "application/xml",
            "purge_header": "Cache-Tag",
            "sources": {"post": NASTY_SETTINGS["sources"]["post"]},
        },
    )
    site.sql(NASTY_SCHEMA)
    for key in range(1, 9):
        row = {
            "title": f"Título {key}",
            "updated": f"2021-01-0{key}",
            "link": f"/{key}/",
            "related": f"https://a.example/{key}",
            "via": f"https://b.example/{key}",
            "enclosure": f"https://a.example/{key}.mp3",
            "size": key * 1000,
            "image": f"/{key}.png",
            "author": "Caio",
            "helper": "Dora",
            "rights": "CC-BY-4.0",
            "summary": "Em poucas palavras",
            "language": "en" if key % 2 else None,
        }
        site.post(key, ["python", "a & b"] if key % 2 else ["python"], created=f"2020-01-0{key}", **row)
    return site


def demo_site(folder: Path) -> Site:
    """The demo site, with the settings that it ships with."""
    from build import build

    build(folder / "demo.db")
    metadata = yaml.safe_load((ROOT / "metadata.yml").read_text(encoding="utf-8"))
    return Site(folder / "demo.db", metadata.pop("plugins")["datasette-tagfeeds"], **metadata)


def found(name: str, data: Path) -> Site:
    """A database of other people's, served as discovery finds it."""
    return Site(data / f"{name}.db", BASE, immutable=True)


def weblog(data: Path) -> Site:
    """The weblog of the examples, with their settings and templates."""
    example = ROOT / "examples" / "weblog"
    site = Site(data / "seed.db", {}, immutable=True)
    metadata = yaml.safe_load((example / "metadata.yml").read_text(encoding="utf-8"))
    site._datasette = Datasette(immutables=[str(site.path)], metadata=metadata, template_dir=str(example / "templates"))
    return site


MADE: dict[str, Callable[[Path], Site]] = {
    "demo": demo_site,
    "nasty": lambda folder: nasty(folder, NASTY_SETTINGS),
    "nasty and trusted": lambda folder: nasty(folder, TRUSTED_SETTINGS),
    "everything set": everything_set,
}
GIVEN: dict[str, Callable[[Path], Site]] = {
    "weblog": weblog,
    **{name: partial(found, name) for name in ("seed", "18f", "til", "bakerydemo", "emoji", "shapes", "app-taggit", "app-rails")},
}
SITES = [*MADE, *GIVEN]
_collected: dict[str, list[Document]] = {}


def collect(name: str, folder: Path, data: Callable[[], Path]) -> list[Document]:
    """The documents of the site of this name: collected once, for they do not change."""
    if name not in _collected:
        site = MADE[name](folder) if name in MADE else GIVEN[name](data())
        _collected[name] = asyncio.run(_collect(site, 20, 100) if name in MADE else _collect(site, 2, 20))
    return _collected[name]


async def _collect(site: Site, pages: int, size: int) -> list[Document]:
    """Feeds of everything, of a sample of tags, of combinations, of pages, and empty ones; and the list of all."""
    tags = (await site.get("/tags.json?sort=count")).json()["tags"]
    sample = tags if len(tags) < 60 else tags[:2] + tags[2 :: len(tags) // 4] + tags[-1:]
    first, second = (urlsplit(tag["url"]).path for tag in (tags + tags)[:2])
    other = second.rpartition("/")[2]
    stems = [urlsplit(tag["feed_url"]).path.removesuffix(".atom") for tag in sample if tag.get("feed_url")]
    stems += [f"{first}+{other}", f"{first},{other}", f"{first}+-{other}"]
    paths = [f"{stem}.{format}" for stem in stems for format in ("atom", "rss", "json")]
    for everything in ("/tags.atom", "/tags.rss", "/tags.feed.json"):
        paths += [f"{everything}?year=1234", everything]
    documents = [await _document(site, path) for path in paths]
    for everything in ("/tags.atom", "/tags.rss", "/tags.feed.json"):
        path: str | None = f"{everything}?size={size}"
        for _ in range(pages):
            if path:
                documents.append(await _document(site, path))
                path = _next(documents[-1])
    return [*documents, await _document(site, "/tags.opml?min=1")]


async def _document(site: Site, path: str) -> Document:
    answer = await site.get(path)
    while answer.status_code == 301:
        answer = await site.get(answer.headers["location"])
    assert answer.status_code == 200, (path, answer.text)
    suffix = urlsplit(path).path.rpartition(".")[2]
    return Document(path, suffix, answer.headers["content-type"], answer.content)


def _next(document: Document) -> str | None:
    """The path of the page that follows."""
    if document.format == "json":
        following = [document.json["next_url"]] if "next_url" in document.json else []
    else:
        following = texts(document.xml, "(. | channel)/a:link[@rel='next']/@href")
    return "{0.path}?{0.query}".format(urlsplit(following[0])) if following else None


@pytest.fixture(params=SITES)
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> list[Document]:
    """The documents of each site in turn."""
    return collect(request.param, tmp_path, lambda: request.getfixturevalue("data"))


def test_every_site_has_documents_to_look_at(documents: list[Document]) -> None:
    counts = Counter(document.format for document in documents)
    assert counts["opml"] == 1
    assert counts["atom"] == counts["rss"] == counts["json"] >= 5


def test_atom_satisfies_the_schema_of_rfc_4287(documents: list[Document], data: Path) -> None:
    schema = etree.RelaxNG(etree.parse(data / "atom.rng"))
    for document in documents:
        if document.format == "atom":
            assert schema.validate(document.xml), (document.path, schema.error_log)


def test_json_feed_satisfies_its_schema(documents: list[Document], data: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads((data / "jsonfeed-1.1.schema.json").read_text()))
    for document in documents:
        if document.format == "json":
            assert not [error.message for error in validator.iter_errors(document.json)], document.path


def test_atom_keeps_the_rules_that_no_schema_can_say(documents: list[Document]) -> None:
    for document in documents:
        if document.format != "atom":
            continue
        feed = document.xml
        entries = feed.xpath("a:entry", namespaces=ATOM)
        assert len(texts(feed, "a:author/a:name")) == 1, document.path
        assert len(texts(feed, "a:link[@rel='self']")) == 1
        assert texts(feed, "a:link[@rel='alternate']/@type") == ["text/html"]
        assert texts(feed, "a:updated")[0] == max(texts(feed, "a:entry/a:updated"), default="1970-01-01T00:00:00+00:00")
        assert texts(feed, "a:entry/a:published") == sorted(texts(feed, "a:entry/a:published"), reverse=True)
        assert bool(feed.xpath("fh:complete", namespaces=ATOM)) != bool(texts(feed, "a:link[@rel='first' or @rel='next']"))
        for address in texts(feed, "//a:link/@href | //a:category/@scheme | a:icon | a:logo | //media:*/@url"):
            assert is_uri(address), (document.path, address)
        assert set(texts(feed, "a:entry/a:content/@type")) <= {"html"}
        assert len(texts(feed, "a:entry/a:content/@type")) == len(texts(feed, "a:entry/a:content"))
        assert set(texts(feed, "//a:title/@type | //a:summary/@type | //a:rights/@type")) <= {"text"}
        for entry in entries:
            assert len(texts(entry, "a:link[@rel='alternate']")) == 1
            assert texts(entry, "a:title")[0].strip()
            assert re.fullmatch(r"[A-Za-z][\w+.-]*:\S+", texts(entry, "a:id")[0])
            assert all(term.strip() for term in texts(entry, "a:category/@term"))
            for moment in texts(entry, "a:updated | a:published"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", moment)
        assert not repeated(texts(feed, "a:entry/a:id")) - {"https://a.example/a"}, "only a column of ids may repeat one"


def test_rss_keeps_the_rules_of_its_profile(documents: list[Document]) -> None:
    for document in documents:
        if document.format != "rss":
            continue
        channel = document.xml.find("channel")
        for name in ("title", "link", "description"):
            assert len(channel.findall(name)) == 1, document.path
            assert channel.findtext(name)
        assert len(texts(channel, "a:link[@rel='self']/@href")) == 1
        assert texts(channel, "link | item/link | image/url | //a:link/@href | item/enclosure/@url") == list(
            filter(is_uri, texts(channel, "link | item/link | image/url | //a:link/@href | item/enclosure/@url"))
        )
        for item in channel.findall("item"):
            assert [len(item.findall(name)) for name in ("title", "link", "guid", "pubDate")] == [1, 1, 1, 1]
            assert item.find("guid").get("isPermaLink") == "false"
            assert parsedate_to_datetime(item.findtext("pubDate")).tzinfo == timezone.utc
            assert len(item.findall("enclosure")) <= 1
            assert all(one.get("type") and one.get("length").isdigit() for one in item.findall("enclosure"))
            assert item.find("author") is None, "an author of RSS is an e-mail address"
        assert not repeated(texts(channel, "item/guid")) - {"https://a.example/a"}


def test_json_feed_holds_strict_json_of_absolute_addresses(documents: list[Document]) -> None:
    for document in documents:
        if document.format != "json":
            continue
        feed = document.json
        assert next(iter(feed)) == "version"
        assert feed["feed_url"] != feed.get("next_url")
        for holder in [feed, *feed["items"], *(one for item in feed["items"] for one in item.get("attachments", []))]:
            for name in {"url", "external_url", "image", "home_page_url", "feed_url", "next_url", "icon", "favicon"} & set(holder):
                assert is_uri(holder[name]), (document.path, holder[name])
        assert not repeated(item["id"] for item in feed["items"]) - {"https://a.example/a"}


def test_no_document_holds_what_xml_forbids_or_readers_mistake(documents: list[Document]) -> None:
    """Controls, C1 (which readers take for windows-1252), surrogates and non-characters, also as JSON's escapes."""
    for document in documents:
        words = json.dumps(document.json, ensure_ascii=False) if document.format == "json" else "".join(document.xml.itertext())
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", words), document.path


def test_all_pages_together_hold_every_dated_item_once(documents: list[Document]) -> None:
    pages = {name: [one for one in documents if one.format == name and "?size=" in one.path] for name in ("atom", "rss", "json")}
    ids = {
        "atom": [key for page in pages["atom"] for key in texts(page.xml, "a:entry/a:id")],
        "rss": [key for page in pages["rss"] for key in texts(page.xml, "channel/item/guid")],
        "json": [item["id"] for page in pages["json"] for item in page.json["items"]],
    }
    assert ids["atom"] == ids["rss"] == ids["json"]
    assert not repeated(ids["atom"]) - {"https://a.example/a"}
    if "next_url" not in pages["json"][-1].json:
        assert len(ids["json"]) == pages["json"][0].json["_tagfeeds"]["count"]
    for name in ("atom", "rss"):
        assert len({page.xml.xpath("string((. | channel)/*[local-name() = 'title'])") for page in pages[name]}) == 1
        assert len({key for page in pages[name] for key in texts(page.xml, "a:id")}) <= 1


def test_opml_lists_feeds_by_absolute_addresses(documents: list[Document]) -> None:
    (document,) = [one for one in documents if one.format == "opml"]
    assert document.content_type == "text/x-opml; charset=utf-8"
    assert document.xml.get("version") == "2.0"
    assert texts(document.xml, "head/title")[0]
    for outline in document.xml.iterfind("body/outline"):
        assert outline.get("type") == "rss"
        assert outline.get("text").strip()
        assert is_uri(outline.get("xmlUrl"))
        assert is_uri(outline.get("htmlUrl"))
    assert not repeated(texts(document.xml, "body/outline/@xmlUrl"))


def test_every_nasty_row_with_a_date_is_there_and_none_spoils_another(tmp_path: Path) -> None:
    documents = collect("nasty", tmp_path, Path)
    pages = [document.json for document in documents if document.path.startswith("/tags.feed.json?size")]
    items = {item["id"]: item for page in pages for item in page["items"]}
    assert sum("title" in row or "body" in row for row in nasty_rows()) > BODIES == len(NASTY_TITLES) + len(NASTY_BODIES)
    for key, row in enumerate(nasty_rows(), 1):
        for source in ("post", "note", "memo") if key <= BODIES else ("post",):
            if "created" not in row and "guid" not in row:
                item = items[f"tag:example.org,2026:blog/{source}/{key}"]
                assert "title" in row or item["title"] == f"Post {key}"
                assert "body" in row or f"Body {key}" in item["content_html"]


@pytest.mark.parametrize("format", ["atom", "rss", "json"])
def test_every_setting_of_documents_shows(tmp_path: Path, format: str) -> None:
    documents = collect("everything set", tmp_path, Path)
    (document,) = [one for one in documents if one.path == f"/tags/python.{format}"]
    if format == "json":
        feed = document.json
        item = feed["items"][0]
        assert document.content_type.startswith("application/feed+json")
        assert feed["authors"] == [{"name": "Ann & Bob", "url": "https://ann.example/"}]
        assert feed["hubs"] == [{"type": "WebSub", "url": "https://hub.example/?a=1&b=2"}]
        assert (feed["icon"], feed["favicon"]) == ("https://example.org/logo.png", "https://example.org/icon.png")
        assert feed["language"] == "pt-BR"
        assert item["attachments"] == [{"url": "https://a.example/8.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 8000}]
        assert (item["external_url"], item["image"]) == ("https://a.example/8", "https://example.org/8.png")
        assert (item["authors"], item["summary"]) == ([{"name": "Caio"}], "Em poucas palavras")
        assert feed["items"][1]["language"] == "en"
        return
    assert document.content_type == "application/xml; charset=utf-8"
    instruction = document.xml.getprevious()
    assert (instruction.target, instruction.get("type")) == ("xml-stylesheet", "text/css")
    feed = document.xml
    expected: dict[str, str | list[str]]
    if format == "atom":
        item = feed.xpath("a:entry", namespaces=ATOM)[0]
        expected = {
            "a:author/*": ["Ann & Bob", "ann@example.org", "https://ann.example/"],
            "a:link[@rel='hub']/@href": ["https://hub.example/?a=1&b=2"],
            "a:icon": ["https://example.org/icon.png"],
            "a:logo": ["https://example.org/logo.png"],
            "a:rights": ["© 2020 Ann & Bob"],
            "a:entry[1]/a:author/a:name": ["Caio"],
            "a:entry[1]/a:contributor/a:name": ["Dora"],
            "a:entry[1]/a:rights": ["CC-BY-4.0"],
            "a:entry[1]/a:summary": ["Em poucas palavras"],
            "a:entry[1]/a:link[@rel='alternate']/@href": ["https://example.org/8/"],
            "a:entry[1]/a:link[@rel='related']/@href": ["https://a.example/8"],
            "a:entry[1]/a:link[@rel='via']/@href": ["https://b.example/8"],
            "a:entry[1]/a:link[@rel='enclosure']/@*[local-name() != 'rel']": ["https://a.example/8.mp3", "audio/mpeg", "8000"],
            "a:entry[1]/media:thumbnail/@url": ["https://example.org/8.png"],
            "a:entry/@xml:lang": ["en"] * 4,
            "@xml:lang": ["pt-BR"],
        }
    else:
        expected = {
            "channel/dc:creator": ["Ann & Bob"],
            "channel/a:link[@rel='hub']/@href": ["https://hub.example/?a=1&b=2"],
            "channel/image/*": ["https://example.org/logo.png", "Site: python", "https://example.org/tags/python"],
            "channel/copyright": ["© 2020 Ann & Bob"],
            "channel/language": ["pt-BR"],
            "channel/ttl": ["15"],
            "channel/item[1]/dc:creator": ["Caio"],
            "channel/item[1]/dc:contributor": ["Dora"],
            "channel/item[1]/dc:rights": ["CC-BY-4.0"],
            "channel/item[1]/description": ["Em poucas palavras"],
            "channel/item[1]/content:encoded": ["<p>Body 8</p>"],
            "channel/item[1]/link": ["https://example.org/8/"],
            "channel/item[1]/enclosure/@*": ["https://a.example/8.mp3", "8000", "audio/mpeg"],
            "channel/item[1]/media:thumbnail/@url": ["https://example.org/8.png"],
            "channel/item/dc:language": ["en"] * 4,
        }
    found = {path: [one if isinstance(one, str) else one.text for one in feed.xpath(path, namespaces=RSS)] for path in expected}
    assert found == expected


def is_uri(address: str) -> bool:
    """True for an absolute address of the web in the characters of RFC 3986."""
    return bool(re.fullmatch(r"https?://[^/\s?#]+([\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*", address, re.ASCII))


def repeated(values: Iterable[str]) -> set[str]:
    """Those that are there more than once."""
    return {value for value, count in Counter(values).items() if count > 1}
