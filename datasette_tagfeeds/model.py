"""The vocabulary: what databases hold, what settings say, and what documents are made of. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


@dataclass(frozen=True)
class ForeignKey:
    """A reference from columns to those of another table (none: its primary key); `declared` or guessed from names and values."""

    columns: tuple[str, ...]
    other_table: str
    other_columns: tuple[str, ...] = ()
    declared: bool = True


@dataclass(frozen=True)
class Table:
    """A table or view as its database describes it; `columns` maps names to declared types.

    `sample` is some of its rows, long values cut; `words` holds values of columns whose names speak of tags, and of columns
    that say what a row refers to. `indexes` are the columns that some index begins with, `search` is the full-text index over
    the table, `mentions` are the tables that a view's SQL names. `unreadable` is SQLite's complaint where nothing can be read.
    """

    name: str
    columns: Mapping[str, str]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    is_view: bool = False
    has_rowid: bool = True
    search: str | None = None
    mentions: frozenset[str] = frozenset()
    indexes: frozenset[str] = frozenset()
    sample: tuple[Mapping[str, object], ...] = ()
    words: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    unreadable: str = ""


Schema = Mapping[str, Table]


class Lookup(NamedTuple):
    """Where the items that a row touches are found: `item` in `tables` (a FROM clause) where `columns` are as the row's."""

    tables: str
    item: str
    columns: tuple[str, ...]


class Touch(NamedTuple):
    """A table whose rows decide of items' tags, dates or presence: a row's `columns` are an item's key, or lead to items by `lookup`."""

    table: str
    columns: tuple[str, ...]
    lookup: Lookup | None = None


Row = Mapping[str, object]


@dataclass(frozen=True)
class Taggings:
    """A way to store tags, as SQL: every shape of storage becomes one of these, and all that follows is the same for all.

    `tables` is a FROM clause in which `item` (the key of the item's row), `tag` and `position` (the order of an item's
    tags) are expressions and `tests` hold. `narrow` is a cheap necessary test, as what stands before and after the tag in it. `indexes` are the
    columns, as (table, column), on which an index makes tags quick to find; without any, finding one reads the whole table.
    `described_in` is the table of tags and the column that names them, where there is one; `broken` a test, over the item's own
    row called i, for stored tags that cannot be read. `touches` are the tables beside the item's own that hold them; `mixed` is a
    reference between them by values of different types, as table.column.
    """

    shape: str
    tables: str
    item: str
    tag: str
    position: str = "0"
    tests: tuple[str, ...] = ()
    narrow: tuple[str, str] | None = None
    indexes: tuple[tuple[str, str], ...] = ()
    described_in: tuple[str, str] | None = None
    broken: str = ""
    touches: tuple[Touch, ...] = ()
    mixed: str = ""


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

    `relation` is what stands in FROM for its rows: the table, or with the columns of a parent table that shares its key.
    `key` are the columns that tell rows apart, `path` those of Datasette's row address; the rows of a view have no page, and
    may repeat. `published` is the column that orders items (None: pages only), `date_forms` the forms of its dates that are quick to read; `content` says how the field of that name is
    written (html, markdown or text; None: no content); `dates` are the columns that arrive parsed. `search` is the table's
    full-text index, `unindexed` are the (table, column)s where an index is missing. `written` is the settings that say the same.
    `touches` are the tables whose rows decide what the source holds, `indexed` is its number in the database's index of postings
    (None: answers are read from its tables); `only` is SQL for the keys to which it is limited.
    """

    name: str
    label: str
    database: str
    table: str
    relation: str
    key: tuple[str, ...]
    path: tuple[str, ...]
    tags: Taggings
    namespace: str
    timezone: str
    columns: tuple[str, ...]
    dates: frozenset[str] = frozenset()
    published: str | None = None
    date_forms: frozenset[str] = frozenset()
    where: str | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    content: str | None = None
    trusted: bool = False
    template: str | None = None
    is_view: bool = False
    is_discovered: bool = False
    search: str | None = None
    unindexed: tuple[tuple[str, str], ...] = ()
    written: Mapping[str, object] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    touches: tuple[Touch, ...] = ()
    indexed: int | None = None
    only: str | None = None


class TagTable(NamedTuple):
    """A table that says something about tags: `name` is the column of the tag, `column` what is said of it.

    For old names `column` is a key, and `leads_to` is the (table, key, name) that it refers to.
    """

    database: str
    table: str
    name: str
    column: str
    leads_to: tuple[str, str, str] | None = None


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
    """A tag of the index: its items, in all, by source and by year ('' for undated), and the last date ('' for none)."""

    tag: str
    items: int
    latest: str
    sources: Mapping[str, int]
    years: Mapping[str, int]


@dataclass(frozen=True)
class Person:
    """An author (RFC 4287 §3.2)."""

    name: str
    email: str | None = None
    uri: str | None = None


@dataclass(frozen=True)
class Link:
    """A link with its relation and, where known, media type and length in bytes (RFC 4287 §4.2.7). Addresses are absolute."""

    rel: str
    href: str
    type: str | None = None
    length: int | None = None


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
    contributor: Person | None = None
    rights: str | None = None


@dataclass(frozen=True)
class Feed:
    """A feed document, or a page of one. `complete` says that nothing is left out (RFC 5005 §2).

    `count` is of the dated items of all pages, `types` of each source; `ttl` is in seconds; `stylesheet` is the address of one
    that makes the XML readable in a browser.
    """

    id: str
    title: str
    author: Person
    updated: str
    language: str
    links: tuple[Link, ...]
    entries: tuple[Entry, ...]
    category: Category | None = None
    complete: bool = False
    expression: str = ""
    count: int = 0
    types: tuple[tuple[str, int], ...] = ()
    icon: str | None = None
    logo: str | None = None
    rights: str | None = None
    ttl: int | None = None
    stylesheet: str | None = None
    related: tuple[Mapping[str, object], ...] | None = None
    timeline: Mapping[str, int] | None = None

    def link(self, rel: str) -> str | None:
        """The address of the first link with the relation."""
        return next((link.href for link in self.links if link.rel == rel), None)


@dataclass(frozen=True)
class Outline:
    """A feed in a list of subscriptions: the tag, its feed and its page."""

    text: str
    feed_url: str
    page_url: str
