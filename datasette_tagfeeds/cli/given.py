"""What commands are given: database files, and the settings that they are served with."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import IO, Any, NamedTuple, TypeVar
from urllib.parse import quote

import click
from datasette import app
from datasette.utils import BadMetadataError, parse_metadata
from datasette.utils.asgi import Forbidden

from ..errors import TagfeedsError

Answer = TypeVar("Answer")

files = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
prefix = click.option(
    "--prefix", default="/", metavar="PATH", help="The path below which you serve, such as /notes/: Datasette's own setting base_url"
)
templates = click.option("--template-dir", type=click.Path(exists=True, file_okay=False), help="The templates that you serve with")


class Given(NamedTuple):
    """The files that settings stand in, open, as `datasette serve` takes them; None for none."""

    metadata: IO[str] | None
    config: IO[str] | None


class Written(NamedTuple):
    """What stands in them."""

    metadata: Mapping[str, Any] | None
    config: Mapping[str, Any] | None


def settings_files(command: Callable[..., None]) -> Callable[..., None]:
    """Add --metadata and --config; the command takes them as `given`."""

    @click.option("-c", "--config", type=click.File(), help="The datasette.yaml that you serve with, on Datasette 1.0")
    @click.option("-m", "--metadata", type=click.File(), help="The metadata.yml with your settings")
    @wraps(command)
    def with_given(metadata: IO[str] | None, config: IO[str] | None, **rest: Any) -> None:
        command(given=Given(metadata, config), **rest)

    return with_given


def instance(files: tuple[str, ...], given: Given, **options: Any) -> Any:
    """A Datasette that would serve these files, with further options of its own. Raises click.ClickException where the settings are no YAML or JSON."""
    return serving(files, written_in(given), **options)


def serving(files: tuple[str, ...], written: Written, **options: Any) -> Any:
    """A Datasette that would serve these files with these settings."""
    if written.config is not None:
        options["config"] = written.config
    try:
        return app.Datasette(list(files), metadata=written.metadata, **options)
    except TypeError as error:
        if written.config is None or "config" not in str(error):
            raise
        raise click.ClickException("--config is for Datasette 1.0. On this one, give the settings with --metadata.") from error


def below(prefix: str) -> dict[str, str]:
    """Datasette's settings for a site that is served below a path, which is encoded as addresses have it (RFC 3986 §3.3)."""
    path = quote(prefix.strip("/"), safe="/~%:@!$&'()*+,;=")
    return {"base_url": f"/{path}/" if path else "/"}


def answered(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """What a Datasette answers. Raises click.ClickException where a file is no database, cannot be read now, or is for nobody here."""
    try:
        return asyncio.run(asked)
    except sqlite3.Error as error:
        raise click.ClickException(f"SQLite says: {error}") from error
    except TagfeedsError as error:
        raise click.ClickException(str(error)) from error
    except Forbidden as error:
        raise click.ClickException("Nothing here is for everyone to see.") from error


def written_in(given: Given) -> Written:
    """What stands in the files of settings. Raises click.ClickException where one is no YAML or JSON."""
    return Written(*map(_parsed, given))


def _parsed(file: IO[str] | None) -> Mapping[str, Any] | None:
    try:
        return parse_metadata(file.read()) if file else None
    except BadMetadataError as error:
        raise click.ClickException(f"{file.name if file else ''}: {error}") from error
