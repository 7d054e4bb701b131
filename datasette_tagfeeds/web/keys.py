"""Purge keys: by them a cache in front is told which of our documents to forget.

tagfeeds    every document
s-<source>  those that may show items of a source
a-<source>  those that range over all its items: the index, the feed of everything, expressions that hold by NOT alone
t-<tag>     those whose expression names a tag

When items change, t- of the tags that they had and have, and a- of their sources, are all that is to be forgotten, but for the margins of
pages: which other tags are seen with a page's items, and how many items those have, may be told as it was until the page expires.
"""

import hashlib
import re
from collections.abc import Iterable

from ..expression import Expression, is_bounded, tags
from .visit import Visit

EVERY = "tagfeeds"


def of_tag(tag: str) -> str:
    """The key of what tells of a tag."""
    return f"t-{_plain(tag)}"


def of_all(source: str) -> str:
    """The key of what ranges over all items of a source."""
    return f"a-{_plain(source)}"


def of_items(here: Visit, expression: Expression | None) -> list[str]:
    """The keys of a document about an expression (None: about everything)."""
    sources = here.parameters.types or sorted(here.store.sources)
    names = dict.fromkeys(tags(expression) if expression is not None else ())
    ranging = [] if expression is not None and is_bounded(expression) else [of_all(one) for one in sources]
    return [EVERY, *(f"s-{_plain(one)}" for one in sources), *ranging, *map(of_tag, names)]


def header(name: str | None, keys: Iterable[str]) -> dict[str, str]:
    """The header of this name that holds the keys, as its caches read it; nothing where there is no name."""
    return {name: ("," if name == "Cache-Tag" else " ").join(keys)} if name else {}


def _plain(name: str) -> str:
    """The name where it is short and plain, else ten digits of its hash, so that headers stay small and ASCII."""
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name):
        return name
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:10]
