"""One source's settings, checked against its table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from datasette.utils import tilde_encode

from . import checks, discover
from .checks import Problems, nearest
from .fields import Column, expression, is_expression
from .model import Field, ForeignKey, Schema, Source, Table
from .sources.join_table import JoinTable

CONTENT = ("html", "markdown", "text")
EXPRESSIONS = ("id", "title", "link", *CONTENT, "summary", "author", "image", "related", "via", "enclosure", "language")
COLUMNS = ("published", "updated")
KNOWN = (*EXPRESSIONS, *COLUMNS, "database", "table", "tags", "label", "where", "namespace", "order", "trusted", "template")
JOIN_KEYS = ("join", "item", "tag", "name")

Value = TypeVar("Value")


def source(path: str, name: str, given: Mapping[str, Any], databases: Mapping[str, Schema], zone: str, problems: Problems) -> Source | None:
    """The source that the settings describe; None where its table or its tags cannot be told."""
    problems.unknown(path, given, KNOWN)
    settings = _Settings(path, given, problems)
    place = _place(settings, name, databases)
    if not place:
        return None
    database, table = place
    fields, published = _fields(settings, table), _published(settings, table)
    tags = _join_table(settings, table, databases[database])
    template = settings.option("template", checks.text)
    if not tags:
        return None
    return Source(
        name=name,
        label=settings.option("label", checks.text) or name.replace("_", " ").capitalize(),
        database=database,
        table=table.name,
        key=discover.key_of(table),
        tags=tags,
        namespace=settings.option("namespace", _namespace) or f"{tilde_encode(database)}/{tilde_encode(table.name)}",
        timezone=zone,
        columns=tuple(table.columns),
        dates=frozenset(
            column
            for column, declared in table.columns.items()
            if discover.is_date(column, declared) or Column(column) == fields.get("updated") or column == published
        ),
        published=published,
        where=settings.option("where", checks.text),
        fields=fields,
        content=next((kind for kind in CONTENT if kind in fields), None),
        trusted=settings.option("trusted", checks.flag) or False,
        template=template,
    )


@dataclass(frozen=True)
class _Settings:
    """One source's block, where it stands, and where its problems go."""

    path: str
    given: Mapping[str, Any]
    problems: Problems

    def option(self, key: str, check: Callable[[Any], Value]) -> Value | None:
        if self.given.get(key) is None:
            return None
        return self.problems.check(f"{self.path}.{key}", check, self.given[key])

    def refuse(self, key: str, message: str) -> None:
        self.problems.add(f"{self.path}.{key}" if key else self.path, message)

    def column(self, key: str, name: object, table: Table, names: Iterable[str] = ()) -> str | None:
        """The name, where the table has such a column; a problem, with the nearest one, where it has not."""
        known = [*table.columns, *names]
        if name in known:
            return str(name)
        self.refuse(key, f"no column {name!r} in {table.name}{nearest(name, known)}")
        return None


def _place(settings: _Settings, name: str, databases: Mapping[str, Schema]) -> tuple[str, Table] | None:
    """The database and table of a source, where there is exactly one such table and it has a key of one column."""
    wanted = settings.option("table", checks.text) or name
    database = settings.option("database", checks.text)
    key = "table" if settings.given.get("table") else ""
    if database is not None and database not in databases:
        settings.refuse("database", f"no database {database!r}{nearest(database, databases)}")
        return None
    searched = [database] if database is not None else list(databases)
    found = [one for one in searched if wanted in databases[one]]
    if len(found) > 1:
        settings.refuse("database", f"{', '.join(found)} each have a table {wanted!r}: say which")
        return None
    if not found:
        settings.refuse(key, f"no table {wanted!r}{nearest(wanted, [t for one in searched for t in databases[one]])}")
        return None
    table = databases[found[0]][wanted]
    if table.is_view:
        settings.refuse(key, f"{wanted!r} is a view, whose rows have no key: name a table")
        return None
    if len(table.primary_key) > 1:
        settings.refuse(key, f"{wanted!r} has a primary key of {len(table.primary_key)} columns; only one is supported so far")
        return None
    return found[0], table


def _published(settings: _Settings, table: Table) -> str | None:
    """The column that orders items; rows are ordered in SQL, so no expression will do."""
    if settings.given.get("published") is None:
        return None if "published" in settings.given else discover.column_for("published", table.columns)
    name = settings.option("published", checks.text)
    if name and is_expression(name):
        settings.refuse("published", "must be a column, not an expression: items are ordered by it")
        return None
    return settings.column("published", name, table) if name else None


def _fields(settings: _Settings, table: Table) -> dict[str, Field]:
    """The fields that are given, compiled, and title and updated by their usual names where they are not."""
    fields: dict[str, Field] = {}
    for key in (*EXPRESSIONS, "updated"):
        value = settings.option(key, checks.text)
        if value is not None and (compiled := _field(settings, key, value, table)):
            fields[key] = compiled
        elif key not in settings.given and (column := discover.column_for(key, table.columns)) and key in ("title", "updated"):
            fields[key] = Column(column)
    if len(kinds := [kind for kind in CONTENT if kind in fields]) > 1:
        settings.refuse(kinds[1], f"{' and '.join(kinds)} exclude each other: an entry has one content")
    return fields


