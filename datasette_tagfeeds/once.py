"""What several requests want at the same time is made once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")


class Once:
    """What is being made now, for each event loop: Datasette's start-up may have had another."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Future[Any]] = {}

    async def __call__(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """What `make` makes, or what another is making under this key. An error is everyone's who waits for it; where who makes it is
        cancelled, the next makes it."""
        loop = asyncio.get_running_loop()
        while other := self._under_way.get((loop, key)):
            # Unlike awaiting it, this leaves the future alone when whoever waits is cancelled.
            await asyncio.wait([other])
            if not other.cancelled():
                made: Made = other.result()
                return made
        future = self._under_way[loop, key] = loop.create_future()
        try:
            return await self._make(future, make)
        finally:
            del self._under_way[loop, key]
            # Whoever made it was stopped.
            future.cancel()

    async def _make(self, future: asyncio.Future[Any], make: Callable[[], Awaitable[Made]]) -> Made:
        try:
            made = await make()
        except Exception as error:
            future.set_exception(error)
            # Maybe nobody waits, and asyncio would complain.
            future.exception()
            raise
        future.set_result(made)
        return made
