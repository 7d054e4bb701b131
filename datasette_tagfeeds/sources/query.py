"""Tags that any SQL finds: select … as item, … as tag."""

from ..model import Taggings


def query(sql: str) -> Taggings:
    """The rows of a query with the columns item and tag; `item` is the key of the item's row."""
    # The line breaks keep a comment at the end from swallowing the parenthesis.
    return Taggings(shape="SQL", tables=f"(\n{sql}\n) as q", item="q.item", tag="q.tag")
