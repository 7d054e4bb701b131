"""datasette tagfeeds check and settings: the health page in a terminal."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click

from .. import site
from ..health import Health, Notice, written
from ..store import Store, now
from . import publication
from .given import Given, Written, answered, instance, serving, written_in

# What keeps items from readers; all else is advice.
PROBLEMS = frozenset(["unreadable", "nothing_found", "broken", "duplicate_ids", "undated", "too_slow"])


def check(files: tuple[str, ...], given: Given, publish: bool) -> None:
    """Say what was found in these databases, what is wrong, and what to do; exit code 1 where items are kept from readers.

    With --publish also what to mend before the files go to another machine: then that ends with 1 too.
    """
    settings = written_in(given)
    report = answered(_publication(files, settings) if publish else _health(serving(files, settings)))
    problems = PROBLEMS | publication.CODES if publish else PROBLEMS
    for line in lines(report, problems):
        click.echo(line)
    if any(one.code in problems for one in report.all_warnings):
        raise SystemExit(1)


def settings(files: tuple[str, ...], given: Given) -> None:
    """Print the settings that say what was found, as YAML for metadata.yml"""
    click.echo(answered(_settings(instance(files, given))), nl=False)


async def _health(datasette: Any) -> Health:
    await datasette.invoke_startup()
    here = await site.site(datasette)
    left_out = ((database, table, reason.sentence) for (database, table), reason in here.settings.left_out.items())
    return await here.health(Store(datasette, here.settings.sources, now()), left_out, "https://example.org")


async def _publication(files: tuple[str, ...], settings: Written) -> Health:
    """The health, with what to mend before publishing."""
    of_the_settings = [notice for part in settings for notice in publication.of_the_settings(part)]
    datasette = serving(files, settings)
    report = await _health(datasette)
    found = await publication.of_the_files(datasette, report)
    return replace(report, warnings=(*report.warnings, *of_the_settings, *found))


async def _settings(datasette: Any) -> str:
    await datasette.invoke_startup()
    here = await site.site(datasette)
    return written(here.given, here.settings.sources)


def lines(report: Health, problems: frozenset[str] = PROBLEMS) -> Iterator[str]:
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
        yield from _notice(notice, notice.code in problems)
    if report.left_out:
        yield ""
        yield "Not used:"
        yield from (f"  {database} / {table}: {reason}" for database, table, reason in report.left_out)


def _notice(notice: Notice, is_problem: bool) -> Iterator[str]:
    yield ""
    yield f"{'Problem' if is_problem else 'Advice'}: {notice.message}"
    yield from (f"  {line}" for line in notice.remedy.splitlines())


def _number(count: int | None) -> str:
    return f"{count:,}" if count is not None else "uncounted"
