"""What of a site has changed since a state of it that was written down."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .. import site, store
from ..errors import Broken
from ..health import written
from ..postings import build
from ..site import Site
from ..web import access
from . import digests
from .digests import EVERYTHING, Digest, Seen

if TYPE_CHECKING:
    from datasette.app import Datasette

Found = TypeVar("Found")
# The form of what is written; another one is not understood, so that everything counts as changed.
FORM = 1


@dataclass(frozen=True)
class State:
    """What the anonymous visitor is shown: digests of every tag (EVERYTHING for all of them) and source, and of what makes documents
    of it: settings, templates, this package. `failing` are the sources that could not be read."""

    making: str
    tags: Mapping[str, Digest]
    sources: Mapping[str, str]
    failing: Mapping[str, str]

    def text(self) -> str:
        """The state as JSON."""
        tags = {tag: list(digest) for tag, digest in sorted(self.tags.items())}
        return json.dumps({"form": FORM, "making": self.making, "sources": dict(sorted(self.sources.items())), "tags": tags})


@dataclass(frozen=True)
class Changes:
    """What differs: `everything`, where documents are made in another way; the tags under which items differ, those whose feed does, those whose
    JSON Feed does (EVERYTHING among them for the feed of everything), and the sources that have other items."""

    everything: bool
    tags: frozenset[str]
    feeds: frozenset[str]
    counted: frozenset[str]
    sources: frozenset[str]

    def __bool__(self) -> bool:
        return self.everything or bool(self.tags)


def read(text: str) -> State | None:
    """A state as it was written; None where it cannot be understood."""
    try:
        found = json.loads(text)
        if found["form"] != FORM:
            return None
        tags = {tag: Digest(*digest) for tag, digest in found["tags"].items()}
        return State(found["making"], tags, dict(found["sources"]), {})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def between(before: State | None, after: State) -> Changes:
    """What differs between two states; without an earlier one, everything."""
    if before is None or before.making != after.making:
        every = frozenset({*after.tags, *(before.tags if before else ())})
        return Changes(True, every, every, every, frozenset(after.sources))
    names = {*before.tags, *after.tags}
    pairs = {name: (before.tags.get(name), after.tags.get(name)) for name in names}
    items, feeds, counted = (
        frozenset(name for name, (one, other) in pairs.items() if (one and one[place]) != (other and other[place])) for place in range(3)
    )
    sources = {name for name in {*before.sources, *after.sources} if before.sources.get(name) != after.sources.get(name)}
    return Changes(False, items, feeds, counted, frozenset(sources))


async def state(datasette: Datasette, here: Site, files: Mapping[str, str] | None = None) -> State:
    """The state of a site now, or as it was when its databases were these files, by the databases' names. Reads every row once.

    A source that cannot be read, because an older file has other tables, has nothing.
    """
    visible, now = await access.anonymous(datasette, here.settings), store.now()
    parts: dict[str, Mapping[str, Seen]] = {}
    failing: dict[str, str] = {}
    for source in visible.sources:
        scan = partial(digests.seen, source=source, now=now, size=here.settings.size)
        try:
            parts[source.name] = await _within(datasette, source.database, scan, files)
        except Broken as error:
            failing[source.name] = str(error.__cause__)
    names = sorted({tag for part in parts.values() for tag in part} - {EVERYTHING})
    descriptions: dict[str, int] = {}
    for about in here.settings.described_in:
        if (about.database, about.table) in visible.tables:
            asked = partial(digests.described, about=about, tags=names)
            with suppress(Broken):
                descriptions = {**await _within(datasette, about.database, asked, files), **descriptions}
    return _together(datasette, here, parts, descriptions, failing)


async def _within(
    datasette: Datasette, database: str, scan: Callable[[sqlite3.Connection], Found], files: Mapping[str, str] | None
) -> Found:
    if files is None:
        return await store.within(datasette, database, scan)
    with store.explained(), closing(build.connect(files[database])) as connection:
        return scan(connection)


def _together(
    datasette: Datasette, here: Site, parts: Mapping[str, Mapping[str, Seen]], descriptions: Mapping[str, int], failing: Mapping[str, str]
) -> State:
    sources = {
        name: f"{(part[EVERYTHING].total + sum(descriptions.get(tag, 0) for tag in part)) % 2**128:032x}" if part else ""
        for name, part in parts.items()
    }
    tags = digests.together(parts.values(), descriptions, here.settings.size)
    return State(_making(datasette, here), tags, sources, failing)


def _making(datasette: Datasette, here: Site) -> str:
    """A digest of what makes documents of rows: settings, as given and as found, templates, addresses, this package."""
    folder = Path(datasette.template_dir) if datasette.template_dir else None
    templates = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()] if folder else []
    base = f"{site.path(datasette)} {datasette.urls.instance()} {version(site.NAME)} {version('datasette')}"
    found = hashlib.sha256(base.encode())
    for part in (here.title.encode(), written(here.given, here.settings.sources).encode(), *templates):
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()
