"""datasette tagfeeds check --publish: what to mend before the files and their settings go to another machine."""

import re
import shlex
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import click
from datasette.utils.asgi import Forbidden

from .. import site, store
from ..health import Health, Notice
from ..model import Schema, Source
from ..postings.state import Indexing
from ..sql import literal
from ..web import access
from . import wal

# What is to be mended before publishing; the first three are advice elsewhere.
CODES = frozenset(["no_base_url", "stale_index", "slow", "large", "dates_in_settings", "secrets", "wal", "hidden_tables"])
# More items than this are not published without an index, however quick this machine is.
MANY = 10_000
WITH_SETTINGS = "  # with -m metadata.yml, where you have settings"
# Names of settings whose values are secrets, in every plugin's block.
_SECRET = re.compile(r"secret|passw|token|credential|(?:api|access|private|signing|account)[-_]?key|(?:^|[-_])(?:dsn|pat)$", re.I)
# What names a secret, or a place where it stands, instead of holding it.
_ELSEWHERE = re.compile(r"[-_](?:id|url|file|path|command|name|table|column|type)$", re.I)
_NAME_AND_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.I)


def publishing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option --publish."""
    return click.option("--publish", is_flag=True, help="Say also what to mend before publishing; exit code 1 where there is something")(
        command
    )


def of_the_settings(settings: object) -> Iterator[Notice]:
    """What `datasette publish` cannot take along, and what nobody should read, in a file of settings."""
    leaves = list(_leaves(settings, ()))
    if dates := [path for path, value in leaves if isinstance(value, date)]:
        message = f"{', '.join(map('.'.join, dates))}: dates, which datasette publish cannot write into its metadata.json; it stops."
        yield Notice("dates_in_settings", message, "Put them into quotes.")
    if secrets := [path for path, value in leaves if isinstance(value, str) and _is_secret(path, value)]:
        message = (
            f"{', '.join(map('.'.join, secrets))}: published in plain text, and Datasette 0.65 shows it to everyone at /-/metadata.json."
        )
        remedy = f"Write {secrets[0][-1]}: {{$env: {_variable(secrets[0])}}}, and set that variable where Datasette runs."
        yield Notice("secrets", message, remedy)


async def of_the_files(datasette: Any, report: Health) -> list[Notice]:
    """What to mend in the files, and in how the site serves them."""
    here, schemas = await site.site(datasette), await store.schemas(datasette)
    found = [*_large(datasette, report, here.indexing), *_trusted(here.settings.sources)]
    for name, database in datasette.databases.items():
        if name in schemas and database.path:
            found += _beside(Path(database.path))
            found += await _hidden(datasette, name, Path(database.path), schemas[name])
    return found


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """(path, value) of all that is no map and no list. What the environment holds, or a file beside, is left out."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key not in ("$env", "$file"):
                yield from _leaves(one, (*path, str(key)))
            if isinstance(key, date):
                yield (*path, str(key)), key
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(one, (*path, str(number)))
    else:
        yield path, value


def _is_secret(path: tuple[str, ...], value: str) -> bool:
    # The keys of our aliases are tags, such as `token`.
    if "plugins" not in path or path[-2:-1] == ("aliases",) or not value.strip():
        return False
    named = next(name for name in reversed(path) if not name.isdecimal())
    return bool(_NAME_AND_PASSWORD.match(value) or (_SECRET.search(named) and not _ELSEWHERE.search(named)))


def _variable(path: tuple[str, ...]) -> str:
    """A name for the variable that holds a setting, like those of `datasette publish --plugin-secret`."""
    return re.sub(r"\W+", "_", "_".join(path[path.index("plugins") + 1 :])).upper()


def _large(datasette: Any, report: Health, indexing: Mapping[str, Indexing]) -> Iterator[Notice]:
    for one in report.sources:
        if (one.items or 0) > MANY and indexing[one.name] == Indexing() and "slow" not in {notice.code for notice in one.warnings}:
            path = shlex.quote(str(datasette.databases[one.database].path))
            message = (
                f"{one.name} has {one.items:,} items and no index. A published site has a slower machine than yours, and many readers."
            )
            yield Notice("large", message, f"datasette tagfeeds index {path}{WITH_SETTINGS}")


def _trusted(sources: Iterable[Source]) -> Iterator[Notice]:
    for one in sources:
        if one.trusted:
            message = f"Feeds carry the HTML of {one.name} as it stands, scripts too, since it is trusted."
            yield Notice("trusted", message, f"Nothing where you wrote all of {one.table}; else take trusted away.")


def _beside(path: Path) -> Iterator[Notice]:
    if wal.is_ahead(path):
        message = f"{wal.log_of(path).name} beside {path.name} holds changes that {path.name} has not yet. A copy of it alone misses them."
        yield Notice("wal", message, f'sqlite3 {shlex.quote(str(path))} "pragma wal_checkpoint(truncate)"')


async def _hidden(datasette: Any, name: str, path: Path, schema: Schema) -> list[Notice]:
    """The tables that only permissions keep from everyone. They would lie on another machine, whole."""
    tables = {table for table, one in schema.items() if not one.is_view} | set(_virtual(path))
    seen = await access.tables(datasette, None, ((name, table) for table in tables))
    hidden = sorted(table for table in tables if not seen[name, table][0])
    if not hidden:
        return []
    read = "" if not await _anyone_runs_sql(datasette, name) else " Everyone may run SQL of their own on it, and reads them so already."
    message = f"{path.name} holds tables that not everyone may see: {', '.join(hidden)}. Whoever gets the file gets them.{read}"
    return [Notice("hidden_tables", message, _without(path, hidden, schema))]


def _virtual(path: Path) -> list[str]:
    """The virtual tables of a file, such as full-text indexes, which may hold rows of their own."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute("select name from sqlite_master where type = 'table' and sql like 'create virtual%'")]


async def _anyone_runs_sql(datasette: Any, name: str) -> bool:
    try:
        await access.ensure_execute_sql(datasette, None, [name])
    except Forbidden:
        return False
    return True


def _without(path: Path, hidden: list[str], schema: Schema) -> str:
    """How to publish a copy without some tables. It has the file's name, which is in permissions and in the ids of entries."""
    folder = path.parent / "public"
    file, copy = shlex.quote(str(path)), shlex.quote(str(folder / path.name))
    # Within double quotes, which leave SQL's own as they are.
    into = re.sub(r'(["$`\\])', r"\\\1", f"vacuum into {literal(folder / path.name)}")
    searched = [index for table in hidden if table in schema and (index := schema[table].search)]
    return "\n".join(
        [
            "Publish a copy without them, or do not publish:",
            f"mkdir {shlex.quote(str(folder))}",
            f'sqlite3 {file} "{into}"',
            f"datasette tagfeeds index --drop {copy}",
            *(f"sqlite-utils drop-table {copy} {shlex.quote(table)}" for table in dict.fromkeys([*searched, *hidden])),
            f"sqlite-utils vacuum {copy}",
            f"datasette tagfeeds index {copy}{WITH_SETTINGS}",
        ]
    )
