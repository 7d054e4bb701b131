"""Documents remembered until what they are made of changes: a poller that has one costs no query."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import time
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from ..memory import State
from ..once import Once
from . import conditional
from .answers import Document

if TYPE_CHECKING:
    from datasette.app import Datasette

    from .access import Visible

# One part in so many of the room is for addresses, whose number anybody can raise.
ADDRESSES = 8
# One part in so many of the rest is for documents that are whole; none may be larger than that.
LARGEST = 8
# What Python needs for a thing kept, beside its bytes.
OVERHEAD = 1000
# How many documents' last dates are remembered.
SENT = 10_000

Value = TypeVar("Value")
_CACHES: WeakKeyDictionary[Datasette, Cache] = WeakKeyDictionary()


class Kept(NamedTuple):
    """A document, and the state of the data that it was made of."""

    state: State
    document: Document


class Known(NamedTuple):
    """The key of the document that an address leads to, for whoever sees just this, and the databases that it is made of."""

    visible: Visible
    key: Hashable
    databases: tuple[str, ...]


class Shelf(Generic[Value]):
    """Things by their keys, in at most `room` bytes, each in at most `largest`; the least recently asked for goes first, and `gone` is told of it."""

    def __init__(self, room: int, largest: int, gone: Callable[[Hashable, Value], None] | None = None) -> None:
        self.room = room
        self.largest = largest
        self._gone = gone
        self.size = 0
        self._held: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> Value | None:
        """What is held under the key."""
        held = self._held.get(key)
        if held is None:
            return None
        self._held.move_to_end(key)
        return held[0]

    def drop(self, key: Hashable) -> None:
        """Forget what is held under the key, where anything is."""
        _, size = self._held.pop(key, (None, 0))
        self.size -= size

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Hold what needs so many bytes, in the place of what was held under the key."""
        self.drop(key)
        if size > self.largest:
            return
        self._held[key] = (value, size)
        self.size += size
        while self.size > self.room:
            other, (last, freed) = self._held.popitem(last=False)
            self.size -= freed
            if self._gone:
                self._gone(other, last)


class Cache:
    """The documents of one Datasette in `room` bytes, their compressed copies, keys and addresses included.

    Those that were asked for lately are whole, the others packed: most clients take them so, and four times as many have room.
    """

    def __init__(self, room: int) -> None:
        for_addresses = room // ADDRESSES
        for_whole = (room - for_addresses) // LARGEST
        self.packed: Shelf[Kept] = Shelf(room - for_addresses - for_whole, for_whole)
        self.documents: Shelf[Kept] = Shelf(for_whole, for_whole, self._pack)
        self.addresses: Shelf[Known] = Shelf(for_addresses, for_addresses)
        self.once = Once()
        # What was last sent for each key, by its hash: its tag and date. Small, so it is kept when documents are forgotten;
        # and the latest of the dates that were forgotten, which no other may go behind.
        self._sent: OrderedDict[int, tuple[str, int]] = OrderedDict()
        self._forgotten = 0

    def get(self, key: Hashable, state: State, now: str) -> Kept | None:
        """The document as made of this state of the data, unless an item became due since."""
        kept = self.documents.get(key) or self.packed.get(key)
        return kept if kept and kept.state.holds(state, now) else None

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Remember a document; again, once it has a compressed copy."""
        self.packed.drop(key)
        self.documents.put(key, kept, kept.document.size + _size(key))

    def _pack(self, key: Hashable, kept: Kept) -> None:
        packed = kept._replace(document=kept.document.packed())
        self.packed.put(key, packed, packed.document.size + _size(key))

    def know(self, address: Hashable, known: Known) -> None:
        """Remember which document an address leads to."""
        self.addresses.put(address, known, _size((address, known.key)))

    def modified(self, key: Hashable, tag: str, known: int | None) -> int | None:
        """The date to send with a tag, at the latest the next second, since none is sent before it has come (see `respond`): what
        is known of the data's last change, but never earlier than sent before, and another than before where the tag is another."""
        if known is None:
            return None
        now = int(time())
        last_tag, last = self._sent.pop(hash(key), ("", self._forgotten))
        date = max(min(known, now + 1), last)
        if last_tag and tag != last_tag and date <= last <= now:
            date = max(now, last + 1)
        self._sent[hash(key)] = (tag, date)
        if len(self._sent) > SENT:
            _, (_, forgotten) = self._sent.popitem(last=False)
            self._forgotten = max(self._forgotten, forgotten)
        return date


def _size(key: Hashable) -> int:
    """About how many bytes a key needs."""
    return len(repr(key)) + OVERHEAD


def existing(datasette: Datasette) -> Cache | None:
    """The cache of a Datasette that has been asked for something already."""
    return _CACHES.get(datasette)


def cache(datasette: Datasette, room: int) -> Cache:
    """The cache of a Datasette, made with so much room at first use."""
    return existing(datasette) or _CACHES.setdefault(datasette, Cache(room))


def entity(body: bytes, headers: dict[str, str]) -> str:
    """The tag of a document: of its bytes, and of the links that its headers hold."""
    return conditional.entity_tag(body, headers.get("Link", "").encode())
