"""The tables of the index, and which sources may have one.

posting  (tag, source, published, item)  every tagging that `where` lets through; with the tag '', every tagged item
counts   (tag, source, month, items)     how many postings; month '' for the undated
queue    (source, item)                  items whose date only our own parser may read, until the next `index`
note     (source, place, mark, item)     what rows decide of that a REPLACE by the unique values `mark` may be about to remove; a few stay
source   (number, name, fingerprint)     what was indexed, and as what
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator

from ..model import Source
from ..sql import PREFIX, literal, quote

FORMAT = 2
NAMES = tuple(PREFIX + name for name in ("posting", "counts", "queue", "note", "source", "ready"))
POSTING, COUNTS, QUEUE, NOTE, SOURCE, READY = map(quote, NAMES)
BY_ITEM = quote(f"{PREFIX}posting_by_item")

TABLES = (
    f"create table {POSTING} (tag text not null, source integer not null, published text not null, item not null,"
    " primary key (tag, source, published, item)) without rowid",
    f"create table {COUNTS} (tag text not null, source integer not null, month text not null, items integer not null,"
    " primary key (tag, source, month)) without rowid",
    f"create table {QUEUE} (source integer not null, item not null)",
    f"create table {NOTE} (source integer not null, place text not null, mark text not null, item not null)",
    f"create table {SOURCE} (number integer primary key, name text not null, fingerprint text not null, done)",
)
# What finds an item's postings; made after a first filling, since a sorted list is written faster than a tree is searched.
INDEXES = (
    f"create index {BY_ITEM} on {POSTING} (source, item)",
    f"create index {quote(PREFIX + 'queue_by_item')} on {QUEUE} (source, item)",
)
# Its coming tells readers that all is there, since it moves SQLite's schema_version.
DONE = f"create table {READY} (format integer)"

# The columns of a key that no two rows share, with their collations; None stands for an expression.
Unique = tuple[tuple[str | None, str], ...]
ROWIDS, BINARY = ("rowid", "_rowid_", "oid"), "BINARY"
_IGNORES = re.compile(r"\braise\s*\(\s*ignore\b", re.I)
_ALL = "select type, tbl_name, sql from sqlite_master"

# Functions that give one answer for one row, and that fail on none: an error in a trigger would be an error of the user's own statement.
_SAFE = frozenset(
    ["coalesce", "ifnull", "nullif", "iif", "lower", "upper", "trim", "ltrim", "rtrim", "length", "substr", "substring", "instr", "typeof"]
    + ["replace", "cast", "glob", "in", "and", "or", "not", "is", "between", "then", "when", "else", "case", "round", "json_valid"]
)


def objects(connection: sqlite3.Connection, kinds: str = "'table', 'trigger'") -> dict[str, tuple[str, str]]:
    """{name: (type, SQL)} of all that the index has put into a file."""
    sql = f"select name, type, coalesce(sql, '') from sqlite_master where type in ({kinds}) and name like '{PREFIX.replace('_', '^_')}%' escape '^'"
    return {name: (kind, written) for name, kind, written in connection.execute(sql)}


def why_not(source: Source, connection: sqlite3.Connection) -> str | None:
    """Why a source stays as it is, as the end of a sentence; None where it can be indexed."""
    own = {touch.table for touch in source.touches}
    kinds = {name: (kind, sql or "") for name, kind, sql in connection.execute("select name, type, sql from sqlite_master")}
    if source.tags.shape == "SQL":
        return "its tags come from SQL of your own"
    if source.is_view or any(kinds.get(table, ("", ""))[0] != "table" for table in own):
        return "it reads a view, on which triggers cannot be"
    if any(re.match(r"\s*create\s+virtual", kinds[table][1], re.I) for table in own):
        return "it reads a virtual table, on which triggers cannot be"
    if source.reads - own:
        return f"its where reads other tables ({', '.join(sorted(source.reads - own))})"
    if unsafe := _unsafe(source.where or ""):
        return f"its where uses {unsafe}, which may fail, or give another answer each time"
    if "tagfeeds_" in source.tags.tables:
        return f"its tags are stored as {source.tags.shape} that SQLite alone cannot read"
    if source.key[0] not in source.columns:
        return "its rows have no key of their own, and VACUUM may renumber them"
    if any(column is None for table in own for unique in uniques(connection, table) for column, _ in unique):
        return "a unique index of its tables is over an expression"
    if any(kind == "trigger" and table in own and _IGNORES.search(sql or "") for kind, table, sql in connection.execute(_ALL)):
        return "a trigger of its tables uses RAISE(IGNORE), after which SQLite skips other triggers"
    if source.tags.mixed:
        return f"{source.tags.mixed} has another type than the key to which it refers"
    return None


def _unsafe(sql: str) -> str | None:
    """What in a predicate must not stand in a trigger; None for nothing. Texts and quoted names in it are not looked at."""
    plain = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]", " 0 ", sql)
    called = (name for name in re.findall(r"(\w+)\s*\(", plain) if name.lower() not in _SAFE)
    others = (found[0] for found in re.finditer(r"\bcurrent_\w+|->|--|/\*|\bselect\b|\bregexp\b|\bmatch\b|\blike\b", plain, re.I))
    return next((f"{name}()" for name in called), None) or next(others, None)


def uniques(connection: sqlite3.Connection, table: str) -> list[Unique]:
    """The keys that no two rows of a table share, the rowid among them."""
    found: list[Unique] = []
    for name in [row[0] for row in connection.execute('select name from pragma_index_list(?) where "unique" order by name', [table])]:
        sql = "select name, coll from pragma_index_xinfo(?) where key order by seqno"
        found.append(tuple((column, collation.upper()) for column, collation in connection.execute(sql, [name])))
    columns = {row[0].lower(): row[1:] for row in connection.execute("select name, name, pk from pragma_table_xinfo(?)", [table])}
    own = tuple((name, BINARY) for name, place in sorted(columns.values(), key=lambda one: one[1]) if place)
    # A key that no index holds is the rowid itself.
    if own and [name for name, _ in own] not in [[name for name, _ in unique] for unique in found]:
        found.append(own)
    elif rowid := next((name for name in ROWIDS if name not in columns and _has(connection, table, name)), None):
        found.append(((rowid, BINARY),))
    return list(dict.fromkeys(found))


def watched(connection: sqlite3.Connection, table: str, sql: str) -> tuple[str, ...] | None:
    """The columns of a table that a statement reads, or that must be one of a kind; None where any column may matter."""
    read: set[str] = set()

    def note(action: int, place: str | None, column: str | None, _database: str | None, _view: str | None) -> int:
        if action == sqlite3.SQLITE_READ and place == table and column:
            read.add(column.lower())
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    try:
        connection.execute(f"explain {sql}")
    finally:
        # Python 3.10 cannot take an authorizer away again.
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
    columns = {row[0].lower(): row for row in connection.execute("select name, hidden from pragma_table_xinfo(?)", [table])}
    keys = {(column or "").lower() for unique in uniques(connection, table) for column, _ in unique}
    # What a generated column is made of is not told; and the rowid, where it is no column, cannot be watched.
    if any(row[1] for row in columns.values()) or keys - columns.keys():
        return None
    return tuple(row[0] for name, row in columns.items() if name in read | keys)


def _has(connection: sqlite3.Connection, table: str, rowid: str) -> bool:
    try:
        connection.execute(f"select {rowid} from {quote(table)} limit 0")
    except sqlite3.Error:
        return False
    return True


def fingerprint(source: Source, connection: sqlite3.Connection, triggers: Iterable[str]) -> str:
    """What changes when a source means something else, its tables are others, or its triggers should be."""
    sql = "select sql from sqlite_master where name = ?"
    tables = [tuple(row) for touch in source.touches for row in connection.execute(sql, [touch.table])]
    about = (FORMAT, source.name, source.relation, source.key, source.tags, source.timezone, source.published, source.where, tables)
    return hashlib.sha256("\n".join([repr(about), *triggers]).encode()).hexdigest()


def numbers(connection: sqlite3.Connection) -> dict[str, tuple[int, str]]:
    """{source: (number, fingerprint)} of a whole index; nothing where there is none, or one that is not whole yet, or not any more."""
    if not objects(connection).keys() >= set(NAMES):
        return {}
    return {name: (number, mark) for number, name, mark in connection.execute(f"select number, name, fingerprint from {SOURCE}")}


def dropping(connection: sqlite3.Connection) -> Iterator[str]:
    """The statements that take every trace of the index out of a file."""
    found = objects(connection)
    for kind in ("trigger", "table"):
        yield from (f"drop {kind} {quote(name)}" for name, (one, _) in found.items() if one == kind)


def number_literal(source: Source) -> str:
    """The source's number in the index, as SQL."""
    return literal(source.indexed if source.indexed is not None else -1)
