"""datasette tagfeeds check and datasette tagfeeds settings: the health page in a terminal."""

import asyncio
from collections.abc import Iterator
from typing import Any

import click
from datasette import app
from datasette.utils import BadMetadataError, parse_metadata

from . import site
from .health import Health, Notice, written
from .store import Store, now

# What keeps items from readers; all else is advice.
PROBLEMS = frozenset(["unreadable", "nothing_found", "broken", "duplicate_ids", "undated", "too_slow"])

_files = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
_metadata = click.option("-m", "--metadata", type=click.File(mode="r"), help="The metadata.yml with your settings")


def register(cli: Any) -> None:
    """Add the group `tagfeeds` to Datasette's commands."""

    @cli.group()  # type: ignore[untyped-decorator,unused-ignore]
    def tagfeeds() -> None:
        """Feeds and pages for the tags in your databases"""

    tagfeeds.command()(_files(_metadata(check)))
    tagfeeds.command()(_files(_metadata(settings)))


def check(files: tuple[str, ...], metadata: Any) -> None:
    """Say what was found in these databases, what is wrong, and what to do; exit code 1 where items are kept from readers."""
    report = asyncio.run(_health(_datasette(files, metadata)))
    for line in lines(report):
        click.echo(line)
    if any(one.code in PROBLEMS for one in report.all_warnings):
        raise SystemExit(1)


def settings(files: tuple[str, ...], metadata: Any) -> None:
    """Print the settings that say what was found, as YAML for metadata.yml"""
    click.echo(asyncio.run(_settings(_datasette(files, metadata))), nl=False)


def _datasette(files: tuple[str, ...], metadata: Any) -> Any:
    try:
        return app.Datasette(list(files), metadata=parse_metadata(metadata.read()) if metadata else None)
    except BadMetadataError as error:
        raise click.ClickException(f"{metadata.name}: {error}") from error


async def _health(datasette: Any) -> Health:
    await datasette.invoke_startup()
    here = await site.site(datasette)
    left_out = ((database, table, reason.sentence) for (database, table), reason in here.settings.left_out.items())
    return await here.health(Store(datasette, here.settings.sources, now()), left_out, "https://example.org")


async def _settings(datasette: Any) -> str:
    await datasette.invoke_startup()
    here = await site.site(datasette)
    return written(here.given, here.settings.sources)


def lines(report: Health) -> Iterator[str]:
    """The health as lines of text."""
    for source in report.sources:
        yield f"{source.label}: {_number(source.items)} items, {source.tags_count:,} tags"
        yield f"  {source.database} / {source.table}, tags by {source.shape}: {source.tags}"
        yield f"  {'; '.join(f'{name} = {value}' for name, value in source.fields.items())}"
        if source.where:
            yield f"  where {source.where}"
        counted = {"undated": source.undated, "future": source.future, "untitled": source.untitled, "broken": source.broken}
        yield f"  {', '.join(f'{_number(count)} {name}' for name, count in counted.items())}"
    for notice in report.all_warnings:
        yield from _notice(notice)
    if report.left_out:
        yield ""
        yield "Not used:"
        yield from (f"  {database} / {table}: {reason}" for database, table, reason in report.left_out)


def _notice(notice: Notice) -> Iterator[str]:
    yield ""
    yield f"{'Problem' if notice.code in PROBLEMS else 'Advice'}: {notice.message}"
    yield from (f"  {line}" for line in notice.remedy.splitlines())


def _number(count: int | None) -> str:
    return f"{count:,}" if count is not None else "uncounted"
