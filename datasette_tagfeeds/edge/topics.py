"""The addresses of what changed."""

from collections.abc import Collection, Iterator

from ..expression import Tag
from ..web.feeds import FORMATS
from ..web.urls import Addresses
from .changes import Changes
from .digests import EVERYTHING


def feeds(addresses: Addresses, changes: Changes, only: Collection[str] | None = None) -> Iterator[str]:
    """The paths of the feeds whose first document changed, of these tags only where some are given."""
    for tag in sorted(changes.feeds | changes.counted):
        if only is None or tag in only:
            for format in FORMATS:
                if tag in (changes.counted if format == "json" else changes.feeds):
                    yield addresses.local(Tag(tag) if tag != EVERYTHING else None, format)


def pages(addresses: Addresses, changes: Changes) -> Iterator[str]:
    """The paths of the index in its forms, where anything changed, and of the pages of tags whose items did."""
    if changes:
        yield from (addresses.local() + suffix for suffix in ("", ".json", ".opml"))
    yield from (addresses.local(Tag(tag)) for tag in sorted(changes.tags - {EVERYTHING}))
