"""What changed since a command last ran, and what is remembered for its next run."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click
from datasette.utils.asgi import Request

from .. import site
from ..edge import changes
from ..edge.changes import Changes, State
from ..site import Site
from ..web.urls import Addresses
from .given import answered


class Compared(NamedTuple):
    """A site, its state now, and what of it changed since it was last looked at; `known` is False where it never was."""

    datasette: Any
    site: Site
    state: State
    changes: Changes
    known: bool

    @property
    def addresses(self) -> Addresses:
        """Where things are, for everyone. Raises click.ClickException without a base_url: only a request could tell."""
        if not self.site.settings.base_url:
            raise click.ClickException("The setting base_url is needed: it says where others find your site.")
        return Addresses(self.datasette, Request.fake("/"), self.site.settings, site.path(self.datasette))


def compared(datasette: Any, remembered: Path, since: dict[str, str] | None = None) -> Compared:
    """What changed since a state that a file remembers, or since the databases were other files.

    Raises click.ClickException where a file cannot be read.
    """
    return answered(compare(datasette, None if since else _before(remembered), since))


def _before(remembered: Path) -> State | None:
    """The state that a file remembers; None without one. Raises click.ClickException where it cannot be read."""
    try:
        return changes.read(remembered.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise click.ClickException(f"What the last run remembered cannot be read: {error}") from error


async def compare(datasette: Any, before: State | None, since: dict[str, str] | None = None) -> Compared:
    """What changed since a state, or since the databases were other files. Raises sqlite3.Error where one cannot be read now."""
    for database in datasette.databases.values():
        if database.path:
            _look_into(Path(database.path))
    await datasette.invoke_startup()
    here = await site.site(datasette)
    before = await changes.state(datasette, here, since) if since else before
    after = await changes.state(datasette, here)
    for name, reason in after.failing.items():
        click.echo(f"{name} cannot be read: {reason}", err=True)
    return Compared(datasette, here, after, changes.between(before, after), before is not None)


def _look_into(path: Path) -> None:
    """Raise sqlite3.Error where a file cannot be read now: Datasette 0.65 would start, and find nothing in it."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("select count(*) from sqlite_master")


def remember(remembered: Path, state: State) -> None:
    """Write a state down: whole, or not at all. Raises click.ClickException where it cannot be written."""
    beside = remembered.with_name(f"{remembered.name}.new")
    try:
        beside.write_text(state.text(), encoding="utf-8")
        os.replace(beside, remembered)
    except OSError as error:
        raise click.ClickException(f"For the next run nothing could be remembered, --state says where: {error}") from error
