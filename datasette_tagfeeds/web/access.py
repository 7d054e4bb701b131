"""Who may see what. The only module that asks for permissions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import compat
from ..compat import Actor
from ..model import Source

if TYPE_CHECKING:
    from datasette.app import Datasette


@dataclass(frozen=True)
class Visible:
    """The sources that an actor may see; `private` where the anonymous actor may not see one of them."""

    sources: tuple[Source, ...]
    private: bool


async def visible(datasette: Datasette, actor: Actor, sources: Iterable[Source]) -> Visible:
    """The sources all of whose tables the actor may see: items, join and tag tables, and what views and `where` read.

    Raises datasette.Forbidden for an actor who sees no source and may not view the instance.
    """
    sources = list(sources)
    asked = {(source.database, table) for source in sources for table in source.reads}
    verdicts = {pair: await compat.table_visibility(datasette, actor, *pair) for pair in sorted(asked)}
    seen = tuple(source for source in sources if all(verdicts[source.database, table][0] for table in source.reads))
    if not seen:
        await compat.ensure_instance(datasette, actor)
    return Visible(seen, any(verdicts[source.database, table][1] for source in seen for table in source.reads))
