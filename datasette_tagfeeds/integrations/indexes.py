"""The tables of the index stay out of Datasette's own pages: they name tags of rows that not everyone may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import compat
from ..postings.layout import NAMES
from ..sql import PREFIX

if TYPE_CHECKING:
    from datasette.app import Datasette


def is_ours(resource: object) -> bool:
    """True where a (database, table) is a table of the index, in whatever letters: SQLite takes them for the same."""
    # Whoever tries permissions out may ask of anything.
    return isinstance(resource, tuple) and len(resource) == 2 and str(resource[1]).lower().startswith(PREFIX)


def hidden(datasette: Datasette) -> object:
    """What denies these tables of every database."""
    return compat.hide_tables(tuple(name for name in datasette.databases if name != "_internal"), NAMES)
