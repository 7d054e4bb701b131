"""Documents of a visit: made with their validators, remembered while nothing that they are made of changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace

from datasette.utils.asgi import Response

from .answers import PRIVATE, Document, caching, respond
from .cache import cache, entity
from .visit import Visit


def key(here: Visit, *about: Hashable) -> Hashable:
    """What a document depends on, beside the data: what it is about, where it is asked for, and what the actor may see."""
    return (*about, here.addresses.base, frozenset(here.store.sources), here.private)


def document(here: Visit, name: Hashable, body: bytes, media_type: str, headers: dict[str, str]) -> Document:
    """A document with its validators and caching headers. `name` is its key: under it, dates never fall."""
    headers = {**headers, **(PRIVATE if here.private else caching(here.settings.ttl, here.datasette.cache_headers))}
    tag = entity(body, headers)
    return Document(body, media_type, tag, cache(here.datasette).modified(name, tag, here.modified()), headers)


async def remembered(here: Visit, name: Hashable, make: Callable[[], Awaitable[Document]]) -> Response:
    """The document of this key, kept until its data changes or a scheduled item becomes due."""
    kept, state = cache(here.datasette), here.store.state()
    found = kept.get(name, state, here.store.now)
    if found is None:
        until = (await here.store.horizon()).state.until
        found = await make()
        kept.keep(name, replace(state, until=until), found)
    return respond(here.request, found)
