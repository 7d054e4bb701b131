"""What a database holds, as far as finding its tags needs: tables, their keys and indexes, and some of their rows."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from .model import ForeignKey, Row, Schema, Table
from .sql import PREFIX, quote

SAMPLE = 60
WORDS = 500
# Longer values are cut: enough to see what they are.
LENGTH = 4000
_ABOUT_TAGS = frozenset(
    ["topic", "topics", "category", "categorie", "categories", "keyword", "keywords", "label", "labels", "genre", "genres", "taxonomy"]
    + ["taxonomies", "hashtag", "hashtags", "tagging", "taggings", "tagged", "taggit", "taglist"]
)
# What a view's SQL reads from: all up to the next clause.
_FROM = re.compile(r"\b(?:from|join)\b(.*?)(?=\b(?:where|group|order|limit|union|on|using|from|join)\b|[()]|$)", re.I | re.S)
_SHADOWS = ("content", "data", "idx", "docsize", "config", "segments", "segdir", "stat", "node", "rowid", "parent")
_KEY_NAME = re.compile(r"(?P<before>.+?)_?(?P<kind>guid|uuid|id|key|uid|pk|fk)$|id_(?P<after>.+)$", re.I)
_KEY_FIRST = re.compile(r"id(?P<after>[A-Z].*)$")


def survey(connection: sqlite3.Connection) -> Schema:
    """Every table and view, by name, with what they refer to by declared keys or by names and values together."""
    listed = connection.execute("select name, type, coalesce(sql, '') from sqlite_master where type in ('table', 'view')").fetchall()
    virtual = {name: sql for name, _, sql in listed if re.match(r"\s*create\s+virtual\s+table", sql, re.I)}
    shadows = {f"{name}_{part}" for name in virtual for part in _SHADOWS}
    names = [
        (name, kind) for name, kind, _ in listed if name not in virtual and name not in shadows and not name.startswith(("sqlite_", PREFIX))
    ]
    schema = {name: _table(connection, name, kind == "view", virtual) for name, kind in names}
    for name, kind, sql in listed:
        if kind == "view" and name in schema:
            words = {word.lower() for clause in _FROM.findall(sql) for word in re.findall(r"\w+", clause)}
            mentioned = frozenset(other for other in schema if other != name and other.lower() in words)
            schema[name] = replace(schema[name], mentions=mentioned)
    named = _by_name(schema)
    return {name: replace(table, foreign_keys=(*table.foreign_keys, *_guessed(connection, table, named))) for name, table in schema.items()}


def _table(connection: sqlite3.Connection, name: str, is_view: bool, virtual: dict[str, str]) -> Table:
    try:
        columns = connection.execute("select name, type, pk from pragma_table_xinfo(?) where hidden <> 1", [name]).fetchall()
        table = Table(
            name,
            {column: declared for column, declared, _ in columns},
            tuple(column for column, _, place in sorted(columns, key=lambda column: column[2]) if place),
            tuple(_foreign_keys(connection, name)),
            is_view,
            has_rowid=not is_view and _has_rowid(connection, name),
            search=next((index for index, sql in virtual.items() if _searches(index, sql, name)), None),
            indexes=_indexes(connection, name),
        )
        return replace(table, sample=_sample(connection, table), words=_words(connection, table))
    except sqlite3.Error as error:  # a broken view, a damaged page, a virtual table whose module is missing
        return Table(name, {}, is_view=is_view, unreadable=str(error))


@lru_cache(maxsize=10_000)
def about_tags(name: str) -> bool:
    """True for a name that speaks of tags: post_tags, tagList, ImageTags, category_id."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return any(word.lower() in _ABOUT_TAGS or word.lower().endswith(("tag", "tags")) for word in words)


def _foreign_keys(connection: sqlite3.Connection, name: str) -> Iterator[ForeignKey]:
    sql = 'select id, "table", "from", "to" from pragma_foreign_key_list(?) order by id, seq'
    parts = connection.execute(sql, [name]).fetchall()
    for number in dict.fromkeys(part[0] for part in parts):
        mine = [part for part in parts if part[0] == number]
        others = tuple(part[3] for part in mine if part[3])
        yield ForeignKey(tuple(part[2] for part in mine), mine[0][1], others)


def _has_rowid(connection: sqlite3.Connection, name: str) -> bool:
    try:
        connection.execute(f"select rowid from {quote(name)} limit 0")
    except sqlite3.Error:
        return False
    return True


def _searches(index: str, sql: str, table: str) -> bool:
    """True for a full-text index of the table: by its declaration, else by the name that sqlite-utils gives."""
    if not re.search(r"\busing\s+fts[345]", sql, re.I):
        return False
    content = re.search(r"content\s*=\s*[\"'\[`]?(.*?)[\"'\]`]?\s*[,)]", sql, re.I)
    return content[1].lower() == table.lower() if content else index == f"{table}_fts"


def _indexes(connection: sqlite3.Connection, name: str) -> frozenset[str]:
    sql = "select i.name from pragma_index_list(?) as l, pragma_index_info(l.name) as i where i.seqno = 0 and i.name is not null"
    return frozenset(row[0] for row in connection.execute(sql, [name]))


