"""Tags in a table of their own, tied to items by a join table: Django, sqlite-utils, WordPress."""

from dataclasses import dataclass

from ..sql import equals_tag, is_tag, quote, tag_text


@dataclass(frozen=True)
class JoinTable:
    """item_table.item_referenced <- join.item_column, join.tag_column -> tag_table.tag_key; tag_table.tag_name is the tag.

    `order` is the column, as (table, column) of the join or the tag table, by which an item's tags are ordered.
    """

    item_table: str
    item_key: str
    item_referenced: str
    join: str
    item_column: str
    tag_column: str
    tag_table: str
    tag_key: str
    tag_name: str
    order: tuple[str, str]

    def tagged(self) -> str:
        """SELECT item, tag, position, in the order of the tag table's key unless the source says otherwise."""
        name = self._name
        order_table, order_column = self.order
        position = f"{'t' if order_table == self.tag_table else 'j'}.{quote(order_column)}"
        return f"select {self._item} as item, {tag_text(name)} as tag, {position} as position {self._from} where {is_tag(name)}"

    def carrying(self, parameter: str) -> str:
        """SELECT item of the rows joined to the tag bound as `parameter`."""
        return f"select {self._item} {self._from} where {equals_tag(self._name, parameter)} and {is_tag(self._name)}"

    @property
    def _name(self) -> str:
        return f"t.{quote(self.tag_name)}"

    @property
    def _item(self) -> str:
        return f"j.{quote(self.item_column)}" if self._refers_to_key else f"i.{quote(self.item_key)}"

    @property
    def _refers_to_key(self) -> bool:
        return self.item_referenced == self.item_key

    @property
    def _from(self) -> str:
        taggings = f"from {quote(self.join)} as j join {quote(self.tag_table)} as t on t.{quote(self.tag_key)} = j.{quote(self.tag_column)}"
        if self._refers_to_key:
            return taggings
        return f"{taggings} join {quote(self.item_table)} as i on i.{quote(self.item_referenced)} = j.{quote(self.item_column)}"
