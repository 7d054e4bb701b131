"""datasette tagfeeds purge: what caches in front must forget."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from ..edge import caches, sending, topics
from .given import Given, instance
from .since import Compared, compared, remember


def options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of `purge`."""
    for option in (
        click.option("--state", type=click.Path(dir_okay=False), help="Where the last run is remembered; by default beside the first file"),
        click.option(
            "--since", multiple=True, type=click.Path(exists=True, dir_okay=False), help="Compare with this older version of a file"
        ),
        click.option("--addresses", is_flag=True, help="Print addresses instead of keys"),
        click.option("--send", metavar="URL", help="Tell the cache at this address, in the way of the setting purge_header"),
        click.option("--header", multiple=True, metavar="NAME:VALUE", help="Send this header too, such as a key to the cache"),
    ):
        command = option(command)
    return command


def purge(
    files: tuple[str, ...],
    given: Given,
    template_dir: str | None,
    state: str | None,
    since: tuple[str, ...],
    addresses: bool,
    send: str | None,
    header: tuple[str, ...],
) -> None:
    """Print the purge keys of all that changed since the last run, one a line, or send them to a cache.

    The first run, and one after settings or templates changed, says that everything changed: tagfeeds. With --since, files are compared
    with older versions of them, given in the same order, and nothing is remembered.
    """
    remembered = Path(state or f"{files[0]}-purged.json")
    datasette = instance(files, given, template_dir=template_dir)
    found = compared(datasette, remembered, _versions(datasette, files, since))
    if send:
        _send(found, send, header)
    else:
        for line in _addresses(found) if addresses else caches.purged(found.changes):
            click.echo(line)
    if not since:
        remember(remembered, found.state)


def _versions(datasette: Any, files: tuple[str, ...], since: tuple[str, ...]) -> dict[str, str] | None:
    """The older files, by the names of the databases that they were."""
    if since and len(since) != len(files):
        raise click.UsageError("--since is needed once for each file, in the same order.")
    older = dict(zip(files, since, strict=False))
    return {name: older[str(database.path)] for name, database in datasette.databases.items() if str(database.path) in older} or None


def _addresses(found: Compared) -> Iterator[str]:
    where = found.addresses
    return (where.absolute(path) for path in (*topics.pages(where, found.changes), *topics.feeds(where, found.changes)))


def _send(found: Compared, url: str, headers: tuple[str, ...]) -> None:
    name, keys = found.site.settings.purge_header, caches.purged(found.changes)
    if not name:
        raise click.ClickException("The setting purge_header is needed: it says which cache is told, and how.")
    said = {name.strip(): value.strip() for name, _, value in (one.partition(":") for one in headers)}
    try:
        sending.send(caches.calls(name, url, said, keys))
    except sending.Refused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(keys)} key{'' if len(keys) == 1 else 's'} sent.")
