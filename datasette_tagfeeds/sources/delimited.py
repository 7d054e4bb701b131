"""Several tags in one text: parted by a character (Pinboard, buku, Anki), in brackets (Stack Exchange), as a list of some language."""

import ast
import json
import re
import sqlite3
from collections.abc import Callable

from ..model import Table, Taggings
from ..sql import BLANKS, is_key, key, literal, quote

FUNCTION = "tagfeeds_list"
# A character of nobody's texts, which JSON need not escape, stands for the delimiter while a text becomes an array.
MARK = "char(57344)"
ANGLES, PYTHON, POSTGRES, HASHTAGS = "<>", "[]", "{}", "#"
# What `split` may be, and how it reads; every other text is a delimiter, white space around it aside.
LISTS = {
    ANGLES: "<one><two>",
    PYTHON: "['one', 'two'], a list as Python writes it",
    POSTGRES: '{one,"two words"}, an array as PostgreSQL writes it',
    HASHTAGS: "#one #two, in a text",
}


def delimited(item: Table, item_key: tuple[str, ...], name: str, split: str) -> Taggings:
    """Each part of the column's text is a tag, trimmed."""
    column = f"i.{quote(name)}"
    text = f"case when typeof({column}) in ('text', 'integer') then cast({column} as text) end"
    return Taggings(
        shape="delimited text",
        tables=f"{quote(item.name)} as i, json_each({_array(text, split)}) as e",
        item=key(item_key, "i"),
        tag=f"trim(e.value, {BLANKS})",
        position="e.key",
        tests=(*is_key(item_key, "i"), "e.type = 'text'"),
        narrow=None if split in (PYTHON, POSTGRES) else (f"instr({column}, ", ")"),
        broken=f"typeof({column}) not in ('text', 'integer', 'null')"
        if split not in (PYTHON, POSTGRES)
        else f"trim({column}) <> '' and {FUNCTION}({column}, {literal(split)}) is null",
    )


def _array(text: str, split: str) -> str:
    """SQL for the JSON array of the parts of a text."""
    if split in (PYTHON, POSTGRES, HASHTAGS):
        return f"{FUNCTION}({text}, {literal(split)})"
    if split == ANGLES:
        text, split = f"trim({text}, '<>' || {BLANKS})", "><"
    delimiter = split.strip(" ") or " "
    return f"'[' || replace(json_quote(replace({text}, {literal(delimiter)}, {MARK})), {MARK}, '\",\"') || ']'"


def parts(text: str, split: str) -> list[str] | None:
    """The tags of a text, as the SQL of the shape finds them; None where the text is no such list."""
    if split in _READERS:
        found = _READERS[split](text)
    else:
        found = text.strip().strip("<>").split("><") if split == ANGLES else text.split(split.strip(" ") or " ")
    return None if found is None else [tag for one in found if (tag := one.strip())]


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the SQL function that reads such texts."""

    def tagfeeds_list(text: object, split: str) -> str | None:
        found = parts(text, split) if isinstance(text, str) else None
        return None if found is None else json.dumps(found)

    connection.create_function(FUNCTION, 2, tagfeeds_list, deterministic=True)


def _python_list(text: str) -> list[str] | None:
    try:
        found = ast.literal_eval(text.strip()) if len(text) < 100_000 else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    if not isinstance(found, (list, tuple, set)):
        return None
    return [str(one) for one in found if isinstance(one, (str, int)) and not isinstance(one, bool)]


_QUOTED = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\\]+))\s*(,|$)')


def _postgres_array(text: str) -> list[str] | None:
    inner = text.strip()
    if not (inner.startswith("{") and inner.endswith("}")):
        return None
    inner, at, found = inner[1:-1], 0, []
    while at < len(inner):
        match = _QUOTED.match(inner, at)
        if not match:
            return None
        if match[1] is not None:
            found.append(re.sub(r"\\(.)", r"\1", match[1]))
        elif match[2].strip().upper() != "NULL":
            found.append(match[2])
        at = match.end()
    return found


def _hashtags(text: str) -> list[str] | None:
    """Words after #, at the start of a text or after what is no word (so that addresses' fragments are none)."""
    return re.findall(r"(?<![\w&/#])#(?=\w*[^\W\d_])(\w+(?:-\w+)*)", text)


_READERS: dict[str, Callable[[str], list[str] | None]] = {PYTHON: _python_list, POSTGRES: _postgres_array, HASHTAGS: _hashtags}
