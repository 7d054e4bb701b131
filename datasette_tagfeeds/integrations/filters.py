"""?_tag=python on a table's page: the rows that carry the tag, however tags are stored. Several such parameters hold together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasette.filters import FilterArguments
from datasette.utils.asgi import BadRequest, Request

from .. import statements
from ..expression import MAX_TAGS
from .place import place

if TYPE_CHECKING:
    from datasette.app import Datasette


async def tagged(datasette: Datasette, request: Request, database: str, table: str) -> FilterArguments | None:
    """The rows that carry every tag asked for; where the actor may see no source over the table, the parameter says nothing.

    Raises Datasette's BadRequest for more tags than an expression may have.
    """
    here = await place(datasette, request, database, table)
    if not here or not here.items or not here.tags:
        return None
    if len(here.tags) > MAX_TAGS:
        raise BadRequest(f"Rows can be asked for by at most {MAX_TAGS} tags.")
    tests, parameters = statements.carries(here.items, here.tags)
    return FilterArguments(tests, dict(parameters), [f'tags include "{tag}"' for tag in here.tags])
