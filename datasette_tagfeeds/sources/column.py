"""One tag in a column of the item: TIL's topics."""

from ..model import Table, Taggings
from ..sql import is_key, key, quote


def column(item: Table, item_key: tuple[str, ...], name: str) -> Taggings:
    """The column's value is the item's one tag; in a view, each row of an item gives it one."""
    return Taggings(
        shape="one tag in a column",
        tables=f"{quote(item.name)} as i",
        item=key(item_key, "i"),
        tag=f"i.{quote(name)}",
        tests=tuple(is_key(item_key, "i")),
        indexes=((item.name, name),),
    )
