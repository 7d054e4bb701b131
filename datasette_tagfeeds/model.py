"""The vocabulary: what databases hold, what settings say, and what documents are made of. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


@dataclass(frozen=True)
class ForeignKey:
    """A declared reference from one column to a column of another table."""

    column: str
    other_table: str
    other_column: str


@dataclass(frozen=True)
class Table:
    """A table or view as its database describes it; `columns` maps names to declared types."""

    name: str
    columns: Mapping[str, str]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    is_view: bool = False


Schema = Mapping[str, Table]
Row = Mapping[str, object]


class Shape(Protocol):
    """A way to store tags, compiled to SQL. `item` is the item table's key; `tag` is text, never blank."""

    def tagged(self) -> str:
        """SELECT item, tag, position: every tagging, duplicates allowed; position orders an item's tags."""

    def carrying(self, parameter: str) -> str:
        """SELECT item: the items that carry the tag bound as `parameter` (see `sql.bind_tag`)."""


class Field(Protocol):
    """One field of an entry, worked out from a row."""

    @property
    def reads(self) -> frozenset[str]:
        """The columns it needs."""

    def value(self, row: Row, parsed: Row) -> object:
        """Its value; `parsed` is the row with dates as datetimes and bytes as None. None where it has none."""


@dataclass(frozen=True)
class Source:
    """One table of items together with the way its tags are stored.

    `published` is the column that orders items (None: pages only); `content` says how the field of that name is
    written (html, markdown or text; None: no content); `dates` are the columns that arrive parsed.
    """

    name: str
    label: str
    database: str
    table: str
    key: str
    tags: Shape
    namespace: str
    timezone: str
    columns: tuple[str, ...]
    dates: frozenset[str] = frozenset()
    published: str | None = None
    where: str | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    content: str | None = None
    trusted: bool = False
    template: str | None = None
    reads: frozenset[str] = frozenset()


class Item(NamedTuple):
    """A row that carries tags, as the stream names it; `published` is UTC text, '' for undated."""

    published: str
    source: str
    key: int | str


class Tally(NamedTuple):
    """What one source has under one tag (or all): items, those of them with a date, first and last date ('' for none)."""

    source: str
    items: int
    dated: int
    first: str
    last: str


class TagCount(NamedTuple):
    """A tag of the index: its items over all visible sources, and the last date ('' for none)."""

    tag: str
    items: int
    latest: str


@dataclass(frozen=True)
class Person:
    """An author (RFC 4287 §3.2)."""

    name: str
    email: str | None = None
    uri: str | None = None


@dataclass(frozen=True)
class Link:
    """A link with its relation and, where known, media type (RFC 4287 §4.2.7). Addresses are absolute."""

    rel: str
    href: str
    type: str | None = None


@dataclass(frozen=True)
class Category:
    """A tag on an entry: `term` and `label` fit for a document, `url` its page (RFC 4287 §4.2.2)."""

    term: str
    label: str
    scheme: str
    url: str


@dataclass(frozen=True)
class Entry:
    """One item, ready for any document. Text holds no character that XML forbids; `published` is '' for undated.

    `content` is HTML; None where it is left out, and then `summary` is text.
    """

    id: str
    title: str
    link: str
    source: str
    type: str
    published: str
    updated: str
    categories: tuple[Category, ...]
    content: str | None = None
    summary: str | None = None
    author: Person | None = None
    links: tuple[Link, ...] = ()
    thumbnail: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Feed:
    """A feed document, or a page of one. `complete` says that nothing is left out (RFC 5005 §2)."""

    id: str
    title: str
    author: Person
    updated: str
    language: str
    links: tuple[Link, ...]
    entries: tuple[Entry, ...]
    category: Category | None = None
    complete: bool = False
