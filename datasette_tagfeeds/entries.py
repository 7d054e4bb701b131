"""Rows to entries: each on its own, so that no row can spoil another's."""

import json
import mimetypes
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Protocol
from urllib.parse import urlsplit

from datasette.utils import tilde_encode
from jinja2 import Template
from markupsafe import Markup

from . import bodies, dates
from .content import excerpt
from .model import Category, Entry, Item, Link, Person, Row, Source
from .values import address, is_iri, is_language, one_line, scrub, shorten, strip_tags, text, written_size

TITLE = 80
LONGEST_TITLE = 1000
SUMMARY = 2000
# Bytes: what an entry takes without its body, what its elements take, what those of a category take.
RESERVED, MARKUP, TAG_MARKUP = 2500, 800, 60
_REFERENCE = re.compile(r"&(?:#\d{2,7}|#[xX][0-9A-Fa-f]{2,6}|[A-Za-z][A-Za-z0-9]{1,31});")
PAGE_BODY = 700


class Addresses(Protocol):
    """Where things are, for one request, and what ids are made from. Pages may get paths for tags and rows."""

    @property
    def base(self) -> str:
        """What links of items are read against."""

    @property
    def scheme(self) -> str:
        """The address of the index, which names the scheme of our categories."""

    def absolute(self, path: str) -> str:
        """A path of this server as others reach it; an absolute address stays."""

    def tag(self, tag: str) -> str:
        """A tag's page."""

    def row(self, source: Source, path: str) -> str:
        """Datasette's own page of a row."""

    def entry_id(self, source: Source, path: str) -> str:
        """The tag URI of a row (RFC 4151)."""


@dataclass(frozen=True)
class Tag:
    """A tag as entry templates see it: prints as its name, knows its page."""

    name: str
    url: str

    def __str__(self) -> str:
        return self.name


def _size(entry: Entry) -> int:
    """About how many bytes an entry takes in any document; where it has no content, JSON Feed writes the summary twice."""
    about = [entry.id, entry.link, entry.link, entry.title, entry.content or entry.summary or "", entry.summary or ""]
    tags = [part for one in entry.categories for part in (one.term, one.label, one.scheme)]
    return MARKUP + TAG_MARKUP * len(entry.categories) + sum(map(written_size, [*about, *tags, *(link.href for link in entry.links)]))


def row_path(source: Source, item: Item, row: Row) -> str:
    """The row's part of its address, as Datasette writes it: the primary key, parts joined by commas."""
    if source.path != source.key:
        parts = [row[column] for column in source.path]
    else:
        parts = json.loads(str(item.key)) if len(source.key) > 1 else [item.key]
    return ",".join(tilde_encode(str(part)) for part in parts)


