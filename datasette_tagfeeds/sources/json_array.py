"""A JSON array in a column of the item, of texts, whole numbers, or objects with a name: Datasette, sqlite-utils."""

from ..model import Table, Taggings
from ..sql import is_key, key, quote

# The members of an object that name a tag, the likeliest first.
NAMES = ("name", "tag", "label", "title", "term", "text", "slug")


def json_array(item: Table, item_key: tuple[str, ...], name: str) -> Taggings:
    """Each element of the array is a tag; a value that is no JSON array has none."""
    column = f"i.{quote(name)}"
    # CASE keeps the order of its tests, so that SQLite's JSON functions never see what would be an error to them.
    array = f"case json_type({column}) when 'array' then {column} end"
    array = f"case when typeof({column}) = 'text' then case when json_valid({column}) then {array} end end"
    members = " ".join(
        f"when json_type(e.value, '$.{member}') in ('text', 'integer') then json_extract(e.value, '$.{member}')" for member in NAMES
    )
    return Taggings(
        shape="JSON array",
        tables=f"{quote(item.name)} as i, json_each({array}) as e",
        item=key(item_key, "i"),
        tag=f"case e.type when 'object' then case {members} end else e.value end",
        position="e.key",
        tests=(*is_key(item_key, "i"), "e.type in ('text', 'integer', 'object')"),
        # JSON may write any character as an escape, which begins with a backslash.
        narrow=(f"(instr({column}, ", f") or instr({column}, '\\'))"),
        broken=f"typeof({column}) = 'text' and trim({column}) <> '' and not json_valid({column})",
    )
