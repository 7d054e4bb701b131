"""Who may see what. The only module that asks for permissions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from datasette.utils.asgi import Forbidden, Request

from .. import compat
from ..compat import Actor
from ..config import Settings
from ..model import Source
from ..once import Once
from ..store.databases import explained

if TYPE_CHECKING:
    from datasette.app import Datasette


# For how many seconds the verdict on the anonymous actor serves again: it depends on no request, and costs a millisecond a table.
REUSED = 1.0
_ANONYMOUS: WeakKeyDictionary[Datasette, Verdict] = WeakKeyDictionary()
_ASKING: WeakKeyDictionary[Datasette, Once] = WeakKeyDictionary()
# One page of Datasette asks in several hooks.
_ASKED: WeakKeyDictionary[Request, dict[tuple[str, str], bool]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Visible:
    """The sources, and the (database, table)s about tags, that an actor may see; `private` where the anonymous actor may not
    see one of the sources."""

    sources: tuple[Source, ...]
    private: bool
    tables: frozenset[tuple[str, str]]


# When it was asked for, for which settings, and what was found.
Verdict = tuple[float, Settings, Visible]


async def visible(datasette: Datasette, actor: Actor, settings: Settings) -> Visible:
    """The sources all of whose tables the actor may see: items, join and tag tables, and what views and `where` read.

    Raises datasette.Forbidden for an actor who sees no source and may not view the instance.
    """
    found = await anonymous(datasette, settings) if actor is None else await _visible(datasette, actor, settings)
    if not found.sources:
        await compat.ensure_instance(datasette, actor)
    return found


async def anonymous(datasette: Datasette, settings: Settings) -> Visible:
    """What everyone may see."""
    kept = _ANONYMOUS.get(datasette)
    if not kept or monotonic() - kept[0] >= REUSED or kept[1] is not settings:
        kept = await _ASKING.setdefault(datasette, Once())(id(settings), partial(_asked_again, datasette, settings))
    return kept[2]


async def _asked_again(datasette: Datasette, settings: Settings) -> Verdict:
    """The verdict on the anonymous actor as it is now: the very same object where it is the same, so that it is told at a glance."""
    asked, before = monotonic(), _ANONYMOUS.get(datasette)
    found = await _visible(datasette, None, settings)
    same = before and before[1] is settings and before[2] == found
    verdict = _ANONYMOUS[datasette] = (asked, settings, before[2] if before and same else found)
    return verdict


async def _visible(datasette: Datasette, actor: Actor, settings: Settings) -> Visible:
    asked = {(source.database, table) for source in settings.sources for table in source.reads}
    asked |= {(source.database, source.search) for source in settings.sources if source.search}
    about = [*settings.described_in, *([settings.aliased_by] if settings.aliased_by else [])]
    asked |= {(one.database, table) for one in about for table in (one.table, *(one.leads_to or ())[:1])}
    verdicts = await tables(datasette, actor, asked)
    seen = tuple(source for source in settings.sources if all(verdicts[source.database, table][0] for table in source.reads))
    private = any(verdicts[source.database, table][1] for source in seen for table in source.reads)
    # A full-text index that is hidden must not answer what words its rows hold.
    seen = tuple(replace(one, search=None) if one.search and not verdicts[one.database, one.search][0] else one for one in seen)
    return Visible(seen, private, frozenset(pair for pair, (allowed, _) in verdicts.items() if allowed))


async def tables(datasette: Datasette, actor: Actor, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[bool, bool]]:
    """(visible to the actor, hidden from the anonymous one) of each (database, table)."""
    # Datasette asks databases for it, within its time limit.
    with explained():
        return {pair: await compat.table_visibility(datasette, actor, *pair) for pair in sorted(asked)}


async def ensure_instance(datasette: Datasette, actor: Actor) -> None:
    """Raise datasette.Forbidden where the actor may not view the instance."""
    await compat.ensure_instance(datasette, actor)


async def ensure_execute_sql(datasette: Datasette, actor: Actor, databases: Iterable[str]) -> None:
    """Raise datasette.Forbidden where the actor may not run SQL of their own on each of the databases."""
    for database in databases:
        if not await compat.may_execute_sql(datasette, actor, database):
            raise Forbidden("execute-sql")


async def sees(datasette: Datasette, request: Request, source: Source) -> bool:
    """True where the actor of a request may see every table that the source reads."""
    kept = _ASKED.setdefault(request, {})
    for table in sorted(source.reads):
        pair = (source.database, table)
        if pair not in kept:
            kept[pair] = (await compat.table_visibility(datasette, request.actor, *pair))[0]
        if not kept[pair]:
            return False
    return True
