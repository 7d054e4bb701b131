"""One source's settings: completed by what is found, and checked against its table."""

from collections.abc import Iterator, Mapping
from typing import Any

from datasette.utils import tilde_encode

from . import checks
from .block import Block
from .checks import Problems, nearest
from .columns import is_date
from .dates import quick_forms
from .discover import parent_of, settings_of
from .fields import Column, expression, is_expression
from .model import Field, Schema, Source, Table, Taggings, Touch
from .sql import quote
from .storages import storages
from .survey import item_key
from .tag_settings import taggings

CONTENT = ("html", "markdown", "text")
EXPRESSIONS = (
    "id",
    "title",
    "link",
    *CONTENT,
    "summary",
    "author",
    "contributor",
    "rights",
    "image",
    "related",
    "via",
    "enclosure",
    "enclosure_length",
    "language",
)
COLUMNS = ("published", "updated")
OTHERS = ("database", "table", "key", "tags", "sql", "label", "where", "namespace", "order", "trusted", "template")
# How people would write them.
_ORDER = ("database", "table", "key", "label", "tags", "sql", "order", *EXPRESSIONS, *COLUMNS, "where", "namespace", "trusted", "template")
KNOWN = (*EXPRESSIONS, *COLUMNS, *OTHERS)


def source(
    path: str, name: str, given: Mapping[str, Any], databases: Mapping[str, Schema], zone: str, problems: Problems, complete: bool
) -> Source | None:
    """The source that the settings describe; None where its table or its tags cannot be told. `complete` ones need no discovery."""
    problems.unknown(path, given, KNOWN)
    place = _place(Block(path, given, problems), name, databases)
    if not place:
        return None
    database, table = place
    schema = databases[database]
    written = given if complete else _completed(given, table, schema)
    block = Block(path, written, problems)
    key = _key(block, table)
    shape = taggings(block, table, key, schema) if key else None
    rows = _with_parent(table, schema)
    fields, published = _fields(block, rows), _published(block, rows)
    options = {name: block.option(name, check) for name, check in _OPTIONS.items()}
    if not shape or not key:
        return None
    return Source(
        name=name,
        label=options["label"] or name.replace("_", " ").capitalize(),
        database=database,
        table=table.name,
        relation=_relation(table, schema),
        key=key,
        path=table.primary_key or key,
        tags=shape,
        namespace=options["namespace"] or f"{tilde_encode(database)}/{tilde_encode(table.name)}",
        timezone=zone,
        columns=tuple(rows.columns),
        dates=frozenset(_dates(rows, fields, published)),
        published=published,
        date_forms=quick_forms(row.get(published) for row in rows.sample) if published else frozenset(),
        where=options["where"],
        fields=fields,
        content=next((kind for kind in CONTENT if kind in fields), None),
        trusted=options["trusted"] or False,
        template=options["template"],
        is_view=table.is_view,
        is_discovered=complete,
        search=table.search if rows is table and table.has_rowid else None,
        unindexed=tuple(_unindexed(shape, schema)),
        written={name: written[name] for name in _ORDER if written.get(name) is not None},
        touches=_touches(table, key, shape, schema),
    )


def _completed(given: Mapping[str, Any], table: Table, schema: Schema) -> dict[str, Any]:
    """The settings given, with what can be found in place of those left out. An empty setting is given: it takes away."""
    ways = [] if given.keys() & {"tags", "sql"} else storages(table, schema)
    found = settings_of(table, ways[0] if ways else None, schema)
    if given.keys() & set(CONTENT):
        found = {name: value for name, value in found.items() if name not in CONTENT}
    taken = {value for name, value in given.items() if name in (*EXPRESSIONS, *COLUMNS) and isinstance(value, str)}
    return {**{name: value for name, value in found.items() if name in (*COLUMNS, "where", "tags") or value not in taken}, **given}


def _place(block: Block, name: str, databases: Mapping[str, Schema]) -> tuple[str, Table] | None:
    """The database and table of a source, where there is exactly one such table."""
    wanted = block.option("table", checks.text) or name
    database = block.option("database", checks.text)
    if database is not None and database not in databases:
        block.refuse("database", f"no database {database!r}{nearest(database, databases)}")
        return None
    searched = [database] if database is not None else list(databases)
    found = [one for one in searched if wanted in databases[one]]
    if len(found) > 1:
        block.refuse("database", f"{', '.join(found)} each have a table {wanted!r}: say which")
        return None
    key = "table" if block.given.get("table") else ""
    if not found:
        block.refuse(key, f"no table {wanted!r}{nearest(wanted, [t for one in searched for t in databases[one]])}")
        return None
    table = databases[found[0]][wanted]
    if table.unreadable:
        block.refuse(key, f"SQLite cannot read {wanted!r}: {table.unreadable}")
        return None
    return found[0], table


