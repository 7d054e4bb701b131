"""What Datasette's own pages wait for, and how long: they must be there even where tags take a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from .. import site, store
from ..errors import ConfigError, TagfeedsError
from ..memory import TagList
from ..model import Source
from ..site import Site
from ..web import access

if TYPE_CHECKING:
    from datasette.app import Datasette

# Seconds that a page waits for what it can do without.
PATIENCE = 0.25
T = TypeVar("T")
_UNDER_WAY: WeakKeyDictionary[Datasette, dict[Hashable, asyncio.Task[Any]]] = WeakKeyDictionary()


async def ready(datasette: Datasette) -> Site | None:
    """The site; None while databases are still being looked through, or where the settings are wrong."""
    return await _soon(datasette, "site", lambda: site.site(datasette))


async def known(datasette: Datasette, here: Site, sources: Sequence[Source]) -> Container[str] | None:
    """The tags that have pages, of some sources that the actor may see at least; None where it is not known. One list for all, where it serves."""
    everyones = (await access.anonymous(datasette, here.settings)).sources
    shared = {source.name for source in sources} <= {source.name for source in everyones}
    found = await tag_list(datasette, everyones if shared else sources)
    return found.by_name if found else None


async def tag_list(datasette: Datasette, sources: Sequence[Source]) -> TagList | None:
    """Every tag of some sources, if need be as of some time ago: counting them all goes on while the page is sent. None where no count is done."""
    asked = store.Store(datasette, sources, store.now())
    names = frozenset(asked.sources)
    return await _soon(datasette, names, asked.tag_list) or asked.memory.lists.get(names)


async def _soon(datasette: Datasette, name: Hashable, make: Callable[[], Awaitable[T]]) -> T | None:
    """What is made, where that takes no longer than a page may wait; only the first who asks waits, and all get what comes of it."""
    tasks = _UNDER_WAY.setdefault(datasette, {})
    task = tasks.get(name)
    if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
        task = tasks[name] = asyncio.ensure_future(_made(make))
        await asyncio.wait({task}, timeout=PATIENCE)
    found: T | None = task.result() if task.done() else None
    return found


async def _made(make: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await make()
    except (TagfeedsError, ConfigError):
        return None
