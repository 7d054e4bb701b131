"""What commands are given: database files, and the settings that they are served with."""

from typing import Any

import click
from datasette import app
from datasette.utils import BadMetadataError, parse_metadata

files = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
metadata = click.option("-m", "--metadata", type=click.File(mode="r"), help="The metadata.yml with your settings")


def instance(files: tuple[str, ...], metadata: Any, **options: Any) -> Any:
    """A Datasette that would serve these files, with further options of its own. Raises click.ClickException where the settings are no YAML or JSON."""
    try:
        return app.Datasette(list(files), metadata=parse_metadata(metadata.read()) if metadata else None, **options)
    except BadMetadataError as error:
        raise click.ClickException(f"{metadata.name}: {error}") from error
