"""Documents of a visit: made with their validators, remembered while nothing that they are made of changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import replace
from functools import partial, wraps
from typing import TYPE_CHECKING

from datasette.utils.asgi import Request, Response

from .. import site, store
from ..memory import State
from ..store.databases import memory
from . import access, keys
from .answers import PRIVATE, Document, View, caching, fields, respond
from .cache import Cache, Kept, Known, cache, entity, existing
from .visit import EXPORTED, Visit

if TYPE_CHECKING:
    from datasette.app import Datasette

Make = Callable[[], Awaitable[Document]]


def key(here: Visit, *about: Hashable) -> Hashable:
    """What a document depends on, beside the data: what it is about, where it is asked for, and what the actor may see."""
    seen = frozenset((name, source.search) for name, source in here.store.sources.items())
    return (*about, here.addresses.base, seen, here.private, here.exported)


def document(
    here: Visit, name: Hashable, body: bytes, media_type: str, headers: dict[str, str], purged_by: Iterable[str] = (keys.EVERY,)
) -> Document:
    """A document with its validators and caching headers. `name` is its key: under it, dates never fall."""
    public = {**caching(here.settings.ttl, here.datasette.cache_headers), **keys.header(here.settings.purge_header, purged_by)}
    headers = {**headers, **(PRIVATE if here.private else public)}
    tag = entity(body, headers)
    return Document(body, media_type, tag, _cache(here).modified(name, tag, here.modified()), headers)


async def remembered(here: Visit, name: Hashable, make: Make) -> Response:
    """The document of this key, kept until its data changes or a scheduled item becomes due. Whoever asks while it is made waits for it."""
    cached, state, now = _cache(here), here.store.state(), here.store.now
    kept = cached.get(name, state, now)
    if kept is None:
        kept = await cached.once((name, state), partial(_made, here, name, state, make))
        # Whoever began to make it may have done so before an item became due.
        kept = kept if kept.state.holds(state, now) else await _made(here, name, state, make)
    if is_anyones(here.request):
        cached.know(_address(here.request), Known(here.visible, name, tuple(database for database, _ in state.versions)))
    return _answer(here.request, cached, name, kept)


async def _made(here: Visit, name: Hashable, state: State, make: Make) -> Kept:
    until = (await here.store.horizon()).state.until
    made = Kept(replace(state, until=until), await make())
    _cache(here).keep(name, made)
    return made


def _cache(here: Visit) -> Cache:
    return cache(here.datasette, here.settings.cache_bytes)


def again(view: View) -> View:
    """Answer what was answered before by what is remembered, without reading what is asked for: most requests are a poller's."""

    @wraps(view)
    async def answering(request: Request, datasette: Datasette) -> Response:
        return await _again(request, datasette) or await view(request, datasette)

    return answering


async def _again(request: Request, datasette: Datasette) -> Response | None:
    """The remembered answer; None where there is none that still holds, or the request is somebody's."""
    cached = existing(datasette)
    known = cached.addresses.get(_address(request)) if cached and is_anyones(request) else None
    if cached is None or known is None:
        return None
    # As the view would: tables may have changed, and permissions been taken away. The site looks at every database.
    here = await site.site(datasette)
    if await access.visible(datasette, None, here.settings) is not known.visible:
        return None
    kept = cached.get(known.key, memory(datasette).noted(known.databases), store.now())
    return _answer(request, cached, known.key, kept) if kept else None


def is_anyones(request: Request) -> bool:
    """True for a request that tells nothing of who makes it."""
    said = fields(request)
    return request.actor is None and EXPORTED not in request.scope and b"cookie" not in said and b"authorization" not in said


def _address(request: Request) -> Hashable:
    """All of a request that its document, or the base of links in it, depends on."""
    scope = request.scope
    return scope["path"], scope.get("raw_path"), scope.get("query_string"), scope.get("scheme"), fields(request).get(b"host")


def _answer(request: Request, cached: Cache, name: Hashable, kept: Kept) -> Response:
    before = kept.document.size
    answer = respond(request, kept.document)
    if kept.document.size != before:
        cached.keep(name, kept)
    return answer
