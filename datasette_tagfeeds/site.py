"""The site of one Datasette: its settings, checked once at start-up, with all that serving them needs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from jinja2 import Environment, Template, TemplateError, TemplateNotFound

from . import compat, duplicates, store
from .checks import Problems, nearest
from .config import ROOT, Settings, load
from .discover import Reason
from .errors import ConfigError, Unavailable
from .health import Health, health
from .model import Source
from .postings.state import Indexing
from .reads import WrongSQL
from .store import Store

if TYPE_CHECKING:
    from datasette.app import Datasette

NAME = "datasette-tagfeeds"
DEFAULT_PATH = "/tags"
# Seconds that start-up, or a request, waits for discovery.
PATIENCE = 2

_SITES: WeakKeyDictionary[Datasette, Site] = WeakKeyDictionary()


@dataclass(frozen=True)
class Site:
    """What is served: the settings, also as they were given, the entry template of each source that has one, when any of it
    changed, the versions of the databases' tables that it was made for, and what their indexes are worth for each source."""

    settings: Settings
    given: Mapping[str, Any]
    title: str
    templates: dict[str, Template]
    modified: int | None
    tables: Mapping[str, object]
    indexing: Mapping[str, Indexing]

    async def health(self, store: Store, left_out: Iterable[tuple[str, str, str]], base: str) -> Health:
        """The health of what the store's actor may see."""
        return await health(store, self.settings, self.given, left_out, base, version(NAME), self.indexing)


async def site(datasette: Datasette) -> Site:
    """The site, made at start-up or, where that was too short or skipped, now.

    Raises ConfigError naming every problem, and Unavailable while large databases are still being looked through.
    """
    kept, tables = _SITES.get(datasette), store.fingerprint(datasette)
    if (
        kept
        and all(version is None or kept.tables.get(name) == version for name, version in tables.items())
        and len(tables) == len(kept.tables)
    ):
        return kept
    try:
        _SITES[datasette] = await asyncio.wait_for(_make(datasette), PATIENCE)
    except asyncio.TimeoutError as error:
        raise Unavailable("The databases are still being looked through for tags. Try again in a moment.") from error
    except ConfigError as error:
        if not kept:
            raise
        # Tables have changed so that the settings no longer fit: what still works goes on, health names the rest.
        print(error, file=sys.stderr)
        _SITES[datasette] = replace(kept, tables=tables)
    return _SITES[datasette]


async def start(datasette: Datasette) -> None:
    """Make the site at start-up: with settings, however long it takes, so that wrong ones stop Datasette; else as far as it goes soon."""
    if datasette.plugin_config(NAME):
        _SITES[datasette] = await _make(datasette)
        return
    with suppress(Unavailable):
        await site(datasette)


def path(datasette: Datasette) -> str:
    """The base path. A database called like the default one keeps its page, and ours move to /-/tags."""
    block = datasette.plugin_config(NAME)
    given = block.get("path") if isinstance(block, dict) else None
    if isinstance(given, str):
        return given
    return f"/-{DEFAULT_PATH}" if _taken(datasette, DEFAULT_PATH) else DEFAULT_PATH


def _taken(datasette: Datasette, path: str) -> str | None:
    """The database whose pages the path would hide."""
    first = path.split("/")[1]
    return next((name for name, database in datasette.databases.items() if database.route == first), None)


async def _make(datasette: Datasette) -> Site:
    problems, tables = Problems(), store.fingerprint(datasette)
    duplicates.note(problems)
    settings = load(datasette.plugin_config(NAME), await store.schemas(datasette), problems)
    if settings.ping_every and not (settings.hub and settings.base_url):
        problems.add(f"{ROOT}.ping_every", "needs the settings hub and base_url: whom to tell, and where feeds are")
    if settings.ping_every and not compat.can_supervise(datasette):
        problems.add(f"{ROOT}.ping_every", "needs Datasette 1.0; on this one, run `datasette tagfeeds ping` from time to time")
    if settings.path and (database := _taken(datasette, settings.path)):
        problems.add(f"{ROOT}.path", f"{settings.path} would hide the pages of the database {database!r}")
    sources, left_out = [], dict(settings.left_out)
    for source in settings.sources:
        try:
            sources.append(replace(source, reads=await store.tables_read(datasette, source) | {source.table}))
        except WrongSQL as error:
            if source.is_discovered:
                left_out[source.database, source.table] = Reason(f"SQLite says: {error}")
            else:
                path = f"{ROOT}.sources.{source.name}"
                problems.add(f"{path}.{error.setting}" if error.setting else path, f"SQLite says: {error}")
    templates = _templates(compat.template_environment(datasette), sources, problems)
    if problems.found:
        raise ConfigError("\n".join(["datasette-tagfeeds cannot serve these settings:", *(f"  {one}" for one in problems.found)]))
    title = settings.title or await compat.instance_title(datasette) or "Datasette"
    given = datasette.plugin_config(NAME)
    indexing = await store.indexing(datasette, sources)
    sources = [replace(source, indexed=indexing[source.name].number) for source in sources]
    settings = replace(settings, sources=tuple(sources), left_out=left_out)
    return Site(settings, given if isinstance(given, dict) else {}, title, templates, _modified(datasette), tables, indexing)


def _modified(datasette: Datasette) -> int | None:
    """When the settings, templates or this package last changed, in Unix seconds; None where settings are in no file."""
    settings = list(duplicates.files())
    if datasette.plugin_config(NAME) and not any(path.exists() for path in settings):
        return None
    folders = [Path(__file__).parent, *([Path(datasette.template_dir)] if datasette.template_dir else [])]
    paths = [*settings, *(path for folder in folders for path in folder.rglob("*") if path.suffix != ".pyc")]
    return max(int(path.stat().st_mtime) for path in paths if path.is_file())


def _templates(environment: Environment, sources: Iterable[Source], problems: Problems) -> dict[str, Template]:
    found = {}
    for source in sources:
        names = [source.template] if source.template else [f"tagfeeds-entry-{source.name}.html", "tagfeeds-entry.html"]
        try:
            if template := _first_template(environment, names):
                found[source.name] = template
            elif source.template:
                known = [name for name in environment.list_templates() if name.startswith("tagfeeds-entry")]
                problems.add(f"{ROOT}.sources.{source.name}.template", f"no template {source.template!r}{nearest(source.template, known)}")
        except TemplateError as error:
            problems.add(f"{ROOT}.sources.{source.name}.template", f"{getattr(error, 'name', None) or names[0]}: {error}")
    return found


def _first_template(environment: Environment, names: Iterable[str]) -> Template | None:
    for name in names:
        try:
            return environment.get_template(name)
        except TemplateNotFound as error:
            if error.name != name:  # it exists, and extends one that does not
                raise
    return None
