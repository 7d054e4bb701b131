"""Tags in a table of their own, tied to items by a join table: Django, sqlite-utils, Ghost. Also a tag's key in the item's own row."""

from collections.abc import Mapping

from ..model import ForeignKey, Table, Taggings
from ..sql import columns_of, is_key, key, literal, quote


def join_table(
    item: Table,
    item_key: tuple[str, ...],
    join: Table,
    to_item: ForeignKey,
    to_tag: ForeignKey,
    tag: Table,
    name: str,
    order: tuple[str, str] | None = None,
    only: Mapping[str, object] | None = None,
) -> Taggings:
    """item <- join.to_item, join.to_tag -> tag.name; `order` is the (table, column) that orders an item's tags.

    `only` holds values of columns of the join table, for one that also ties other things together.
    """
    tables = f"{quote(join.name)} as j join {quote(tag.name)} as t on {_equal('t', to_tag.other_columns, 'j', to_tag.columns)}"
    direct = to_item.other_columns == item_key
    if not direct:
        tables += f" join {quote(item.name)} as i on {_equal('i', to_item.other_columns, 'j', to_item.columns)}"
    alias, columns = ("j", to_item.columns) if direct else ("i", item_key)
    by_table, by_column = order or (tag.name, to_tag.other_columns[0])
    return Taggings(
        shape="join table" if not only else "generic relation",
        tables=tables,
        item=key(columns, alias),
        tag=f"t.{quote(name)}",
        position=f"{'j' if by_table == join.name else 't'}.{quote(by_column)}",
        tests=(*(f"j.{quote(column)} = {literal(value)}" for column, value in (only or {}).items()), *is_key(columns, alias)),
        indexes=((join.name, to_tag.columns[0]), (join.name, to_item.columns[0]), (tag.name, name)),
        described_in=(tag.name, name),
    )


def _equal(left: str, left_columns: tuple[str, ...], right: str, right_columns: tuple[str, ...]) -> str:
    pairs = zip(columns_of(left_columns, left), columns_of(right_columns, right), strict=True)
    return " and ".join(f"{one} = {other}" for one, other in pairs)
