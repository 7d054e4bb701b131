"""datasette tagfeeds check, settings and index: the health page in a terminal, and the index of a file."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from time import perf_counter
from typing import Any, NamedTuple

import click
from datasette import app
from datasette.utils import BadMetadataError, parse_metadata

from . import site
from .health import Health, Notice, written
from .model import Source
from .postings import build, layout, state
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
    tagfeeds.command()(_files(_metadata(_ways(index))))


def _ways(command: Callable[..., None]) -> Callable[..., None]:
    for name, words in (
        ("--drop", "Take the index away, with every trace of it"),
        ("--check", "Compare the index with the tables; exit code 1 where they differ"),
        ("--online", "Index in short steps, for a file that other programs are writing to"),
    ):
        command = click.option(name, is_flag=True, help=words)(command)
    return command


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


class File(NamedTuple):
    """A database file, its sources that can be indexed, and why the others cannot: (source, reason)."""

    path: str
    sources: list[Source]
    others: list[tuple[str, str]]


def index(files: tuple[str, ...], metadata: Any, drop: bool, check: bool, online: bool) -> None:
    """Index the tags of these files, so that feeds and pages take no longer for a million rows than for a hundred.

    The index stands in the file itself, and triggers keep it true, whichever program writes. Give the settings that you serve with.
    """
    if drop + check + online > 1:
        raise click.UsageError("--drop, --check and --online exclude each other.")
    work = _drop if drop else _check if check else _build_online if online else _build
    try:
        _recover(files)
        for file in asyncio.run(_described(_datasette(files, metadata))):
            with closing(build.connect(file.path)) as connection:
                work(connection, file)
    except sqlite3.Error as error:
        raise click.ClickException(f"SQLite says: {error}") from error


def _recover(files: tuple[str, ...]) -> None:
    """Take back what a process that was killed has half written. Datasette, which only reads, could not, and would find nothing."""
    for path in files:
        with closing(build.connect(path)) as connection:
            connection.execute("select count(*) from sqlite_master")


async def _described(datasette: Any) -> list[File]:
    await datasette.invoke_startup()
    here = await site.site(datasette)
    found = []
    for name, database in datasette.databases.items():
        mine = [source for source in here.settings.sources if source.database == name]
        if database.path:
            reasons = {source.name: here.indexing[source.name].reason for source in mine}
            others = [(name, reason) for name, reason in reasons.items() if reason]
            found.append(File(str(database.path), [one for one in mine if not reasons[one.name]], others))
    return found


def _drop(connection: sqlite3.Connection, file: File) -> None:
    connection.execute("begin immediate")
    build.drop(connection)
    connection.execute("commit")
    click.echo(f"{file.path}: no index is left.")


def _check(connection: sqlite3.Connection, file: File) -> None:
    there = {name: number for name, (number, _) in layout.numbers(connection).items()}
    indexed = [state.numbered(source, there[source.name]) for source in file.sources if source.name in there]
    if not indexed:
        raise click.ClickException(f"{file.path} has no index.")
    differences = list(build.check(connection, indexed))
    for name, missing, wrong in differences:
        click.echo(f"{name}: {missing:,} missing, {wrong:,} wrong")
    if any(missing or wrong for _, missing, wrong in differences):
        raise SystemExit(1)


def _build(connection: sqlite3.Connection, file: File) -> None:
    _fill(connection, file, build.build, "Until it is done, nobody else can write to the file.")


def _build_online(connection: sqlite3.Connection, file: File) -> None:
    _fill(connection, file, build.build_online, "Others can write meanwhile, and wait for some 50 ms now and then.")


def _fill(connection: sqlite3.Connection, file: File, work: Any, words: str) -> None:
    for name, reason in file.others:
        click.echo(f"{name} is not indexed, because {reason}.")
    if not file.sources:
        click.echo(f"{file.path}: nothing to index.")
        return
    rows = sum(build.items(connection, source) for source in file.sources)
    click.echo(
        f"{file.path}: {rows:,} rows of {', '.join(one.name for one in file.sources)}, about {build.estimate(connection, file.sources):.1f} s. {words}"
    )
    start = perf_counter()
    with click.progressbar(length=rows, label="Indexing") as bar:
        work(connection, file.sources, bar.update)
    click.echo(f"Indexed in {perf_counter() - start:.1f} s.")


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