def _sample(connection: sqlite3.Connection, table: Table) -> tuple[Row, ...]:
    """The first rows and the last."""
    if not table.columns:
        return ()
    cut = ", ".join(
        f"case when typeof({c}) = 'text' then substr({c}, 1, {LENGTH}) when typeof({c}) <> 'blob' then {c} end"
        for c in map(quote, table.columns)
    )
    sql = f"select {cut} from {quote(table.name)}"
    rows = connection.execute(f"{sql} limit {SAMPLE}").fetchall()
    if table.has_rowid and len(rows) == SAMPLE and not {"rowid"} & {column.lower() for column in table.columns}:
        rows += connection.execute(f"{sql} order by rowid desc limit {SAMPLE}").fetchall()
    return tuple(dict(zip(table.columns, row, strict=True)) for row in rows)


def _words(connection: sqlite3.Connection, table: Table) -> dict[str, tuple[object, ...]]:
    """Values of the columns whose names speak of tags: those that have any, since tags may be rare. And the types of references."""
    answer = {}
    if about_tags(table.name):
        for column in table.columns:
            if column.lower().endswith("_type") or column.lower() == "context":
                sql = f"select distinct {quote(column)} from {quote(table.name)} where {quote(column)} is not null limit {WORDS}"
                answer[column] = tuple(row[0] for row in connection.execute(sql))
    for column in filter(about_tags, table.columns):
        name = quote(column)
        sql = f"select substr({name}, 1, {LENGTH}) from {quote(table.name)} where typeof({name}) = 'text' and trim({name}) not in ('', '[]') limit {WORDS}"
        answer[column] = tuple(row[0] for row in connection.execute(sql))
    return answer


def _guessed(connection: sqlite3.Connection, table: Table, named: Mapping[str, Sequence[Table]]) -> Iterator[ForeignKey]:
    """Keys that nobody declared: where a column's name means a table of the database, and its values are found there."""
    if table.is_view or table.unreadable or not any(map(about_tags, (table.name, *table.columns))):
        return
    declared = {column for one in table.foreign_keys if _leads_somewhere(one, named) for column in one.columns}
    for column in table.columns:
        if column in declared or table.primary_key == (column,):
            continue
        for other, target in _meant(column, table, named):
            if _found(connection, table, column, other, target):
                yield ForeignKey((column,), other.name, (target,), declared=False)
                break


def _leads_somewhere(one: ForeignKey, named: Mapping[str, Sequence[Table]]) -> bool:
    """False for a declared key to a table or columns that do not exist, such as old versions of SQLite left behind."""
    return any(
        other.name.lower() == one.other_table.lower() and set(one.other_columns) <= set(other.columns)
        for form in forms(one.other_table)
        for other in named.get(form, ())
    )


def _by_name(schema: Schema) -> dict[str, list[Table]]:
    """The tables that a column of another may mean by a name: the table's own, without the application's prefix, or its last word."""
    named: dict[str, list[Table]] = defaultdict(list)
    for table in schema.values():
        if not table.is_view:
            names = (table.name, table.name.rpartition("_")[2], table.name.partition("_")[2])
            for form in {form for name in names if name for form in forms(name)}:
                named[form].append(table)
    return named


def _meant(column: str, table: Table, named: Mapping[str, Sequence[Table]]) -> Iterator[tuple[Table, str]]:
    match = _KEY_FIRST.fullmatch(column) or _KEY_NAME.fullmatch(column)
    parts = match.groupdict() if match else {}
    bases = {column, *([parts.get("before") or parts["after"]] if match else [])}
    found = {other.name: other for base in bases for form in forms(base) for other in named.get(form, ()) if other.name != table.name}
    # Tables of the same application first: blog_entry_tags.entry_id means blog_entry.
    for other in sorted(found.values(), key=lambda one: (one.name.split("_")[0] != table.name.split("_")[0], len(one.name), one.name)):
        known = {name.lower(): name for name in other.columns}
        same = [known.get(column.lower()), known.get((parts.get("kind") or "id").lower())] if match else []
        targets = [*(other.primary_key if len(other.primary_key) == 1 else ()), known.get("id"), *same]
        yield from ((other, target) for target in dict.fromkeys(targets) if target)


@lru_cache(maxsize=10_000)
def forms(word: str) -> frozenset[str]:
    """A name as singular and plural, letter case and underscores aside."""
    plain = word.lower().replace("_", "")
    endings = {"ies": "y", "es": "", "s": ""}
    singular = (plain[: -len(end)] + instead for end, instead in endings.items() if plain.endswith(end) and len(plain) > len(end) + 1)
    return frozenset([plain, *singular])


def _found(connection: sqlite3.Connection, table: Table, column: str, other: Table, target: str) -> bool:
    """True where nine in ten of the column's first values are keys of the other table."""
    values = f"select distinct {quote(column)} as v from {quote(table.name)} where {quote(column)} is not null limit {SAMPLE}"
    sql = f"select count(*), sum(v in (select {quote(target)} from {quote(other.name)})) from ({values})"
    try:
        count, found = connection.execute(sql).fetchone()
    except sqlite3.Error:
        return False
    return bool(count and found >= 0.9 * count)


def item_key(table: Table) -> tuple[str, ...]:
    """The columns that tell rows apart: the primary key of one column, else the rowid, by a name that no column has taken.

    A table without rowid has its whole key; a view what looks like one: `id`, or nothing.
    """
    if len(table.primary_key) == 1 or (table.primary_key and not table.has_rowid):
        return table.primary_key
    if table.is_view:
        return tuple(_id_columns(table.columns))[:1]
    taken = {column.lower() for column in table.columns}
    return (next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), "rowid"),)


def _id_columns(columns: Iterable[str]) -> Iterator[str]:
    yield from (column for column in columns if column.lower() in ("id", "rowid", "pk", "key", "uuid", "guid"))
