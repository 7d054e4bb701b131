"""The few pieces of SQL that everything else is made of. Identifiers are quoted here and nowhere else."""

from collections.abc import Sequence

# What str.isspace() calls blank, so that SQL and Python agree on which tags are blank.
BLANKS = "char(9,10,11,12,13,28,29,30,31,32,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288)"
# What the tables and triggers of our index are called.
PREFIX = "_tagfeeds_"
WHOLE_NUMBERS = range(-(2**63), 2**63)


def quote(identifier: str) -> str:
    """The identifier as SQLite reads it whatever it holds (https://sqlite.org/lang_keywords.html)."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A whole number or text as SQL."""
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def columns_of(columns: Sequence[str], alias: str = "") -> list[str]:
    """The columns as SQL, of the table called `alias` in the statement."""
    return [f"{alias}.{quote(column)}" if alias else quote(column) for column in columns]


def key(columns: Sequence[str], alias: str = "") -> str:
    """A row's key as one value: the column, or a JSON array of several."""
    parts = columns_of(columns, alias)
    # SQLite's json_array refuses blobs.
    array = f"case when {' and '.join(is_key(columns, alias))} then json_array({', '.join(parts)}) end"
    return parts[0] if len(parts) == 1 else array


def is_key(columns: Sequence[str], alias: str = "") -> list[str]:
    """Tests that a row has a key that an address can hold."""
    return [f"typeof({column}) in ('integer', 'text')" for column in columns_of(columns, alias)]


def tag_text(column: str) -> str:
    """A stored tag as text: whole numbers become text, and the column's own collation is set aside."""
    return f"cast({column} as text) collate binary"


def is_tag(column: str) -> str:
    """True where a stored value can be a tag: text or a whole number, and not blank."""
    return f"typeof({column}) in ('text', 'integer') and trim({column}, {BLANKS}) <> ''"


def equals_tag(column: str, parameter: str) -> str:
    """True where the stored tag is the one bound with `bind_tag`; the first test lets SQLite use an index."""
    return f"{column} in (:{parameter}, :{parameter}_number) and {tag_text(column)} = :{parameter}"


def bind_tag(parameter: str, tag: str) -> dict[str, str | int | None]:
    """The parameters of `equals_tag`: the text, and the number that it spells where it spells one."""
    return {parameter: tag, f"{parameter}_number": _number(tag)}


def _number(tag: str) -> int | None:
    if len(tag) > 20 or not tag.lstrip("-").isdecimal() or not tag.isascii():
        return None
    number = int(tag) if tag.count("-") <= 1 and "-" not in tag[1:] else None
    return number if number is not None and str(number) == tag and number in WHOLE_NUMBERS else None
