"""The setting `tags` of a source, in each of its forms, as the shape of storage that it names."""

from collections.abc import Mapping
from typing import Any

from . import checks, storages
from .block import Block
from .checks import nearest
from .looks import JSON, SINGLE, storage_of
from .model import ForeignKey, Schema, Table, Taggings
from .sources.column import column
from .sources.delimited import LISTS, delimited
from .sources.join_table import join_table
from .sources.json_array import json_array
from .sources.query import query
from .sources.tag_rows import tag_rows
from .storages import pairs, resolved, table_named, tag_name_column
from .survey import item_key

Key = tuple[str, ...]


def taggings(block: Block, table: Table, key: Key, schema: Schema) -> Taggings | None:
    """The shape that `tags` or `sql` of a source's block says; None, and a problem noted, where it says none."""
    given = block.given.get("tags")
    if sql := block.option("sql", checks.text):
        if given is not None:
            block.refuse("sql", "tags and sql exclude each other")
        return query(sql.rstrip().rstrip(";"))
    if given is None:
        block.refuse("tags", f"no tags of {table.name} were found by themselves; say which table or column holds them")
        return None
    if isinstance(given, Mapping):
        return _spelt(Block(f"{block.path}.tags", given, block.problems), block, table, key, schema)
    name = block.option("tags", checks.text)
    return _named(block, name, table, key, schema) if name else None


def _named(block: Block, name: str, table: Table, key: Key, schema: Schema) -> Taggings | None:
    """A table that holds taggings, or a column of the source's own table."""
    other = table_named("taggit_taggeditem" if name == "taggit" and name not in schema else name, schema)
    if name in table.columns and not (other and list(_ways(other, table, schema))):
        return _column(name, table, key)
    if not other:
        block.refuse("tags", f"no table or column {name!r}{nearest(name, [*schema, *table.columns])}")
        return None
    ways = list(_ways(other, table, schema))
    if len(ways) == 1:
        return _spelt(Block(f"{block.path}.tags", ways[0], block.problems), block, table, key, schema)
    if not ways:
        form = "spell it out as a map of join, item, tag, name"
        block.refuse("tags", f"{name!r} is no join table with foreign keys to {table.name} and to a table of tags; {form}")
        return None
    block.refuse("tags", f"several ways fit: {'; '.join(map(_written, ways))}; say which")
    return None


def _written(way: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in way.items()) + "}"


def _ways(other: Table, table: Table, schema: Schema) -> list[Mapping[str, Any]]:
    """The ways in which the other table tags this one, spelt out."""
    found = [one for one in pairs(other, schema) if one[0].other_table == table.name]
    ways: list[Mapping[str, Any]] = [
        {"join": other.name, "item": list(to_item.columns), "tag": list(to_tag.columns), "name": f"{to_tag.other_table}.{name}"}
        for to_item, to_tag, name in found
    ]
    if ways:
        return ways
    tags = [one.settings.get("tags") for one in storages.storages(table, schema) if other.name in one.uses]
    return [one for one in tags if isinstance(one, Mapping)]


def _column(name: str, table: Table, key: Key) -> Taggings:
    """A JSON array or a single tag: what the values are decides; where there are none yet, an array is expected."""
    values = table.words.get(name, tuple(row.get(name) for row in table.sample))
    form, _ = storage_of(values, several=True)
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    arrays = sum(value.lstrip().startswith("[") for value in texts)
    if form == JSON or (texts and 2 * arrays > len(texts)):
        return json_array(table, key, name)
    return (
        json_array(table, key, name)
        if not texts and form != SINGLE and not any(v is not None for v in values)
        else column(table, key, name)
    )


_FORMS: Mapping[str, tuple[str, ...]] = {
    "join": ("join", "item", "tag", "name", "only"),
    "table": ("table", "item", "tag", "name", "only", "type_column", "type"),
    "column": ("column", "split"),
}


def _spelt(tags: Block, source: Block, table: Table, key: Key, schema: Schema) -> Taggings | None:
    form = next((form for form in _FORMS if form in tags.given), None)
    if not form:
        tags.problems.unknown(tags.path, tags.given, {name for names in _FORMS.values() for name in names})
        tags.refuse("", "must have join, table or column")
        return None
    before = len(tags.problems.found)
    tags.problems.unknown(tags.path, tags.given, _FORMS[form])
    made = _delimited(tags, table, key) if form == "column" else _tied(tags, source, form, table, key, schema)
    return made if len(tags.problems.found) == before else None


