"""Links from Datasette's menu, its pages' actions and its jump menu to tags and feeds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Request

from .. import compat
from ..expression import Tag, in_words
from ..model import Source
from ..web import access
from . import cells
from .patience import ready, tag_list
from .place import Place, addresses, everything, place, types

if TYPE_CHECKING:
    from datasette.app import Datasette

Link = dict[str, str]
# How many tags the jump menu offers.
OFFERED = 50
OFFERED_UNASKED = 10


async def menu(datasette: Datasette, request: Request | None) -> list[Link]:
    """Tags, for whoever may see any."""
    here = await ready(datasette) if request else None
    for source in here.settings.sources if here else ():
        if here and request and await access.sees(datasette, request, source):
            return [{"href": addresses(datasette, request, here).local(), "label": "Tags"}]
    return []


async def homepage(datasette: Datasette, request: Request | None) -> list[Link]:
    """All tags, and the feed of everything."""
    found = await everything(datasette, request) if request else None
    if not found or not request:
        return []
    links = addresses(datasette, request, found[0])
    feeds = [{"href": links.local(None, "atom"), "label": "Feed of all tagged rows"}] if _dated(found[1]) else []
    return [{"href": links.local(), "label": "Tags"}, *feeds]


async def database(datasette: Datasette, request: Request | None, name: str) -> list[Link]:
    """The tags of a database."""
    found = await everything(datasette, request) if request else None
    mine = [source for source in found[1] if source.database == name] if found else []
    if not found or not request or not mine:
        return []
    links = addresses(datasette, request, found[0])
    narrowed = types(mine) if len(mine) < len(found[1]) else ""
    feeds = [{"href": links.local(None, "atom") + narrowed, "label": "Feed of tagged rows"}] if _dated(mine) else []
    return [{"href": links.local() + narrowed, "label": "Tags of this database"}, *feeds]


async def table(datasette: Datasette, request: Request | None, database: str, name: str) -> list[Link]:
    """The tags and the feed of a table of items; of a table of tags, the index."""
    here = await place(datasette, request, database, name)
    return await _of_table(here) if here else []


async def row(datasette: Datasette, request: Request | None, database: str, name: str, row: Any) -> list[Link]:
    """Of a row of a table of tags, the tag's page and feed; of others, what their table has."""
    here = await place(datasette, request, database, name)
    if not here:
        return []
    for source in here.ties:
        column = cells.name_column(source, name)
        tag = dict(zip(row.keys(), row, strict=True)).get(column)
        listed = await here.known([source]) if isinstance(tag, (str, int)) else None
        if listed is not None and str(tag) in listed:
            feeds = [{"href": here.addresses.local(Tag(str(tag)), "atom"), "label": "Feed of this tag"}] if source.published else []
            return [{"href": here.addresses.tag(str(tag)), "label": "Page of this tag"}, *feeds]
    return await _of_table(here)


async def _of_table(here: Place) -> list[Link]:
    if not here.items:
        return [{"href": here.index(here.ties), "label": "Tags"}]
    links: list[Link] = []
    if asked := await here.asked():
        links = [{"href": here.addresses.local(asked), "label": f"Everything tagged {in_words(asked)}"}]
    for source in here.items:
        several = f": {source.label}" if len(here.items) > 1 else ""
        links.append({"href": here.index([source]), "label": f"Tags of this table{several}"})
        if source.published:
            links.append({"href": here.feed(None, [source]), "label": f"Feed of tagged rows{several}"})
    return links


def _dated(sources: Iterable[Source]) -> bool:
    return any(source.published for source in sources)


async def jump(datasette: Datasette, request: Request | None) -> list[object]:
    """Tags that hold the words that are looked for, as Datasette's jump menu takes them; the most used first."""
    found = await everything(datasette, request) if request and compat.HAS_JUMP_MENU else None
    listed = await tag_list(datasette, found[1]) if found else None
    if not found or not request or not listed:
        return []
    words = (request.args.get("q") or "").casefold().split()
    shown = (one for one in listed.counts if one.tag not in found[0].settings.hidden and all(word in one.tag.casefold() for word in words))
    links = addresses(datasette, request, found[0])
    chosen = [one for one, _ in zip(shown, range(OFFERED if words else OFFERED_UNASKED), strict=False)]
    rows = [
        {"tag": one.tag, "url": links.tag(one.tag), "about": f"{one.items:,} item{'s' if one.items != 1 else ''}"}
        for one in chosen
        if "\0" not in one.tag
    ]
    sql = """
        select 'tag' as type, json_extract(value, '$.tag') as label, json_extract(value, '$.about') as description, json_extract(value, '$.url') as url,
            json_extract(value, '$.tag') as search_text, null as display_name from json_each(:tags)"""
    return compat.jump_items(sql, {"tags": json.dumps(rows)})
