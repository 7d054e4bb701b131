"""Documents remembered until what they are made of changes: a poller that has one costs no query."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from time import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ..memory import State
from . import conditional
from .answers import Document

if TYPE_CHECKING:
    from datasette.app import Datasette

# Bytes of documents that one Datasette remembers.
ROOM = 64 * 1024 * 1024
# How many documents' last dates it remembers.
SENT = 10_000

_CACHES: WeakKeyDictionary[Datasette, Cache] = WeakKeyDictionary()


class Cache:
    """The documents of one Datasette, the least recently asked for forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[State, Document]] = OrderedDict()
        self._size = 0
        # What was last sent for each key: its tag and date. Small, so it is kept when documents are forgotten;
        # and the latest of the dates that were forgotten, which no other may go behind.
        self._sent: OrderedDict[Hashable, tuple[str, int]] = OrderedDict()
        self._forgotten = 0

    def get(self, key: Hashable, state: State, now: str) -> Document | None:
        """The document as made of this state of the data, unless an item became due since."""
        kept = self._kept.get(key)
        if not kept or not kept[0].holds(state, now):
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def keep(self, key: Hashable, state: State, document: Document) -> None:
        """Remember a document."""
        if (old := self._kept.pop(key, None)) is not None:
            self._size -= len(old[1].body)
        self._kept[key] = (state, document)
        self._size += len(document.body)
        while self._size > ROOM:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._size -= len(oldest.body)

    def modified(self, key: Hashable, tag: str, known: int | None) -> int | None:
        """The date to send with a tag, at the latest the next second, since none is sent before it has come (see `respond`): what
        is known of the data's last change, but never earlier than sent before, and another than before where the tag is another."""
        if known is None:
            return None
        now = int(time())
        last_tag, last = self._sent.pop(key, ("", self._forgotten))
        date = max(min(known, now + 1), last)
        if last_tag and tag != last_tag and date <= last <= now:
            date = max(now, last + 1)
        self._sent[key] = (tag, date)
        if len(self._sent) > SENT:
            _, (_, forgotten) = self._sent.popitem(last=False)
            self._forgotten = max(self._forgotten, forgotten)
        return date


def cache(datasette: Datasette) -> Cache:
    """The cache of a Datasette."""
    return _CACHES.setdefault(datasette, Cache())


def entity(body: bytes, headers: dict[str, str]) -> str:
    """The tag of a document: of its bytes, and of the links that its headers hold."""
    return conditional.entity_tag(body, headers.get("Link", "").encode())
