"""From a request to a response: each view asks, builds and answers, in that order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from datasette.utils import to_css_class
from datasette.utils.asgi import Request, Response
from datasette.views.base import DatasetteError

from .. import site, store
from ..entries import Builder
from ..errors import AddressTooLong, BadRequest, MethodNotAllowed, NotFound, TagfeedsError
from ..formats import atom, html
from ..model import Category, Entry, Feed, Item, Link, Person, TagCount, Tally
from ..site import Site
from ..store import Store
from ..values import one_line, scrub
from . import access, paging
from .urls import FEED, PAGE, Addresses, decode_tag, split_format

if TYPE_CHECKING:
    from datasette.app import Datasette

View = Callable[[Request, "Datasette"], Awaitable[Response]]
MAX_ADDRESS = 8 * 1024
INDEX_SIZE = 500
NEVER = "1970-01-01T00:00:00Z"
FEED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; sandbox",
}
PRIVATE_HEADERS = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}


def answers(view: View) -> View:
    """Turn our errors into answers: text for feeds, Datasette's own error page for pages."""

    @wraps(view)
    async def answering(request: Request, datasette: Datasette) -> Response:
        try:
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed("Feeds and tag pages can be read, with GET or HEAD, and nothing else.")
            if len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"]) > MAX_ADDRESS:
                raise AddressTooLong("The address is longer than 8 KB.")
            return await view(request, datasette)
        except TagfeedsError as error:
            if split_format(request.path)[1] or isinstance(error, MethodNotAllowed):
                headers = {"Allow": "GET, HEAD"} if isinstance(error, MethodNotAllowed) else {}
                return Response.text(f"{scrub(str(error))}\n", status=error.status, headers=headers)
            raise DatasetteError(scrub(str(error)), status=error.status) from error

    return answering


class _Visit:
    """One request's view of the site: what its actor may see, at one moment, and where things are."""

    def __init__(self, request: Request, datasette: Datasette, here: Site, visible: access.Visible) -> None:
        self.request = request
        self.datasette = datasette
        self.site = here
        self.private = visible.private
        self.store = Store(datasette, visible.sources, store.now())
        self.addresses = Addresses(datasette, request, here.settings, site.path(datasette))
        self.size = paging.size(request.args.get("size"), here.settings.size)
        self.after = paging.read(request.args.get("next"))

    async def page(self, tag: str | None, feed: bool) -> tuple[tuple[Entry, ...], Item | None]:
        """The entries of the page asked for, and the item after which the next page begins (None on the last)."""
        items = await self.store.stream(tag, self.size + 1, self.after, dated=feed)
        shown, more = items[: self.size], len(items) > self.size
        builder = Builder(self.store.sources, self.site.templates, replace(self.addresses, linked_locally=not feed), whole=feed)
        return builder.entries(shown, await self.store.rows(shown)), shown[-1] if more else None

    def query(self, after: Item | None) -> str:
        """The query string of this page (None) or of the one that begins after an item."""
        given = {"size": self.request.args.get("size"), "next": paging.write(after) if after else None}
        kept = {name: value for name, value in given.items() if value is not None}
        return f"?{urlencode(kept)}" if kept else ""


async def _visit(request: Request, datasette: Datasette) -> _Visit:
    here = await site.site(datasette)
    return _Visit(request, datasette, here, await access.visible(datasette, request.actor, here.settings.sources))


@answers
async def index(request: Request, datasette: Datasette) -> Response:
    """/tags: every tag with its count."""
    visit = await _visit(request, datasette)
    counts = await visit.store.tag_counts()
    start = _index_start(request.args.get("next"), len(counts))
    shown = counts[start : start + INDEX_SIZE]
    further = f"{visit.addresses.local()}?next={start + INDEX_SIZE}" if start + INDEX_SIZE < len(counts) else None
    tallies = await visit.store.tallies(None)
    context = {
        "tags": [_counted(one, counts[0].items, visit.addresses) for one in shown],
        "total": len(counts),
        "start": start,
        "next_url": further,
        "feed_url": visit.addresses.absolute(visit.addresses.local(format="atom")) if _has_dates(visit, tallies) else None,
        "page_url": visit.addresses.absolute(visit.addresses.local()) + (f"?next={start}" if start else ""),
        "feed_title": _feed_title(visit, None),
        **_about(visit, tallies),
    }
    return await _html(visit, ["tagfeeds-index.html"], context)


@answers
async def everything(request: Request, datasette: Datasette) -> Response:
    """/tags.atom: all that is tagged."""
    return await _feed(await _visit(request, datasette), None)


