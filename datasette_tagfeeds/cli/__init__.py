"""The commands `datasette tagfeeds …`, each a module."""

from typing import Any

from .given import files, metadata
from .indexing import index, ways
from .publication import publishing
from .reports import check, settings


def register(cli: Any) -> None:
    """Add the group `tagfeeds` to Datasette's commands."""

    @cli.group()  # type: ignore[untyped-decorator,unused-ignore]
    def tagfeeds() -> None:
        """Feeds and pages for the tags in your databases"""

    tagfeeds.command()(files(metadata(publishing(check))))
    tagfeeds.command()(files(metadata(settings)))
    tagfeeds.command()(files(metadata(ways(index))))
