"""Digests of what is published: two of them tell what changed between two moments, or between two versions of a file."""

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .. import statements
from ..model import Source, TagTable
from ..relations import Key, Selection

# The name that stands for all that is tagged; no tag is blank.
EVERYTHING = ""
# How many rows, or tags, are read at once.
TOGETHER = 400


class Digest(NamedTuple):
    """What is published under a tag: of all its items, of what the first document of its feed shows, and of that with the
    counts that JSON Feed tells."""

    items: str
    feed: str
    counted: str


@dataclass
class Seen:
    """What a source has under a tag: the sum of its items' digests, how many are dated, and the newest of these as (published, source, digest).

    A sum does not depend on the order in which items are read.
    """

    total: int = 0
    dated: int = 0
    newest: list[tuple[str, str, int]] = field(default_factory=list)

    def add(self, published: str, source: str, digest: int, size: int) -> None:
        """Take in an item; items come newest first, `size` of them make a document."""
        self.total += digest
        if published:
            self.dated += 1
            if self.dated <= size:
                self.newest.append((published, source, digest))


def seen(connection: sqlite3.Connection, source: Source, now: str, size: int) -> dict[str, Seen]:
    """What a source has under each of its tags, and under all, at a moment. Reads every row; the index is left aside, since a file's
    older version may have none."""
    source = replace(source, indexed=None)
    found: dict[str, Seen] = defaultdict(Seen)
    stream = statements.stream([source], Selection(), now, -1, None, dated=False)
    listed = connection.execute(stream.sql, dict(stream.parameters))
    while some := listed.fetchmany(TOGETHER):
        published = {key: moment for moment, _, key in some}
        for key, digest, tags in _items(connection, source, published):
            for tag in (EVERYTHING, *tags):
                found[tag].add(published[key], source.name, digest, size)
    return dict(found)


def _items(connection: sqlite3.Connection, source: Source, published: Mapping[Key, str]) -> Iterator[tuple[Key, int, list[str]]]:
    """(key, digest, tags) of items, in their order. The digest is of all that an entry is made of."""
    keys, tags = list(published), defaultdict(dict)  # type: tuple[list[Key], dict[Key, dict[str, None]]]
    tagged = statements.tags_of(source, keys)
    for key, tag in connection.execute(tagged.sql, dict(tagged.parameters)):
        # As the store has it: a tag that is no text is none.
        if "\ufffd" not in tag:
            tags[key][tag] = None
    rows = statements.rows(source, keys)
    values = {key: tuple(rest) for key, *rest in connection.execute(rows.sql, dict(rows.parameters))}
    for key in keys:
        if key in values:
            yield key, _hash(source.name, key, published[key], values[key], *tags[key]), list(tags[key])


def _hash(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest(), "big")


def described(connection: sqlite3.Connection, about: TagTable, tags: Sequence[str]) -> dict[str, int]:
    """A digest of what a table says about each of these tags."""
    found = {}
    for start in range(0, len(tags), TOGETHER):
        asked = statements.descriptions(about, tags[start : start + TOGETHER])
        found.update({tag: _hash(value) for tag, value in connection.execute(asked.sql, dict(asked.parameters)) if value is not None})
    return found


def together(parts: Iterable[Mapping[str, Seen]], descriptions: Mapping[str, int], size: int) -> dict[str, Digest]:
    """The digest of every tag, and of everything, over all sources."""
    by_tag: dict[str, list[Seen]] = defaultdict(list)
    for part in parts:
        for tag, one in part.items():
            by_tag[tag].append(one)
    return {tag: _digest(many, descriptions.get(tag, 0), size) for tag, many in by_tag.items()}


def _digest(many: Sequence[Seen], description: int, size: int) -> Digest:
    # Newest first, sources by name, as documents have them; the order of one source's items is right already.
    newest = sorted(sorted((item for one in many for item in one.newest), key=lambda item: item[1]), key=lambda item: item[0], reverse=True)
    dated = sum(one.dated for one in many)
    shown = ([digest for _, _, digest in newest[:size]], dated > size)
    counts = sorted((one.newest[0][1], one.dated) for one in many if one.newest)
    items = (sum(one.total for one in many), description)
    return Digest(*(f"{_hash(what):032x}" for what in (items, shown, (shown, counts))))
