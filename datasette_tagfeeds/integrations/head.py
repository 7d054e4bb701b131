"""What stands in the head of Datasette's own pages: the feeds of a table, and the look of tags.

A plugin may hand variables to Datasette's templates, but not write into their head; a table.html of our own would take the place
of a user's. So the base template, whoever's it is, is completed as Jinja reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasette.utils.asgi import Request
from jinja2 import Environment
from jinja2.ext import Extension

from ..expression import in_words
from .place import place

if TYPE_CHECKING:
    from datasette.app import Datasette

BASES = ("base.html", "default:base.html")
FEEDS = '{% include "_tagfeeds-alternates.html" %}'


class Alternates(Extension):
    """Writes the feeds of a page before the end of its head."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template with the feeds, where it is Datasette's base template or what a user puts in its place."""
        return source.replace("</head>", f"{FEEDS}</head>", 1) if name in BASES else source


def install(environment: Environment) -> None:
    """Let the environment's templates name feeds."""
    environment.add_extension(Alternates)


async def variables(
    datasette: Datasette, request: Request | None, database: str | None, table: str | None, view: str | None
) -> dict[str, object]:
    """For a table's page, the feeds of what it shows."""
    here = await place(datasette, request, database, table) if view == "table" else None
    dated = [source for source in here.items if source.published] if here else []
    if not here or not dated:
        return {}
    feeds = [{"title": f"{here.site.title}: {source.label}", "href": here.feed(None, [source])} for source in dated]
    if asked := await here.asked():
        feeds.insert(0, {"title": f"{here.site.title}: {in_words(asked)}", "href": here.feed(asked, dated)})
    return {"tagfeeds_alternates": feeds}


async def stylesheets(datasette: Datasette, request: Request | None, database: str | None, table: str | None) -> list[str]:
    """The look of tags, for pages that may show some."""
    here = await place(datasette, request, database, table)
    # Datasette tells by its type that the address has its prefix already.
    return [datasette.urls.static_plugins("datasette_tagfeeds", "tagfeeds-in.css")] if here else []
