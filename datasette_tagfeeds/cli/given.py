"""What commands are given: database files, and the settings that they are served with."""

import asyncio
import sqlite3
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import click
from datasette import app
from datasette.utils import BadMetadataError, parse_metadata

from ..errors import TagfeedsError

Answer = TypeVar("Answer")

files = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
metadata = click.option("-m", "--metadata", type=click.File(mode="r"), help="The metadata.yml with your settings")
prefix = click.option(
    "--prefix", default="/", metavar="PATH", help="The path below which you serve, such as /notes/: Datasette's own setting base_url"
)
templates = click.option("--template-dir", type=click.Path(exists=True, file_okay=False), help="The templates that you serve with")


def instance(files: tuple[str, ...], metadata: Any, **options: Any) -> Any:
    """A Datasette that would serve these files, with further options of its own. Raises click.ClickException where the settings are no YAML or JSON."""
    return serving(files, written_in(metadata), **options)


def serving(files: tuple[str, ...], given: Mapping[str, Any] | None, **options: Any) -> Any:
    """A Datasette that would serve these files with these settings."""
    return app.Datasette(list(files), metadata=given, **options)


def below(prefix: str) -> dict[str, str]:
    """Datasette's settings for a site that is served below a path."""
    path = prefix.strip("/")
    return {"base_url": f"/{path}/" if path else "/"}


def answered(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """What a Datasette answers. Raises click.ClickException where a file is no database, or cannot be read now."""
    try:
        return asyncio.run(asked)
    except sqlite3.Error as error:
        raise click.ClickException(f"SQLite says: {error}") from error
    except TagfeedsError as error:
        raise click.ClickException(str(error)) from error


def written_in(metadata: Any) -> Any:
    """What stands in the file of settings, None without one. Raises click.ClickException where it is no YAML or JSON."""
    try:
        return parse_metadata(metadata.read()) if metadata else None
    except BadMetadataError as error:
        raise click.ClickException(f"{metadata.name}: {error}") from error