@dataclass(frozen=True)
class Builder:
    """Makes entries for one document.

    `whole` is for feeds: bodies in full, those of trusted sources as they are. Pages sanitise everything and show
    the beginning of long bodies.
    """

    sources: Mapping[str, Source]
    templates: Mapping[str, Template]
    addresses: Addresses
    whole: bool
    max_bytes: int

    def entries(self, items: Iterable[Item], rows: Mapping[Item, tuple[Row, list[str]]]) -> tuple[Entry, ...]:
        """The items' entries in order; what would make the document larger than `max_bytes` carries a summary and its link."""
        here = [item for item in items if item in rows]
        made: list[Entry] = []
        room = self.max_bytes - RESERVED * len(here)
        for item in here:
            entry = self.entry(item, *rows[item], room)
            room -= _size(entry) - RESERVED
            made.append(entry)
        return tuple(made)

    def entry(self, item: Item, row: Row, tags: list[str], room: int) -> Entry:
        """The entry of one row; a field that the row cannot fill is mended or left out."""
        source = self.sources[item.source]
        fields = _Fields(source, row)
        key = row_path(source, item, row)
        link = address(fields.get("link"), self.addresses.base) or self.addresses.row(source, key)
        base = self.addresses.absolute(link)
        body, kind = self._body(source, fields, tags, base)
        html = bodies.render(body, kind, base, source.trusted and self.whole) if body and len(body) <= room else None
        if html and written_size(html) > room:
            html = None
        if html and not self.whole and len(strip_tags(html)) > PAGE_BODY:
            html = None
        summary = fields.summary() or (excerpt(body, kind) if html is None else "")
        given_id = text(fields.get("id")) or ""
        return Entry(
            id=given_id if is_iri(given_id) else self.addresses.entry_id(source, key),
            title=fields.title() or excerpt(body, kind, TITLE) or f"{one_line(source.label)} {one_line(item.key)}",
            link=link,
            source=source.name,
            type=one_line(source.name.replace("_", " ")).capitalize(),
            published=item.published,
            updated=max(item.published, fields.updated()),
            categories=self._categories(tags),
            content=scrub(html) if html else None,
            summary=summary or None,
            author=fields.person("author"),
            contributor=fields.person("contributor"),
            rights=one_line(fields.get("rights")) or None,
            links=tuple(fields.links(base)),
            thumbnail=address(fields.get("image"), base),
            language=language if is_language(language := one_line(fields.get("language"))) else None,
        )

    def _categories(self, tags: list[str]) -> tuple[Category, ...]:
        """The tags as categories; a tag of nothing but forbidden characters has no term (RFC 4287 §4.2.2)."""
        terms = {term: tag for tag in reversed(tags) if (term := scrub(tag).strip())}
        return tuple(Category(term, term, self.addresses.scheme, self.addresses.tag(tag)) for term, tag in reversed(terms.items()))

    def _body(self, source: Source, fields: "_Fields", tags: list[str], link: str) -> tuple[str, str]:
        """The body before it is made safe, and how it is written: the field's own, or HTML that the entry template makes."""
        body, kind = text(fields.get(source.content)) or "" if source.content else "", source.content or "html"
        template = self.templates.get(source.name)
        if not template:
            return body, kind
        html = bodies.render(body, kind, link, source.trusted) or ""
        context = {
            "row": fields.parsed,
            "tags": [Tag(tag, self.addresses.tag(tag)) for tag in tags],
            "content": Markup(html),
            "link": link,
            "source": source.name,
        }
        try:
            return template.render(context).strip(), "html"
        except Exception:  # a row can make a template raise anything; it keeps its body
            return html, "html"


class _Fields:
    """A source's fields, worked out from one row."""

    def __init__(self, source: Source, row: Row) -> None:
        self.source = source
        self.row = row
        self.zone = dates.zone(source.timezone)
        self.parsed = {name: self._parsed(name, value) for name, value in row.items()}

    def _parsed(self, name: str, value: object) -> object:
        if isinstance(value, bytes):
            return None
        return dates.parse(value, self.zone) if name in self.source.dates else value

    def get(self, name: str) -> object:
        """The field's value; None where the source has no such field or the row no such value."""
        field = self.source.fields.get(name)
        return field.value(self.row, self.parsed) if field else None

    def updated(self) -> str:
        """The field `updated` as UTC text; '' where it holds no date."""
        moment = dates.parse(self.get("updated"), self.zone)
        return dates.utc_text(moment) if moment else ""

    def title(self) -> str:
        """The field `title` as plain text. Character references are read, since many titles come from HTML; tags stay, since titles
        may be about them."""
        written = text(self.get("title")) or ""
        return shorten(one_line(_REFERENCE.sub(lambda found: unescape(found[0]), written)), LONGEST_TITLE)

    def summary(self) -> str:
        """The field `summary` as plain text: many keep HTML there."""
        written = text(self.get("summary")) or ""
        return excerpt(written, "html", SUMMARY) if "<" in written else one_line(written)

    def person(self, name: str) -> Person | None:
        """The person whose name a field holds."""
        return Person(found) if (found := one_line(self.get(name))) else None

    def links(self, base: str) -> Iterator[Link]:
        """What the entry points at beside itself."""
        for rel in ("related", "via", "enclosure"):
            if href := address(self.get(rel), base):
                yield Link(rel, href) if rel != "enclosure" else self._enclosure(href)

    def _enclosure(self, href: str) -> Link:
        """A sound, film or file, with its media type by its name, and its length where a field holds that."""
        length = str(self.get("enclosure_length") or "")
        known = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None
        return Link("enclosure", href, mimetypes.guess_type(urlsplit(href).path)[0], known)
