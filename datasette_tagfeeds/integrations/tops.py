"""What stands above the rows on Datasette 1.0: the tags of a row, and the tags that a table's page is filtered by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datasette.utils import path_with_removed_args
from datasette.utils.asgi import Request

from .. import statements, store
from ..errors import TagfeedsError
from ..model import Source
from .place import FILTER, Place, place

if TYPE_CHECKING:
    from datasette.app import Datasette


async def row(datasette: Datasette, request: Request, database: str, table: str, row: Any) -> str | None:
    """The tags of a row; those that nothing shown carries, as a draft's may be, lead nowhere."""
    here = await place(datasette, request, database, table)
    tags: dict[str, None] = {}
    for source in here.items if here else ():
        tags |= dict.fromkeys(await _tags(datasette, source, row))
    if not here or not tags:
        return None
    listed = await here.known(here.items)
    shown = [(tag, here.addresses.tag(tag) if listed is None or tag in listed else None) for tag in tags]
    return await _html(datasette, request, "_tagfeeds-row-tags.html", {"tags": shown})


async def _tags(datasette: Datasette, source: Source, row: Any) -> list[str]:
    columns = row.keys()
    if source.is_view or not set(source.path) <= set(columns):
        return []
    # A foreign key arrives with its label.
    path = [row[column]["value"] if isinstance(row[column], dict) else row[column] for column in source.path]
    asked = store.Store(datasette, [source], store.now())
    try:
        found = await asked.briefly(source.database, statements.tags_of_row(source, path), datasette.setting("facet_time_limit_ms"))
    except TagfeedsError:
        return []
    return [tag for (tag,) in found if "\ufffd" not in tag]


async def table(datasette: Datasette, request: Request, database: str, table: str) -> str | None:
    """The tags that the rows are chosen by, to take away, and the page and feed of all that carries them."""
    here = await place(datasette, request, database, table)
    if not here or not here.items or not here.tags:
        return None
    asked = await here.asked()
    context: dict[str, object] = {
        "tags": [(tag, _without(datasette, here, request, database, table, tag)) for tag in here.tags],
        "page_url": here.addresses.local(asked) if asked else None,
        "feed_url": here.feed(asked, here.items) if asked and any(source.published for source in here.items) else None,
    }
    return await _html(datasette, request, "_tagfeeds-table-tags.html", context)


def _without(datasette: Datasette, here: Place, request: Request, database: str, table: str, tag: str) -> str:
    path = str(datasette.urls.table(database, table))
    return str(path_with_removed_args(request, {FILTER: tag, "_next": request.args.get("_next")}, path=path))


async def _html(datasette: Datasette, request: Request, template: str, context: dict[str, object]) -> str:
    return str(await datasette.render_template(template, context, request=request))