def _key(block: Block, table: Table) -> tuple[str, ...] | None:
    """The columns that tell rows apart: `key`, else what the table says."""
    if block.given.get("key") is not None:
        return block.columns("key", table)
    if not (found := item_key(table)):
        block.refuse("key", f"is missing: {table.name} is a view, and none of its columns is called id; which one tells its rows apart?")
    return found or None


def _with_parent(table: Table, schema: Schema) -> Table:
    """The table with the columns of the one that it extends, if any; its own come first and win."""
    parent = parent_of(table, schema)
    if not parent:
        return table
    columns = {**table.columns, **{name: declared for name, declared in parent.columns.items() if name not in table.columns}}
    return Table(table.name, columns, sample=(*table.sample, *parent.sample))


def _relation(table: Table, schema: Schema) -> str:
    """What stands in FROM for the rows: the table, or with its parent's columns beside its own."""
    parent = parent_of(table, schema)
    if not parent:
        return quote(table.name)
    inherited = ", ".join(f"p.{quote(name)}" for name in parent.columns if name not in table.columns)
    tie = f"p.{quote(parent.primary_key[0])} = c.{quote(table.primary_key[0])}"
    return f"(select c.*{', ' if inherited else ''}{inherited} from {quote(table.name)} as c left join {quote(parent.name)} as p on {tie})"


def _touches(table: Table, key: tuple[str, ...], shape: Taggings, schema: Schema) -> tuple[Touch, ...]:
    """The tables whose rows decide what the source holds: its own, the one that it extends, and those of its tags."""
    parent = parent_of(table, schema)
    return (Touch(table.name, key), *([Touch(parent.name, parent.primary_key)] if parent else []), *shape.touches)


def _unindexed(shape: Taggings, schema: Schema) -> Iterator[tuple[str, str]]:
    """The (table, column)s that the shape is searched by, and that no index begins with."""
    for name, column in shape.indexes:
        table = schema.get(name)
        if table and not table.is_view and column not in table.indexes and column not in table.primary_key[:1]:
            yield name, column


def _dates(table: Table, fields: Mapping[str, Field], published: str | None) -> list[str]:
    """The columns that arrive parsed in expressions."""
    updated = fields.get("updated")
    return [name for name, declared in table.columns.items() if is_date(name, declared) or Column(name) == updated or name == published]


def _published(block: Block, table: Table) -> str | None:
    """The column that orders items; rows are ordered in SQL, so no expression will do."""
    name = block.option("published", checks.text)
    if name and is_expression(name):
        block.refuse("published", "must be a column, not an expression: items are ordered by it")
        return None
    return block.column("published", name, table) if name else None


def _fields(block: Block, table: Table) -> dict[str, Field]:
    """The fields, compiled."""
    fields: dict[str, Field] = {}
    for key in (*EXPRESSIONS, "updated"):
        value = block.option(key, checks.text)
        if value is not None and (compiled := _field(block, key, value, table)):
            fields[key] = compiled
    if len(kinds := [kind for kind in CONTENT if kind in fields]) > 1:
        block.refuse(kinds[1], f"{' and '.join(kinds)} exclude each other: an entry has one content")
    return fields


def _field(block: Block, key: str, value: str, table: Table) -> Field | None:
    if not is_expression(value):
        return Column(value) if block.column(key, value, table) else None
    if key in COLUMNS:
        block.refuse(key, "must be a column, not an expression")
        return None
    compiled = block.problems.check(f"{block.path}.{key}", expression, value)
    unknown = [name for name in sorted(compiled.reads) if name not in table.columns] if compiled else []
    for name in unknown:
        block.column(key, name, table)
    return None if unknown else compiled


def _namespace(value: object) -> str:
    """The part of a tag URI that stands before the key (RFC 4151 §2.1, `specific`)."""
    text = checks.text(value)
    if text.strip("/") != text or tilde_encode(text).replace("~2F", "/") != text:
        raise ValueError(f"must be letters, digits, - _ and / only, such as 'blog/entry', not {text!r}")
    return text


_OPTIONS: Mapping[str, Any] = {
    "label": checks.text,
    "namespace": _namespace,
    "where": checks.text,
    "trusted": checks.flag,
    "template": checks.text,
}
