"""Whether a file's index may answer for a source: only where it was made for just this source, these tables and these triggers."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..model import Source
from . import layout
from .triggers import counting, taggings_of, triggers


@dataclass(frozen=True)
class Indexing:
    """Whether a source is indexed: its number, or why it is not; `stale` where there is an index that no longer fits."""

    number: int | None = None
    reason: str | None = None
    stale: bool = False


def triggers_of(source: Source, connection: sqlite3.Connection) -> dict[str, str]:
    """{name: SQL} of the triggers that a source needs, with its number in them."""

    def watched(table: str) -> tuple[str, ...] | None:
        return layout.watched(connection, table, taggings_of(source, None))

    return dict(triggers(source, partial(layout.uniques, connection), watched))


def numbered(source: Source, number: int) -> Source:
    """The source as one that the index answers for."""
    return replace(source, indexed=number)


def indexing(sources: Sequence[Source], connection: sqlite3.Connection) -> dict[str, Indexing]:
    """What the index of one file is worth for each of these sources, all of that file."""
    known, there = layout.numbers(connection), layout.objects(connection)
    return {source.name: _indexing(source, connection, known, there) for source in sources}


def _indexing(
    source: Source, connection: sqlite3.Connection, known: dict[str, tuple[int, str]], there: dict[str, tuple[str, str]]
) -> Indexing:
    reason = layout.why_not(source, connection)
    if reason or source.name not in known:
        return Indexing(reason=reason, stale=bool(reason) and source.name in known)
    number, mark = known[source.name]
    wanted = {**triggers_of(numbered(source, number), connection), **dict(counting())}
    right = all(there.get(name, ("", ""))[1].lower() == sql.lower() for name, sql in wanted.items())
    fits = right and mark == layout.fingerprint(source, connection, wanted.values())
    return Indexing(number=number) if fits else Indexing(stale=True)
