"""Feeds: one document for an expression, its filters and its page, in any format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from datasette.utils.asgi import Response

from ..expression import Expression, Tag, tags
from ..formats import atom, json_feed, rss
from ..model import Category, Entry, Feed, Item, Link, Person, Tally
from ..relations import Selection
from ..values import one_line, scrub
from . import documents, keys
from .answers import Document
from .urls import PAGE
from .visit import Visit

NEVER = "1970-01-01T00:00:00Z"
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; sandbox",
}
RELATED = 20


class Format(NamedTuple):
    """A representation: how it is written, and what it is called."""

    render: Callable[[Feed], bytes]
    media_type: str
    is_xml: bool


FORMATS: Mapping[str, Format] = {
    "atom": Format(atom.render, atom.MEDIA_TYPE, True),
    "rss": Format(rss.render, rss.MEDIA_TYPE, True),
    "json": Format(json_feed.render, json_feed.MEDIA_TYPE, False),
}


async def feed(here: Visit, expression: Expression | None, name: str) -> Response:
    """The feed in the format of this name, remembered while nothing that it is made of changes."""
    wants_related = name == "json" and here.request.args.get("related") == "1"
    written = str(expression) if expression is not None else None
    key = documents.key(here, "feed", name, written, here.parameters, wants_related)

    async def make() -> Document:
        format = FORMATS[name]
        made = await _made(here, expression, name, wants_related)
        headers = {**SAFE, "Link": _link_header(made)}
        return documents.document(here, key, format.render(made), _media_type(here, format), headers, keys.of_items(here, expression))

    return await documents.remembered(here, key, make)


async def _made(here: Visit, expression: Expression | None, name: str, wants_related: bool) -> Feed:
    selection = here.selection(expression)
    entries, last = await here.page(selection, feed=True)
    # Only JSON Feed says how many there are, and counting costs more than listing.
    tallies = await here.store.tallies(selection) if name == "json" else []
    made = _feed(here, expression, entries, tallies, tuple(await _links(here, selection, expression, name, last)))
    made = replace(made, complete=not (last or here.parameters.after))
    if wants_related:
        made = replace(made, related=await _related(here, selection, expression), timeline=await _timeline(here, selection))
    styled = FORMATS[name].is_xml and here.settings.content_type == "application/xml"
    return replace(made, stylesheet=here.addresses.static("feed.css") if styled else None)


def _feed(here: Visit, expression: Expression | None, entries: tuple[Entry, ...], tallies: list[Tally], links: tuple[Link, ...]) -> Feed:
    settings, addresses = here.settings, here.addresses
    name = expression.name if isinstance(expression, Tag) else ""
    term = scrub(name).strip()
    return Feed(
        id=addresses.feed_id(expression, here.parameters.filters()),
        title=here.title(expression),
        author=settings.author or Person(one_line(here.site.title) or "Tags"),
        updated=max((entry.updated for entry in entries), default=NEVER),
        language=settings.language,
        links=links,
        entries=entries,
        category=Category(term, term, addresses.scheme, addresses.tag(name)) if term else None,
        expression=str(expression) if expression is not None else "",
        count=sum(tally.dated for tally in tallies),
        types=tuple(sorted((tally.source, tally.dated) for tally in tallies if tally.dated)),
        icon=settings.icon,
        logo=settings.logo,
        rights=settings.rights,
        ttl=settings.ttl,
    )


async def _links(here: Visit, selection: Selection, expression: Expression | None, name: str, last: Item | None) -> list[Link]:
    """Self, the page, the other pages of the feed (RFC 5005 §3), the hub (WebSub §4). A token goes with the feed, and stays with it."""
    own, query, media_type = (
        here.addresses.absolute(here.addresses.local(expression, name)),
        here.parameters.query,
        FORMATS[name].media_type,
    )
    after = here.parameters.after
    page = here.addresses.absolute(here.addresses.local(expression)) + replace(here.parameters, token=None).query(None)
    links = [Link("self", own + query(after), media_type), Link("alternate", page, PAGE)]
    if here.exported:
        # Files have no later pages: what a query string asks for, they cannot tell.
        last = after = None
    if last or after:
        links.append(Link("first", own + query(None), media_type))
    if after:
        links.append(Link("previous", own + query(await here.previous(selection, feed=True)), media_type))
    if last:
        links.append(Link("next", own + query(last), media_type))
    return links + ([Link("hub", here.settings.hub)] if here.settings.hub and _is_told_of(here, expression) else [])


def _is_told_of(here: Visit, expression: Expression | None) -> bool:
    """True for the feeds that `datasette tagfeeds ping` tells the hub of: a reader that waits for news of another would wait in vain."""
    own = here.parameters.query(here.parameters.after)
    return not here.private and not own and (expression is None or isinstance(expression, Tag))


async def _related(here: Visit, selection: Selection, expression: Expression | None) -> tuple[Mapping[str, object], ...]:
    own = set(tags(expression)) if expression is not None else set()
    unlisted = own | here.settings.hidden
    found = await here.store.related(selection)
    return tuple(
        {"tag": tag, "count": count, "url": here.addresses.absolute(here.addresses.local(Tag(tag)))}
        for tag, count in [one for one in found.items() if one[0] not in unlisted][:RELATED]
    )


async def _timeline(here: Visit, selection: Selection) -> dict[str, int]:
    return {year: sum(by.values()) for year, by in (await here.store.timeline(selection)).items()}


def _media_type(here: Visit, format: Format) -> str:
    return here.settings.content_type or format.media_type if format.is_xml else format.media_type


def _link_header(made: Feed) -> str:
    """The document's links again, for what reads headers only (RFC 8288)."""
    return ", ".join(f'<{link.href}>; rel="{link.rel}"' + (f'; type="{link.type}"' if link.type else "") for link in made.links)
