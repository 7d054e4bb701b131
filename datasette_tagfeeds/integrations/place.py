"""What a table of Datasette has to do with tags, as far as the actor of a request may see it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from datasette.utils.asgi import Request

from .. import site
from ..config import Settings
from ..expression import MAX_TAGS, And, Expression, Tag, canonical
from ..model import Source
from ..site import Site
from ..web import access
from ..web.urls import Addresses
from .patience import known, ready

if TYPE_CHECKING:
    from datasette.app import Datasette

FILTER = "_tag"


@dataclass(frozen=True)
class Place:
    """A table and the visible sources over it: `items` whose rows it holds, `ties` that keep their tags, or what joins them, there.

    `tags` are those that the address asks for with ?_tag=, in its order.
    """

    site: Site
    addresses: Addresses
    items: tuple[Source, ...]
    ties: tuple[Source, ...]
    tags: tuple[str, ...]

    async def known(self, sources: Sequence[Source]) -> Container[str] | None:
        """The tags that have pages, of some of the sources at least; None where it is not known."""
        return await known(self.addresses.datasette, self.site, sources)

    async def asked(self) -> Expression | None:
        """What the page is filtered by, where that is a combination which has a page of its own."""
        if not self.items or not 0 < len(self.tags) <= MAX_TAGS:
            return None
        listed = await self.known(self.items)
        if listed is None or not all(tag in listed for tag in self.tags):
            return None
        return canonical(And(tuple(map(Tag, self.tags))))

    def index(self, sources: Iterable[Source]) -> str:
        """The path of the index of some sources' tags."""
        return self.addresses.local() + types(sources)

    def feed(self, expression: Expression | None, sources: Iterable[Source]) -> str:
        """The path of a feed of some sources' items."""
        return self.addresses.local(expression, "atom") + types(sources)


def types(sources: Iterable[Source]) -> str:
    """The query string that narrows a page or feed to some sources."""
    return "?" + urlencode([("type", source.name) for source in sources])


def over(settings: Settings, database: str, table: str) -> tuple[Source, ...]:
    """The sources whose rows a table holds."""
    return tuple(source for source in settings.sources if (source.database, source.table) == (database, table))


def tied(settings: Settings, database: str, table: str) -> tuple[Source, ...]:
    """The sources that keep their tags, or what joins these to items, in a table of its own."""
    return tuple(source for source in settings.sources if source.database == database and table in _tie_tables(source))


def _tie_tables(source: Source) -> set[str]:
    about = source.tags.described_in
    return {table for table, _ in (*source.tags.indexes, *([about] if about else []))} - {source.table}


async def seen(datasette: Datasette, request: Request, sources: Iterable[Source]) -> tuple[Source, ...]:
    """Those of some sources that the actor may see."""
    return tuple([source for source in sources if await access.sees(datasette, request, source)])


async def place(datasette: Datasette, request: Request | None, database: str | None, table: str | None) -> Place | None:
    """The place of a table; None where it has nothing to do with tags, or its sources are hidden from the actor."""
    if not request or not database or not table or not (here := await ready(datasette)):
        return None
    items, ties = over(here.settings, database, table), tied(here.settings, database, table)
    items, ties = [await seen(datasette, request, some) for some in (items, ties)]
    if not items and not ties:
        return None
    tags = tuple(dict.fromkeys(tag for tag in request.args.getlist(FILTER) if tag.strip()))
    return Place(here, addresses(datasette, request, here), items, ties, tags)


async def everything(datasette: Datasette, request: Request) -> tuple[Site, tuple[Source, ...]] | None:
    """The site and all sources that the actor may see; None where there are none."""
    if not (here := await ready(datasette)):
        return None
    sources = await seen(datasette, request, here.settings.sources)
    return (here, sources) if sources else None


def addresses(datasette: Datasette, request: Request, here: Site) -> Addresses:
    """Where everything is, linked by path, as Datasette links its own pages."""
    return Addresses(datasette, request, here.settings, site.path(datasette), linked_locally=True)