@answers
async def tag(request: Request, datasette: Datasette) -> Response:
    """/tags/{tag} and /tags/{tag}.atom: what carries the tag."""
    stem, format = split_format(request.url_vars["segment"])
    name = decode_tag(stem)
    visit = await _visit(request, datasette)
    tallies = await visit.store.tallies(name)
    if not tallies:
        raise NotFound(f"Nothing is tagged “{name}”.")
    if format == "atom":
        return await _feed(visit, name)
    if format:
        raise NotFound(f"There is no {format} feed here; {visit.addresses.local(name, 'atom')} is the Atom feed.")
    entries, last = await visit.page(name, feed=False)
    own = visit.addresses.local(name)
    context = {
        "tag": name,
        "years": list(html.years(entries)),
        "next_url": own + visit.query(last) if last else None,
        "first_url": own if visit.after else None,
        "page_url": visit.addresses.tag(name) + visit.query(visit.after),
        "feed_url": visit.addresses.absolute(visit.addresses.local(name, "atom")) if _has_dates(visit, tallies) else None,
        "feed_title": _feed_title(visit, name),
        **_about(visit, tallies),
    }
    return await _html(visit, [f"tagfeeds-tag-{to_css_class(name)}.html", "tagfeeds-tag.html"], context)


@answers
async def nothing(request: Request, datasette: Datasette) -> Response:
    """All else below the base: a final slash is dropped; there is nothing further down."""
    path = request.scope.get("raw_path", request.path.encode()).decode("ascii", "replace").split("?")[0]
    if path.endswith("/") and not path.endswith("//"):
        query = request.query_string
        return Response.redirect(path.rstrip("/") + (f"?{query}" if query else ""), status=301)
    raise NotFound("There is no such page of tags.")


async def _feed(visit: _Visit, tag: str | None) -> Response:
    entries, last = await visit.page(tag, feed=True)
    settings, addresses = visit.site.settings, visit.addresses
    own = addresses.absolute(addresses.local(tag, "atom"))
    links = [Link("self", own + visit.query(visit.after), FEED), Link("alternate", addresses.absolute(addresses.local(tag)), PAGE)]
    if last:
        links.append(Link("next", own + visit.query(last), FEED))
    if last or visit.after:
        links.append(Link("first", own + visit.query(None), FEED))
    term = scrub(tag or "").strip()
    feed = Feed(
        id=addresses.feed_id(tag),
        title=_feed_title(visit, tag),
        author=settings.author or Person(_feed_title(visit, None)),
        updated=max((entry.updated for entry in entries), default=NEVER),
        language=settings.language,
        links=tuple(links),
        entries=entries,
        category=Category(term, term, addresses.scheme, addresses.tag(tag)) if tag is not None and term else None,
        complete=not last and not visit.after,
    )
    body = atom.render(feed)
    headers = {**FEED_HEADERS, **(PRIVATE_HEADERS if visit.private else {}), "Content-Length": str(len(body))}
    return Response(body, headers=headers, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")


async def _html(visit: _Visit, templates: list[str], context: dict[str, object]) -> Response:
    page = await visit.datasette.render_template(templates, context, request=visit.request)
    return Response.html(page, headers=PRIVATE_HEADERS if visit.private else {})


def _about(visit: _Visit, tallies: list[Tally]) -> dict[str, object]:
    """What every page says of its items: how many, of which kinds, since when."""
    first = min((tally.first for tally in tallies if tally.first), default="")
    latest = max((tally.last for tally in tallies), default="")
    kinds = sorted(tallies, key=lambda tally: (-tally.items, tally.source))
    return {
        "site_title": visit.site.title,
        "language": visit.site.settings.language,
        "index_url": visit.addresses.local(),
        "count": sum(tally.items for tally in tallies),
        "first": html.date_in_words(first),
        "latest": html.date_in_words(latest),
        "kinds": [(visit.store.sources[tally.source].label, tally.items) for tally in kinds],
        "private": visit.private,
    }


def _feed_title(visit: _Visit, tag: str | None) -> str:
    """Site: tag, as one line."""
    return one_line(visit.site.title if tag is None else f"{visit.site.title}: {tag}") or "Tags"


def _has_dates(visit: _Visit, tallies: list[Tally]) -> bool:
    """True where some source of these items has a date column: without one there is nothing to subscribe to."""
    return any(visit.store.sources[tally.source].published for tally in tallies)


def _counted(one: TagCount, largest: int, addresses: Addresses) -> dict[str, object]:
    return {
        "name": one.tag,
        "url": addresses.local(one.tag),
        "count": one.items,
        "share": round(100 * one.items / largest, 1),
        "latest": html.date_in_words(one.latest),
    }


def _index_start(given: str | None, total: int) -> int:
    if given is None:
        return 0
    if not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise BadRequest("The parameter “next” is not one that this site gives.")
    return min(int(given), total)
