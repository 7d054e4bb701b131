"""datasette-tagfeeds: Atom feeds and pages for the tags in any SQLite database. This module holds hooks only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pluggy import HookimplMarker

from . import cli as commands
from . import dates, site
from .sources import delimited
from .web import views
from .web.answers import View

if TYPE_CHECKING:
    from datasette.app import Datasette


hookimpl = HookimplMarker("datasette")


@hookimpl
def startup(datasette: Datasette) -> Callable[[], Awaitable[None]]:
    """Check the settings before anything is served."""

    async def check() -> None:
        await site.start(datasette)

    return check


@hookimpl
def register_commands(cli: Any) -> None:
    """datasette tagfeeds check, datasette tagfeeds settings."""
    commands.register(cli)


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Every connection can normalise dates and take lists of tags apart."""
    dates.register(conn)
    delimited.register(conn)


@hookimpl
def register_routes(datasette: Datasette) -> list[tuple[str, View]]:
    """Everything below the base path is ours."""
    base = re.escape(site.path(datasette))
    return [
        (r"^/-/tagfeeds$", views.health),
        (r"^/-/tagfeeds\.json$", views.health_json),
        (rf"^{base}$", views.tags),
        (rf"^{base}\.json$", views.tags_json),
        (rf"^{base}\.opml$", views.tags_opml),
        (rf"^{base}(?:\.feed)?\.(?P<format>(?<=feed\.)json|(?<!feed\.)(?:atom|rss))$", views.everything),
        (rf"^{base}/(?P<segment>[^/]+)$", views.tag),
        (rf"^{base}/(?P<segment>[^/]+)/random$", views.random),
        (rf"^{base}/.*$", views.nothing),
    ]
