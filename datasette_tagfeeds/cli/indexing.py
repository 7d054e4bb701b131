"""datasette tagfeeds index: the index of a file."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from time import perf_counter
from typing import Any, NamedTuple

import click

from .. import site
from ..model import Source
from ..postings import build, layout, state
from .given import Given, instance


def ways(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that do something else than indexing."""
    for name, words in (
        ("--drop", "Take the index away, with every trace of it"),
        ("--check", "Compare the index with the tables; exit code 1 where they differ"),
        ("--online", "Index in short steps, for a file that other programs are writing to"),
    ):
        command = click.option(name, is_flag=True, help=words)(command)
    return command


class File(NamedTuple):
    """A database file, its sources that can be indexed, and why the others cannot: (source, reason)."""

    path: str
    sources: list[Source]
    others: list[tuple[str, str]]


def index(files: tuple[str, ...], given: Given, drop: bool, check: bool, online: bool) -> None:
    """Index the tags of these files, so that feeds and pages take no longer for a million rows than for a hundred.

    The index stands in the file itself, and triggers keep it true, whichever program writes. Give the settings that you serve with.
    """
    if drop + check + online > 1:
        raise click.UsageError("--drop, --check and --online exclude each other.")
    work = _drop if drop else _check if check else _build_online if online else _build
    try:
        _recover(files)
        for file in asyncio.run(described(instance(files, given))):
            with closing(build.connect(file.path)) as connection:
                work(connection, file)
                if not check:
                    # In WAL mode what was written stands beside the file until then, and a copy of the file would go without it.
                    connection.execute("pragma wal_checkpoint(passive)")
    except sqlite3.Error as error:
        raise click.ClickException(f"SQLite says: {error}") from error


def _recover(files: tuple[str, ...]) -> None:
    """Take back what a process that was killed has half written. Datasette, which only reads, could not, and would find nothing."""
    for path in files:
        with closing(build.connect(path)) as connection:
            connection.execute("select count(*) from sqlite_master")


async def described(datasette: Any) -> list[File]:
    """The files of a Datasette, each with what can be indexed in it."""
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
