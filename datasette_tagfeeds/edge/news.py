"""Telling the hub of news while the site is served, by a task that Datasette 1.0 supervises."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from datasette.utils.asgi import Request

from .. import compat, site, store
from ..errors import ConfigError, TagfeedsError
from ..store import Store
from ..web import access
from ..web.urls import Addresses
from . import changes, hub, sending, topics

if TYPE_CHECKING:
    from datasette.app import Datasette

# Seconds until the next look where the settings could not be had.
FIRST = 60
logger = logging.getLogger(__name__)


async def begin(datasette: Datasette) -> None:
    """Have the hub told of news from now on, where the settings want it."""
    if datasette.plugin_config(site.NAME) and (await site.site(datasette)).settings.ping_every:
        compat.supervise(datasette, _watch, "tagfeeds: the hub is told of news")


async def _watch(datasette: Datasette) -> None:
    """Look for news for ever, `ping_every` seconds after one look at the earliest; what many writes changed meanwhile is told at once."""
    told, moment = None, None
    while True:
        every = FIRST
        try:
            here = await site.site(datasette)
            every = here.settings.ping_every or FIRST
            own = Store(datasette, (await access.anonymous(datasette, here.settings)).sources, store.now())
            if moment is None or not moment.holds(own.state(), own.now):
                begun = (await own.horizon()).state
                told, moment = await _tell(datasette, told), begun
        except (TagfeedsError, ConfigError, sending.Refused) as error:
            logger.warning("The hub could not be told of news, and will be later: %s", error)
            moment = None
        await asyncio.sleep(every)


async def _tell(datasette: Datasette, told: changes.State | None) -> changes.State:
    """Tell the hub of what differs from the state that it was told of; without one, of nothing. The state now."""
    here = await site.site(datasette)
    after = await changes.state(datasette, here)
    if told is not None and here.settings.hub:
        where = Addresses(datasette, Request.fake("/"), here.settings, site.path(datasette))
        news = [where.absolute(path) for path in topics.feeds(where, changes.between(told, after), after.tags)]
        await asyncio.to_thread(sending.send, hub.calls(here.settings.hub, news))
        if news:
            logger.info("The hub was told of %d feeds.", len(news))
    return after
