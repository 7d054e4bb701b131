"""Bodies made safe once: sanitising is remembered by a hash of what it was made of."""

import hashlib
import sys
from collections import OrderedDict
from threading import Lock

from . import content

# Bytes of bodies that the process remembers; and what each costs beside itself.
ROOM = 2 * 1024 * 1024
EACH = 200

_kept: OrderedDict[bytes, str | None] = OrderedDict()
_size = 0
_lock = Lock()


def render(written: str, kind: str, base: str, trusted: bool) -> str | None:
    """As `content.render`, the least recently used forgotten first."""
    global _size
    parts = (kind, base, str(trusted), written)
    key = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = content.render(written, kind, base, trusted)
    with _lock:
        if key not in _kept:
            _kept[key] = made
            _size += _cost(made)
        while _size > ROOM:
            _size -= _cost(_kept.popitem(last=False)[1])
    return made


def _cost(made: str | None) -> int:
    """The bytes that a body takes: texts with other than Latin letters take two or four for each."""
    return sys.getsizeof(made) + EACH
