"""One request's view of the site: what its actor may see, at one moment, and where things are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from datasette.utils.asgi import Request
from markupsafe import Markup, escape

from .. import expression as expressions
from .. import site, store
from ..entries import Builder
from ..errors import Gone, NotFound
from ..expression import Expression, Tag, in_words
from ..memory import TagList, fold
from ..model import Entry, Item, TagTable
from ..relations import Selection
from ..site import Site
from ..store import Store
from ..values import one_line
from . import access, parameters, tokens
from .urls import Addresses

if TYPE_CHECKING:
    from datasette.app import Datasette


class Exported(NamedTuple):
    """Says that what is asked for becomes a file, with no server behind it: `page` is its number among the pages of its tag."""

    page: int = 1


# Where the scope of a request says so; no client can.
EXPORTED = "tagfeeds_exported"


class Visit:
    """What a view needs to answer: the site as its actor sees it, the parameters, the addresses."""

    def __init__(self, request: Request, datasette: Datasette, here: Site, visible: access.Visible, of_items: bool) -> None:
        self.request = request
        self.exported: Exported | None = request.scope.get(EXPORTED)
        self.datasette = datasette
        self.site = here
        self.settings = here.settings
        self.visible = visible
        self.held = tokens.held(request)
        # An address with a token is its holder's, whatever it leads to.
        self.private = visible.private or self.held is not None
        self.tables = visible.tables
        self.store = Store(datasette, visible.sources, store.now())
        self.addresses = Addresses(datasette, request, here.settings, site.path(datasette))
        asked = parameters.read(request.args, visible.sources, here.settings.size, of_items)
        self.parameters = replace(asked, token=self.held.written) if self.held else asked

    def modified(self) -> int | None:
        """When what a document is made of last changed: data, settings, templates, this package."""
        data, made_of = self.store.modified(), self.site.modified
        return max(data, made_of) if data is not None and made_of is not None else None

    def selection(self, expression: Expression | None) -> Selection:
        """The items that the expression and the parameters ask for."""
        return self.parameters.selection(expression, self.store.sources.values())

    async def page(self, selection: Selection, feed: bool) -> tuple[tuple[Entry, ...], Item | None]:
        """The entries of the page asked for, and the item after which the next page begins (None on the last)."""
        size = self.parameters.size
        items = await self.store.stream(selection, size + 1, self.parameters.after, dated=feed)
        shown, more = items[:size], len(items) > size
        addresses = replace(self.addresses, linked_locally=not feed)
        builder = Builder(self.store.sources, self.site.templates, addresses, feed, self.settings.max_bytes)
        return builder.entries(shown, await self.store.rows(shown)), shown[-1] if more else None

    async def previous(self, selection: Selection, feed: bool) -> Item | None:
        """The item after which the previous page begins; None where that is the first."""
        size, after = self.parameters.size, self.parameters.after
        before = await self.store.before(selection, size, after, dated=feed) if after else []
        return before[-1] if len(before) == size else None

    async def resolved(self, expression: Expression) -> Expression:
        """The canonical form: aliases resolved, stored spelling, sorted. Raises Gone and NotFound for tags that are not to be had."""
        names = list(expressions.tags(expression))
        if len(await self.store.carried(names)) == len(set(names)) and not self.settings.gone & set(names):
            return expressions.canonical(expression)
        tags = await self.store.tag_list()
        spelt = {name: await self._spelt(name, tags) for name in names}
        return expressions.canonical(expressions.with_tags(expression, spelt.__getitem__))

    async def _spelt(self, name: str, tags: TagList) -> str:
        aliases = {fold(old): new for old, new in (await self.aliases()).items()} if tags.spelt(name) is None else {}
        gone = {fold(one) for one in self.settings.gone}
        now, steps = name, 0
        while True:
            if now in self.settings.gone or (tags.spelt(now) is None and fold(now) in gone):
                raise Gone(f"The tag “{name}” is gone.")
            if found := tags.spelt(now):
                return found
            if fold(now) not in aliases or steps > len(aliases):
                break
            now, steps = aliases[fold(now)], steps + 1
        near = [one for one in tags.near(name) if one not in self.settings.hidden]
        links = [f'<a href="{escape(self.addresses.local(Tag(one)))}">{escape(one_line(one))}</a>' for one in near]
        nothing = f"Nothing is tagged “{name}”."
        raise NotFound(nothing + _meant([f"“{one}”" for one in near]), escape(one_line(nothing)) + Markup(_meant(links)))

    async def aliases(self) -> dict[str, str]:
        """The old names of tags, with those that they have now."""
        about = self.settings.aliased_by
        found = await self.store.renamed(about) if about and self.sees(about) else {}
        return {**found, **self.settings.aliases}

    def sees(self, about: TagTable) -> bool:
        """True where the actor may see a table about tags, and the one that it leads to."""
        named = {about.table, *([about.leads_to[0]] if about.leads_to else [])}
        return all((about.database, table) in self.tables for table in named)

    async def descriptions(self, tags: Sequence[str]) -> dict[str, str]:
        """What the tables of tags say about some of them, as written."""
        found: dict[str, str] = {}
        for about in self.settings.described_in:
            if self.sees(about):
                found = {**await self.store.descriptions(about, tags), **found}
        return found

    async def random(self, expression: Expression) -> str:
        """The link of some item of the expression. Raises NotFound where it has none."""
        item = await self.store.random(self.selection(expression))
        if item is None:
            raise NotFound("Nothing is there to choose from.")
        builder = Builder(self.store.sources, {}, self.addresses, True, 0)
        entries = builder.entries([item], await self.store.rows([item]))
        return entries[0].link if entries else self.addresses.absolute(self.addresses.local(expression))

    def title(self, expression: Expression | None) -> str:
        """Site: python and not django, as one line; with what the parameters narrow it to."""
        words = [in_words(expression)] if expression is not None else []
        words += [narrowed] if (narrowed := self.narrowed()) else []
        return one_line(": ".join([self.site.title, ", ".join(words)]) if words else self.site.title) or "Tags"

    def narrowed(self) -> str:
        """What the parameters narrow a page to, in words; '' for nothing."""
        return self.parameters.in_words({name: source.label for name, source in self.store.sources.items()})

    def has_dates(self, names: Iterable[str]) -> bool:
        """True where one of these sources has a date column: without any there is nothing to subscribe to."""
        return any(self.store.sources[name].published for name in names)


def _meant(near: Sequence[str]) -> str:
    """A question, with what may have been meant; '' for nothing."""
    return f" Did you mean {' or '.join([', '.join(near[:-1]), near[-1]] if near[1:] else near)}?" if near else ""


async def visit(request: Request, datasette: Datasette, of_items: bool = True) -> Visit:
    """The visit that a request is; `of_items` where its pages are of items, and not of tags.

    Raises datasette.Forbidden for an actor who may see nothing, BadRequest for bad parameters.
    """
    here = await site.site(datasette)
    return Visit(request, datasette, here, await access.visible(datasette, request.actor, here.settings), of_items)