def _delimited(tags: Block, table: Table, key: Key) -> Taggings | None:
    name = tags.column("column", tags.given["column"], table)
    split = tags.given.get("split")
    if split is None:
        return _column(name, table, key) if name else None
    if not isinstance(split, str) or not split:
        known = ", ".join(f"{sign!r} for {meaning}" for sign, meaning in LISTS.items())
        tags.refuse("split", f"must be what parts the tags, such as ',' or ' '; or {known}")
        return None
    return delimited(table, key, name, split) if name else None


def _tied(tags: Block, source: Block, form: str, table: Table, key: Key, schema: Schema) -> Taggings | None:
    """Tags in rows of their own: with a table of tags beside them, or with the tag as text."""
    name = tags.option(form, checks.text) or ""
    ties = table_named(name, schema)
    if not ties:
        tags.refuse(form, f"no table {name!r}{nearest(name, schema)}")
        return None
    item, tag, only = tags.columns("item", ties), tags.columns("tag", ties), _only(tags, ties)
    if not item or not tag:
        return None
    keys = {one.columns: found for one in ties.foreign_keys if (found := resolved(one, schema))}
    to_item = keys.get(item)
    if not to_item or to_item.other_table != table.name:
        to_item = ForeignKey(item, table.name, table.primary_key if len(table.primary_key) == len(item) else key)
    if len(to_item.other_columns) != len(item):
        tags.refuse("item", f"{table.name} is identified by {', '.join(to_item.other_columns)}")
        return None
    to_tag = keys.get(tag)
    if form == "table" and not to_tag and "name" not in tags.given:
        return tag_rows(table, key, ties, to_item, tag[0], only)
    named = _tag_table(tags, to_tag, schema)
    if not named:
        return None
    tag_table, tag_name = named
    if not to_tag or to_tag.other_table != tag_table.name:
        to_tag = ForeignKey(tag, tag_table.name, item_key(tag_table))
    order = _order(source, ties, tag_table)
    return join_table(table, key, ties, to_item, to_tag, tag_table, tag_name, order, only)


def _only(tags: Block, ties: Table) -> Mapping[str, object]:
    """The values that columns of the table of taggings must have."""
    only = dict(tags.option("only", checks.mapping) or {})
    if tags.given.get("type_column") is not None:
        only[str(tags.given["type_column"])] = tags.given.get("type")
        if tags.given.get("type") is None:
            tags.refuse("type", "is missing: which value of type_column means this source?")
    for name, value in only.items():
        tags.column("only" if name in (tags.given.get("only") or {}) else "type_column", name, ties)
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            tags.refuse("only", f"the value of {name} must be text or a whole number")
    return only


def _tag_table(tags: Block, reference: ForeignKey | None, schema: Schema) -> tuple[Table, str] | None:
    """The table of tags and its column that is the tag: `name`, or table.column where no foreign key leads there."""
    wanted = tags.option("name", checks.text)
    table_name, _, name = (wanted or "").rpartition(".")
    table = table_named(table_name or (reference.other_table if reference else ""), schema)
    if not table:
        unknown = f"no table {table_name!r}{nearest(table_name, schema)}"
        tags.refuse("name", unknown if table_name else "say it as table.column: no foreign key tells which table holds the tags")
        return None
    found = tags.column("name", name, table) if wanted else tag_name_column(table)
    if not found and not wanted:
        tags.refuse("name", f"is missing: which column of {table.name} is the tag?{nearest('tag', table.columns)}")
    return (table, found) if found else None


def _order(source: Block, join: Table, tag: Table) -> tuple[str, str] | None:
    """`order: position`, a column of the join or else of the tag table; table.column says which."""
    order = source.option("order", checks.text)
    if not order:
        return None
    table_name, _, column_name = order.rpartition(".")
    for table in (join, tag):
        if table_name in ("", table.name) and column_name in table.columns:
            return table.name, column_name
    known = nearest(column_name, [*join.columns, *tag.columns])
    source.refuse("order", f"no column {order!r} in {join.name} or {tag.name}{known}")
    return None
