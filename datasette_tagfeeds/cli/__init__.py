"""The commands `datasette tagfeeds …`, each a module."""

from typing import Any

import click

from . import export as exporting
from . import ping as pinging
from . import purge as purging
from .given import files, settings_files, templates
from .indexing import index, ways
from .publication import publishing
from .reports import check, settings
from .tokens import signing, token


def register(cli: Any) -> None:
    """Add the group `tagfeeds` to Datasette's commands."""

    @cli.group()  # type: ignore[untyped-decorator,unused-ignore]
    def tagfeeds() -> None:
        """Feeds and pages for the tags in your databases"""

    tagfeeds.command()(files(settings_files(publishing(check))))
    tagfeeds.command()(files(settings_files(settings)))
    tagfeeds.command()(files(settings_files(ways(index))))
    tagfeeds.command()(files(settings_files(templates(purging.options(purging.purge)))))
    tagfeeds.command()(exporting.options(files(settings_files(templates(exporting.export)))))
    tagfeeds.command()(files(settings_files(templates(pinging.state(pinging.ping)))))
    tagfeeds.command()(click.argument("expression")(files(settings_files(signing(token)))))
