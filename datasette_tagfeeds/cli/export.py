"""datasette tagfeeds export: a site as a folder of files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from datasette.utils.asgi import Request

from ..edge import changes
from ..edge.asking import Asker
from ..edge.export import Exporter
from ..edge.folder import Folder
from ..web.visit import visit
from .given import Given, answered, below, instance, prefix
from .since import compare

# A page may take its time: it is made once, for nobody who waits. In milliseconds.
UNHURRIED = {"sql_time_limit_ms": 60_000}


def options(command: Callable[..., None]) -> Callable[..., None]:
    """The options and the argument of `export`, but for the files."""
    for option in (
        click.option(
            "--relative", is_flag=True, help="Link pages with each other by relative addresses, so that they work from a disk too"
        ),
        prefix,
        click.argument("folder", type=click.Path(file_okay=False, path_type=Path)),
    ):
        command = option(command)
    return command


def export(folder: Path, files: tuple[str, ...], given: Given, template_dir: str | None, prefix: str, relative: bool) -> None:
    """Write the index, every tag's page and every tag's feeds into FOLDER, for a host that serves files.

    The next run writes what changed, and takes away what is no more. The setting base_url must say where the folder is served.
    """
    datasette = instance(files, given, template_dir=template_dir, settings={**below(prefix), **UNHURRIED})
    try:
        answered(_export(Folder(folder, "relative" if relative else "whole"), datasette, relative))
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error}") from error


async def _export(folder: Folder, datasette: Any, relative: bool) -> None:
    found = await compare(datasette, changes.read(folder.remembered))
    where = found.addresses
    if found.state.failing:
        raise click.ClickException("What cannot be read cannot be exported. Nothing is written or taken away; mend it, and run it again.")
    exporter = Exporter(Asker(datasette), where, folder, relative)
    aliases = await (await visit(Request.fake("/"), datasette)).aliases()
    jobs = exporter.jobs(found.state, found.changes, aliases)
    with folder.open():
        with click.progressbar(length=len(jobs), label="Exporting") as bar:
            await exporter.run(jobs, bar.update)
        removed = folder.finish(found.state.text())
    click.echo(f"{folder.count:,} files: {folder.written:,} written, {removed:,} taken away.")
    for line in exporter.left_out:
        click.echo(f"Left out: {line}", err=True)
    if elsewhere := [source.name for source in found.site.settings.sources if "link" not in source.written]:
        click.echo(
            f"Items of {', '.join(elsewhere)} link to Datasette's own pages, which are not files: the setting link says where else they are."
        )