def _field(settings: _Settings, key: str, value: str, table: Table) -> Field | None:
    if not is_expression(value):
        return Column(value) if settings.column(key, value, table) else None
    if key in COLUMNS:
        settings.refuse(key, "must be a column, not an expression")
        return None
    compiled = settings.problems.check(f"{settings.path}.{key}", expression, value)
    unknown = [name for name in sorted(compiled.reads) if name not in table.columns] if compiled else []
    for name in unknown:
        settings.column(key, name, table)
    return None if unknown else compiled


def _join_table(settings: _Settings, table: Table, schema: Schema) -> JoinTable | None:
    """How the source's tags are stored: found by foreign keys, by a join table's name, or spelt out."""
    given = settings.given.get("tags")
    if isinstance(given, Mapping):
        shape = _spelt_out(settings, given, table, schema)
    elif (name := settings.option("tags", checks.text)) and name not in schema:
        settings.refuse("tags", f"no table {name!r}{nearest(name, schema)}")
        return None
    else:
        shape = _found(settings, name, table, schema) if name or given is None else None
    order = settings.option("order", checks.text)
    return _ordered(settings, shape, order, schema) if shape and order else shape


def _found(settings: _Settings, name: str | None, table: Table, schema: Schema) -> JoinTable | None:
    found = [shape for shape in discover.join_tables(table, schema) if name in (None, shape.join)]
    if len(found) == 1:
        return found[0]
    if not found:
        where = f"{name!r} is no join table" if name else "no join table was found"
        settings.refuse(
            "tags", f"{where} with foreign keys to {table.name} and to a table of tags; spell it out as a map of join, item, tag, name"
        )
        return None
    shapes = ", ".join(f"{{join: {one.join}, item: {one.item_column}, tag: {one.tag_column}}}" for one in found)
    settings.refuse("tags", f"several join tables fit: {shapes}; say which")
    return None


def _spelt_out(settings: _Settings, given: Mapping[str, Any], table: Table, schema: Schema) -> JoinTable | None:
    """tags: {join, item, tag, name}; name is a column of the tag table, or table.column where no foreign key leads there."""
    before = len(settings.problems.found)
    settings.problems.unknown(f"{settings.path}.tags", given, JOIN_KEYS)
    tags = _Settings(f"{settings.path}.tags", given, settings.problems)
    for key in ("join", "item", "tag"):
        if given.get(key) is None:
            tags.refuse(key, "is missing")
    wanted = {key: tags.option(key, checks.text) for key in JOIN_KEYS}
    join = schema.get(wanted["join"] or "")
    if wanted["join"] and not join:
        tags.refuse("join", f"no table {wanted['join']!r}{nearest(wanted['join'], schema)}")
    if not join or len(settings.problems.found) > before:
        return None
    references = {key.column: key for key in join.foreign_keys}
    item, tag = (tags.column(key, wanted[key], join) for key in ("item", "tag"))
    if not item or not tag:
        return None
    named = _tag_table(tags, wanted["name"], references.get(tag), schema)
    if not named:
        return None
    tag_table, name = named
    to_item = references.get(item) or ForeignKey(item, table.name, "")
    return discover.join_table(table, join, to_item, references.get(tag) or ForeignKey(tag, tag_table.name, ""), tag_table, name)


def _tag_table(tags: _Settings, wanted: str | None, reference: ForeignKey | None, schema: Schema) -> tuple[Table, str] | None:
    table_name, _, column = (wanted or "").rpartition(".")
    table = discover.table_named(table_name or (reference.other_table if reference else ""), schema)
    if not table:
        tags.refuse(
            "name",
            "say it as table.column: no foreign key tells which table holds the tags"
            if not table_name
            else f"no table {table_name!r}{nearest(table_name, schema)}",
        )
        return None
    name = tags.column("name", column, table) if wanted else discover.tag_name_column(table)
    if not name and not wanted:
        tags.refuse("name", f"is missing: which column of {table.name} is the tag?{nearest('tag', table.columns)}")
        return None
    return (table, name) if name else None


def _ordered(settings: _Settings, shape: JoinTable, order: str, schema: Schema) -> JoinTable | None:
    """`order: position`, a column of the join or else of the tag table; table.column says which."""
    table_name, _, column = order.rpartition(".")
    tables = [schema[name] for name in (shape.join, shape.tag_table) if table_name in ("", name)]
    for table in tables:
        if column in table.columns:
            return replace(shape, order=(table.name, column))
    names = [name for table in (schema[shape.join], schema[shape.tag_table]) for name in table.columns]
    settings.refuse("order", f"no column {order!r} in {shape.join} or {shape.tag_table}{nearest(column, names)}")
    return None


def _namespace(value: object) -> str:
    """The part of a tag URI that stands before the key (RFC 4151 §2.1, `specific`)."""
    text = checks.text(value)
    if text.strip("/") != text or tilde_encode(text).replace("~2F", "/") != text:
        raise ValueError(f"must be letters, digits, - _ and / only, such as 'blog/entry', not {text!r}")
    return text
