"""Rows that tie items to tags: whose item each means, for the shapes that keep taggings in a table of their own."""

from collections.abc import Mapping
from typing import NamedTuple

from ..model import ForeignKey, Lookup, Table, Touch
from ..sql import columns_of, is_key, key, literal, quote


class Tie(NamedTuple):
    """A FROM clause over the table of taggings, called j; the key of the item's row in it; tests that hold; what its rows touch."""

    tables: str
    item: str
    tests: tuple[str, ...]
    touch: Touch
    mixed: str


def tie(
    item: Table, item_key: tuple[str, ...], table: Table, to_item: ForeignKey, tables: str, only: Mapping[str, object] | None = None
) -> Tie:
    """item <- j.to_item. `tables` has j, which is `table`, in it; the item's own table joins only where the reference is not to its key.

    `only` holds values of columns of j, for a table that also ties other things together.
    """
    direct = to_item.other_columns == item_key
    if not direct:
        tables += f" join {quote(item.name)} as i on {equal('i', to_item.other_columns, 'j', to_item.columns)}"
    alias, columns = ("j", to_item.columns) if direct else ("i", item_key)
    items = Lookup(f"{quote(item.name)} as i", key(item_key, "i"), tuple(columns_of(to_item.other_columns, "i")))
    touch = Touch(table.name, to_item.columns, None if direct else items)
    chosen = (f"j.{quote(column)} = {literal(value)}" for column, value in (only or {}).items())
    return Tie(tables, key(columns, alias), (*chosen, *is_key(columns, alias)), touch, mixed(table, to_item, item))


def equal(left: str, left_columns: tuple[str, ...], right: str, right_columns: tuple[str, ...]) -> str:
    """The condition that columns of two tables are the same, pair by pair."""
    pairs = zip(columns_of(left_columns, left), columns_of(right_columns, right), strict=True)
    return " and ".join(f"{one} = {other}" for one, other in pairs)


def mixed(table: Table, reference: ForeignKey, other: Table) -> str:
    """The reference as table.column, where its values are of another type than those to which it refers; '' where all are alike."""
    pairs = zip(reference.columns, reference.other_columns, strict=True)
    found = (one for one, two in pairs if _affinity(table.columns.get(one, "integer")) != _affinity(other.columns.get(two, "integer")))
    return next((f"{table.name}.{one}" for one in found), "")


def _affinity(declared: str) -> str:
    """Whether SQLite turns what is compared with a column into numbers, into text, or leaves it (https://sqlite.org/datatype3.html)."""
    kind = declared.upper()
    if "INT" not in kind and any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    return "" if "INT" not in kind and (not kind or "BLOB" in kind) else "number"
