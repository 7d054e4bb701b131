"""One row a tagging, the tag as text in it: MovieLens, sigma rules."""

from collections.abc import Mapping

from ..model import ForeignKey, Table, Taggings
from ..sql import columns_of, is_key, key, literal, quote


def tag_rows(
    item: Table, item_key: tuple[str, ...], rows: Table, to_item: ForeignKey, tag: str, only: Mapping[str, object] | None = None
) -> Taggings:
    """item <- rows.to_item, rows.tag; an item's tags are in the order of the rows. `only` holds values of other columns of rows."""
    tables = f"{quote(rows.name)} as j"
    direct = to_item.other_columns == item_key
    if not direct:
        pairs = zip(columns_of(to_item.other_columns, "i"), columns_of(to_item.columns, "j"), strict=True)
        tables += f" join {quote(item.name)} as i on {' and '.join(f'{one} = {other}' for one, other in pairs)}"
    alias, columns = ("j", to_item.columns) if direct else ("i", item_key)
    return Taggings(
        shape="one row a tagging",
        tables=tables,
        item=key(columns, alias),
        tag=f"j.{quote(tag)}",
        position="j.rowid" if rows.has_rowid and not rows.is_view and "rowid" not in map(str.lower, rows.columns) else "0",
        tests=(*(f"j.{quote(column)} = {literal(value)}" for column, value in (only or {}).items()), *is_key(columns, alias)),
        indexes=((rows.name, tag), (rows.name, to_item.columns[0])),
    )
