"""Finding sources without settings: which tables carry tags, and how, as the settings that say the same.

A doubtful table is left out, with the reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .columns import found_fields, predicate, unclear
from .looks import storage_of
from .model import Schema, Table
from .storages import Storage, every_storage, holds_secrets, is_plural, is_tag_column, table_named
from .survey import about_tags, item_key

MARKUP = ("html", "markdown", "text")


@dataclass(frozen=True)
class Discovery:
    """What was found: {table: settings of a source}; and what was not used: {table: reason}."""

    sources: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    left_out: Mapping[str, "Reason"] = field(default_factory=dict)


class Reason(NamedTuple):
    """Why a table is not used, and the other tables that the sentence names."""

    sentence: str
    names: frozenset[str] = frozenset()


def discover(schema: Schema) -> Discovery:
    """The sources of a database."""
    storages = every_storage(schema)
    serving = {name for one in storages for name in one.uses}
    best: dict[str, Storage] = {}
    doubts = {name: doubt for name in {one.table for one in storages} - serving if (doubt := _doubt(schema[name]))}
    for one in storages:
        if one.table not in serving and one.table not in doubts:
            best.setdefault(one.table, one)
    views = {name for name in best if schema[name].is_view and schema[name].mentions & (best.keys() - {name})}
    chosen = {name: one for name, one in best.items() if name not in views}
    used = {name for one in chosen.values() for name in one.uses} | chosen.keys()
    reasons = {name: _reason(table, schema, storages, chosen) for name, table in schema.items() if name not in used}
    reasons |= {name: Reason(doubt) for name, doubt in doubts.items()}
    return Discovery({name: settings_of(schema[name], chosen[name], schema) for name in schema if name in chosen}, reasons)


def _doubt(table: Table) -> str:
    """Why a table that carries tags should not be published unasked; '' for no reason."""
    if holds_secrets(table):
        return "it seems to hold people or secrets; name it in the settings where it is meant to be read"
    return unclear(table.columns, table.sample)


def settings_of(table: Table, found: Storage | None, schema: Schema) -> dict[str, object]:
    """The settings of a source over the table; `tags` only where they were found."""
    columns, rows = table.columns, table.sample
    taken = [found.column] if found and found.column else []
    fields, tests = found_fields(columns, rows, taken), [predicate(columns, rows)]
    if parent := parent_of(table, schema):
        inherited = {name: declared for name, declared in parent.columns.items() if name not in columns}
        more = found_fields(inherited, parent.sample, taken)
        has_content = fields.keys() & set(MARKUP)
        fields = {**{name: column for name, column in more.items() if not (has_content and name in MARKUP)}, **fields}
        tests.append(predicate(inherited, parent.sample))
    where = " and ".join(test for test in tests if test)
    return {**(found.settings if found else {}), **fields, **({"where": where} if where else {})}


def parent_of(table: Table, schema: Schema) -> Table | None:
    """The table whose rows this one's extend: its key refers to that table's key (Django's multi-table inheritance)."""
    for one in table.foreign_keys:
        other = table_named(one.other_table, schema)
        if one.declared and one.columns == table.primary_key and other and other.name != table.name:
            return other if one.other_columns in ((), other.primary_key) and len(other.primary_key) == 1 else None
    return None


def _reason(table: Table, schema: Schema, storages: Iterable[Storage], chosen: Mapping[str, Storage]) -> Reason:
    """Why a table is not used."""
    if table.unreadable:
        return Reason(f"SQLite cannot read it: {table.unreadable}")
    serving = sorted({one.table for one in storages if table.name in one.uses and one.table in chosen})
    if serving:
        names = frozenset(serving) | chosen[serving[0]].uses
        return Reason(f"another way to tag {', '.join(serving)}, which {chosen[serving[0]].why} already does", names)
    if table.is_view and (shown := sorted(table.mentions & chosen.keys())):
        return Reason(f"a view of {', '.join(shown)}, whose items are here already", frozenset(shown))
    if table.is_view and not item_key(table):
        return Reason("a view without a column called id, so that its rows cannot be told apart")
    columns = [column for column in table.columns if about_tags(column) and not is_tag_column(column)]
    if len(columns) > 2:
        return Reason(f"a column for each tag, it seems ({columns[0]} and {len(columns) - 1} more): say with sql which ones")
    numbers = [
        column for column in table.columns if is_tag_column(column) and any(isinstance(row.get(column), int) for row in table.sample)
    ]
    if numbers:
        return Reason(f"column {numbers[0]} holds numbers, and no table of tags was found that they refer to")
    doubts = [(column, storage_of(values, is_plural(column))[1]) for column, values in table.words.items() if is_tag_column(column)]
    if doubts:
        return Reason("; ".join(f"column {column}: {doubt or 'nothing else in the table is worth a feed'}" for column, doubt in doubts))
    return Reason("no column of tags, and no table joins it to tags")
