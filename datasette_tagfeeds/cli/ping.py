"""datasette tagfeeds ping: telling the hub which feeds have news."""

from pathlib import Path

import click

from ..edge import hub, sending, topics
from .given import Given, instance
from .since import compared, remember

state = click.option("--state", type=click.Path(dir_okay=False), help="Where the last run is remembered; by default beside the first file")


def ping(files: tuple[str, ...], given: Given, template_dir: str | None, state: str | None) -> None:
    """Tell the hub of the setting `hub` of the feeds that changed since the last run.

    The first run only remembers what there is, since nobody can have subscribed before.
    """
    remembered = Path(state or f"{files[0]}-pinged.json")
    found = compared(instance(files, given, template_dir=template_dir), remembered)
    where, address = found.addresses, found.site.settings.hub
    if not address:
        raise click.ClickException("The setting hub is needed: it says which hub to tell.")
    told = [where.absolute(path) for path in topics.feeds(where, found.changes, found.state.tags)] if found.known else []
    try:
        sending.send(hub.calls(address, told))
    except sending.Refused as error:
        raise click.ClickException(str(error)) from error
    for one in told:
        click.echo(one)
    if not found.known:
        click.echo("Remembered. From now on, the hub is told of what changes.")
    remember(remembered, found.state)
