"""Telling caches in front which documents to forget, by their purge keys."""

import json
from collections.abc import Iterator, Mapping, Sequence

from ..web import keys
from .changes import Changes
from .digests import EVERYTHING
from .sending import Call

# How many keys go into one request: Fastly takes 256, Cloudflare 30; a header of Varnish has 8 KB, and a key at most 42 bytes.
AT_ONCE = {"Surrogate-Key": 256, "Cache-Tag": 30, "xkey": 150}


def purged(changes: Changes) -> list[str]:
    """The keys of all that changed; the one of everything where documents are made in another way."""
    if changes.everything:
        return [keys.EVERY]
    return sorted({*map(keys.of_all, changes.sources), *map(keys.of_tag, changes.tags - {EVERYTHING})})


def calls(header: str, url: str, said: Mapping[str, str], purged: Sequence[str]) -> Iterator[Call]:
    """The requests that tell a cache of keys: to Fastly and Varnish in the header that answers name them in, to Cloudflare as JSON."""
    for start in range(0, len(purged), AT_ONCE[header]):
        some = purged[start : start + AT_ONCE[header]]
        if header == "Cache-Tag":
            yield Call("POST", url, {"Content-Type": "application/json", **said}, json.dumps({"tags": some}).encode())
        else:
            yield Call("PURGE" if header == "xkey" else "POST", url, {header: " ".join(some), **said})
