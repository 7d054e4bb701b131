"""Tags in a table of their own, tied to items by a join table: Django, sqlite-utils, Ghost. Also a tag's key in the item's own row."""

from collections.abc import Mapping

from ..model import ForeignKey, Lookup, Table, Taggings, Touch
from ..sql import columns_of, quote
from .ties import equal, mixed, tie


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
    tables = f"{quote(join.name)} as j join {quote(tag.name)} as t on {equal('t', to_tag.other_columns, 'j', to_tag.columns)}"
    tied = tie(item, item_key, join, to_item, tables, only)
    named = tie(item, item_key, join, to_item, f"{quote(join.name)} as j")
    by_table, by_column = order or (tag.name, to_tag.other_columns[0])
    return Taggings(
        shape="join table" if not only else "generic relation",
        tables=tied.tables,
        item=tied.item,
        tag=f"t.{quote(name)}",
        position=f"{'j' if by_table == join.name else 't'}.{quote(by_column)}",
        tests=tied.tests,
        indexes=((join.name, to_tag.columns[0]), (join.name, to_item.columns[0]), (tag.name, name)),
        described_in=(tag.name, name),
        touches=(
            tied.touch,
            Touch(tag.name, to_tag.other_columns, Lookup(named.tables, named.item, tuple(columns_of(to_tag.columns, "j")))),
        ),
        mixed=tied.mixed or mixed(join, to_tag, tag),
    )
