"""Cells that hold tags, as links to the tags' pages: in items' own columns, in tables of tags, in rows that are taggings.

Datasette 0.65 does not say whose page a cell is on. So links are of sources that everyone may see, and of those that read
nothing but the cell's own table, which whoever sees the cell may see. What is shown is what the cell holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette.utils.asgi import Request
from markupsafe import Markup, escape

from ..model import Source
from ..sources import delimited
from ..sources.json_array import NAMES
from ..sql import WHOLE_NUMBERS
from ..web import access
from ..web.urls import Addresses
from .patience import known, ready
from .place import addresses, over, tied

if TYPE_CHECKING:
    from datasette.app import Datasette

Reader = Callable[[Any], list[str] | None]
# For how many seconds what is known of a table's cells serves again: a page asks for each of them.
REUSED = 1.0
# A cell of more tags stays as it is.
MOST = 100
_CELLS: WeakKeyDictionary[Datasette, dict[tuple[str, str], tuple[float, Cells]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Cells:
    """How a table's cells are read: each column's reader, and the tags that have pages (None: not yet counted, so take them all for known)."""

    readers: Mapping[str, tuple[Reader, Container[str] | None]]
    addresses: Addresses | None = None

    def show(self, column: str, value: object) -> Markup | None:
        """The cell; None where Datasette's own way is best."""
        if column not in self.readers or not self.addresses:
            return None
        read, known = self.readers[column]
        tags = read(value)
        if not tags or len(tags) > MOST or not all(map(_writable, tags)) or (known is not None and not any(tag in known for tag in tags)):
            return None
        return linked([(tag, self.addresses.tag(tag) if known is None or tag in known else None) for tag in dict.fromkeys(tags)])


def linked(tags: Iterable[tuple[str, str | None]]) -> Markup:
    """Tags with the addresses of their pages, as markup; no list, for Datasette styles lists in its cells."""
    shown = (
        Markup('<a class="tf-t" rel="tag" href="{}">{}</a>').format(url, tag) if url else Markup("<span>{}</span>").format(tag)
        for tag, url in tags
    )
    return Markup('<span class="tf-tags">{}</span>').format(Markup(" ").join(map(escape, shown)))


def render_cell(datasette: Datasette, database: str, table: str | None, column: str, value: object) -> object:
    """A cell, or how to make it once it is known how; None, at once, for nearly all cells."""
    if not table:
        return None
    made, cells = _CELLS.setdefault(datasette, {}).get((database, table), (0.0, None))
    if cells and monotonic() - made < REUSED:
        return cells.show(column, value)

    async def show() -> Markup | None:
        found = await _cells(datasette, database, table)
        _CELLS[datasette][database, table] = (monotonic(), found)
        return found.show(column, value)

    return show


async def _cells(datasette: Datasette, database: str, table: str) -> Cells:
    here = await ready(datasette)
    items, ties = (over(here.settings, database, table), tied(here.settings, database, table)) if here else ((), ())
    if not here or not (items or ties):
        return Cells({})
    names = {source.name for source in (await access.anonymous(datasette, here.settings)).sources}
    readers: dict[str, tuple[Reader, Container[str] | None]] = {}
    for source in (*items, *ties):
        column = _column(source) if source in items else name_column(source, table)
        if column and column not in readers and (source.name in names or source.reads == {table}):
            readers[column] = (reader(source) if source in items else _single, await known(datasette, here, [source]))
    return Cells(readers, addresses(datasette, Request.fake("/"), here))


def _column(source: Source) -> str | None:
    """The column of the items' own table that holds their tags."""
    tags = source.written.get("tags")
    found = tags.get("column") if isinstance(tags, Mapping) else tags
    return str(found) if found is not None and source.tags.shape in ("JSON array", "delimited text", "one tag in a column") else None


def name_column(source: Source, table: str) -> str | None:
    """The column of a table of tags, or of taggings, that names the tag."""
    if source.tags.described_in:
        return source.tags.described_in[1] if source.tags.described_in[0] == table else None
    return source.tags.indexes[0][1] if source.tags.shape == "one row a tagging" else None


def reader(source: Source) -> Reader:
    """What takes the values of the source's column apart, just as its SQL does; None for what it should leave alone."""
    if source.tags.shape == "JSON array":
        return _json
    if source.tags.shape != "delimited text":
        return _single
    tags = source.written.get("tags")
    return _parted(str(tags["split"]) if isinstance(tags, Mapping) else ",")


def _single(value: object) -> list[str] | None:
    found = _tag(value)
    return [found] if found else None


def _json(value: object) -> list[str] | None:
    """The elements of an array; None where one is no tag, or says more than its name."""
    try:
        found = json.loads(value) if isinstance(value, str) and value.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        return None
    tags = [_tag(_name(one)) for one in found or []]
    return None if None in tags else [tag for tag in tags if tag]


def _name(element: object) -> object:
    if not isinstance(element, Mapping):
        return element
    return next(iter(element.values())) if len(element) == 1 and next(iter(element)) in NAMES else None


def _tag(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or (isinstance(value, int) and value not in WHOLE_NUMBERS):
        return None
    return str(value) if str(value).strip() else None


def _parted(split: str) -> Reader:
    """Reads delimited text; texts in which hashtags stand say more than their tags, and stay as they are."""

    def read(value: object) -> list[str] | None:
        if isinstance(value, bool) or not isinstance(value, (str, int)) or split == delimited.HASHTAGS:
            return None
        return delimited.parts(str(value), split)

    return read


def _writable(tag: str) -> bool:
    """False for what no address can hold, or that was no text when it was stored."""
    return "\ufffd" not in tag and "\0" not in tag and not any("\ud800" <= char <= "\udfff" for char in tag)
