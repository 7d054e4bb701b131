"""One row a tagging, the tag as text in it: MovieLens, sigma rules."""

from collections.abc import Mapping

from ..model import ForeignKey, Table, Taggings
from ..sql import quote
from .ties import tie


def tag_rows(
    item: Table, item_key: tuple[str, ...], rows: Table, to_item: ForeignKey, tag: str, only: Mapping[str, object] | None = None
) -> Taggings:
    """item <- rows.to_item, rows.tag; an item's tags are in the order of the rows. `only` holds values of other columns of rows."""
    tied = tie(item, item_key, rows, to_item, f"{quote(rows.name)} as j", only)
    return Taggings(
        shape="one row a tagging",
        tables=tied.tables,
        item=tied.item,
        tag=f"j.{quote(tag)}",
        position="j.rowid" if rows.has_rowid and not rows.is_view and "rowid" not in map(str.lower, rows.columns) else "0",
        tests=tied.tests,
        indexes=((rows.name, tag), (rows.name, to_item.columns[0])),
        touches=(tied.touch,),
        mixed=tied.mixed,
    )
