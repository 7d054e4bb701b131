"""The health of a site: what was found, what is wrong with it, what to do about it, and the settings that say the same."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import yaml

from .config import Settings
from .errors import Broken, Unavailable
from .fields import Column
from .model import Source
from .postings.state import Indexing
from .relations import Selection
from .source_settings import COLUMNS, EXPRESSIONS
from .sql import quote
from .store import Store

# What an index is advised for, in milliseconds.
SLOW_MS = 100


@dataclass(frozen=True)
class Notice:
    """Something to look at: a code for programs, a sentence, and what to do."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True)
class SourceHealth:
    """One source: where it is, how its tags are stored, what its fields are, and how many of its rows are what. None: it took too long to count."""

    name: str
    label: str
    database: str
    table: str
    shape: str
    tags: object
    fields: Mapping[str, object]
    where: str | None
    items: int | None
    tags_count: int
    undated: int | None
    future: int | None
    untitled: int | None
    broken: int | None
    duplicate_ids: int | None
    indexed: bool
    warnings: tuple[Notice, ...]


@dataclass(frozen=True)
class Health:
    """The site as one actor may see it."""

    sources: tuple[SourceHealth, ...]
    left_out: tuple[tuple[str, str, str], ...]
    warnings: tuple[Notice, ...]
    settings: str
    version: str

    @property
    def all_warnings(self) -> tuple[Notice, ...]:
        """Those of the site and those of its sources."""
        return tuple(dict.fromkeys([*self.warnings, *(one for source in self.sources for one in source.warnings)]))

    def document(self) -> dict[str, Any]:
        """The health as JSON holds it (names only ever grow)."""
        left_out = [{"database": database, "table": table, "reason": reason} for database, table, reason in self.left_out]
        return {**asdict(self), "left_out": left_out}


async def health(
    store: Store,
    settings: Settings,
    given: Mapping[str, Any],
    left_out: Iterable[tuple[str, str, str]],
    base: str,
    version: str,
    indexing: Mapping[str, Indexing],
) -> Health:
    """The health of what the store's actor may see. `given` is the block of settings as it was written, `base` this server's address,
    `indexing` what the index is worth for each source."""
    tags = (await store.tag_list()).counts
    sources = [
        await _source(store, one, sum(one.name in tag.sources for tag in tags), indexing[one.name]) for one in store.sources.values()
    ]
    whole = len(store.sources) == len(settings.sources)
    return Health(
        tuple(sources),
        tuple(left_out),
        tuple(_of_the_site(store, settings, base)),
        written(given if whole else {}, store.sources.values()),
        version,
    )


def written(given: Mapping[str, Any], sources: Iterable[Source]) -> str:
    """YAML of the settings, with all that was found written out."""
    rest = {name: value for name, value in given.items() if name not in ("sources", "defaults", "discover") and value is not None}
    block = {**rest, "sources": {one.name: dict(one.written) for one in sources}}
    text: str = yaml.dump({"plugins": {"datasette-tagfeeds": block}}, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    return text


class _Plain(yaml.SafeDumper):
    """YAML without anchors, and with long texts as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


async def _source(store: Store, source: Source, tags: int, indexing: Indexing) -> SourceHealth:
    counts = await _counts(store, source)
    fields = {name: source.written[name] for name in (*EXPRESSIONS, *COLUMNS) if name in source.written}
    cost = await _cost(store, source)
    failing = store.memory.failing.get(source.name)
    return SourceHealth(
        name=source.name,
        label=source.label,
        database=source.database,
        table=source.table,
        shape=source.tags.shape,
        tags=source.written.get("tags") or {"sql": source.written.get("sql")},
        fields=fields,
        where=source.where,
        tags_count=tags,
        indexed=indexing.number is not None,
        warnings=(*_notices(source, counts, cost, failing), *(() if failing else _advice(source, counts, cost, indexing))),
        **counts,
    )


async def _counts(store: Store, source: Source) -> dict[str, int | None]:
    title, given_id = source.fields.get("title"), source.fields.get("id")
    names = ("items", "undated", "future", "untitled", "duplicate_ids", "broken")
    store.memory.failing.pop(source.name, None)
    try:
        found = await store.facts(
            source, title.name if isinstance(title, Column) else None, given_id.name if isinstance(given_id, Column) else None
        )
    except Broken as error:
        store.memory.failing[source.name] = str(error.__cause__)
        return dict.fromkeys(names)
    except Unavailable:
        return dict.fromkeys(names)
    return dict(zip(names, found, strict=True))


async def _cost(store: Store, source: Source) -> int | None:
    """The milliseconds that listing the newest items of the source takes, as a feed of all of it does; None where it takes too long."""
    start = perf_counter()
    try:
        await store.stream(Selection(types=frozenset([source.name])), 30)
    except Unavailable:
        return None
    return round(1000 * (perf_counter() - start))


def _notices(source: Source, counts: Mapping[str, int | None], milliseconds: int | None, failing: str | None) -> Iterator[Notice]:
    if failing:
        message = f"{source.name} cannot be read and is left out. SQLite says: {failing}"
        yield Notice("unreadable", message, "Mend the table, or the where or sql of the settings.")
        return
    for table, column in source.unindexed:
        if source.indexed is not None and table == source.table:
            continue
        name = quote(f"idx_{table}_{column}")
        message = f"{table} has no index on {column}. Each tag page reads the whole table: it is quick now, and slows as the table grows."
        yield Notice("missing_index", message, f"create index {name} on {quote(table)} ({quote(column)});")
    if not source.tags.indexes and source.indexed is None:
        cost = f"{milliseconds} ms just now" if milliseconds is not None else "longer than the time limit"
        message = f"Finding a tag of {source.name} reads the whole table, since its tags are stored as {source.tags.shape}: {cost}."
        yield Notice("full_scan", message, "Nothing while it is quick; for a large table, keep the tags in a join table.")
    if counts["items"] is None:
        yield Notice("too_slow", f"Counting {source.name} took longer than the time limit.", "Add the indexes named here, if any are.")
    if not source.published:
        message = f"{source.name} has no column of dates, so its items are on pages and in no feed."
        yield Notice("no_dates", message, f"Name the column: sources: {{{source.name}: {{published: …}}}}")
    elif undated := counts["undated"]:
        message = (
            f"{undated} of {source.name} have no readable date in {source.published}. They are on pages, after the others, and in no feed."
        )
        yield Notice("undated", message, f"Fill {source.published} in these rows, or name another column as published.")
    if untitled := counts["untitled"]:
        message = f"{untitled} of {source.name} have no title; the first words of their text stand in for it."
        yield Notice("untitled", message, 'Fill the column, or give an expression: title: "{{ title or … }}"')
    if broken := counts["broken"]:
        yield Notice(
            "broken", f"{broken} rows of {source.name} hold tags that cannot be read; they count as untagged.", "Mend the column of tags."
        )
    if double := counts["duplicate_ids"]:
        message = f"{double} of {source.name} have an id that another item has too; readers show only one of them."
        yield Notice("duplicate_ids", message, "Take away the setting id, or make its column unique.")
    if not source.is_view and source.key[0] not in source.columns and source.path == source.key:
        message = f"{source.table} has no primary key. Its rows are told apart by rowid, which VACUUM may change; readers then see all items again."
        yield Notice("rowid_key", message, "Give the table a primary key.")


def _advice(source: Source, counts: Mapping[str, int | None], milliseconds: int | None, indexing: Indexing) -> Iterator[Notice]:
    """What the index does, or could do, for a source."""
    command = f"datasette tagfeeds index {source.database}.db, with -m metadata.yml where you have settings"
    if indexing.stale:
        because = f" It cannot be indexed now: {indexing.reason}." if indexing.reason else ""
        message = f"The index of {source.name} was made for other tables or settings and is not used.{because} It still costs time when rows change."
        yield Notice(
            "stale_index", message, f"Make it again: {command}. Or take it away: datasette tagfeeds index --drop {source.database}.db"
        )
    elif indexing.number is not None and "json_" in source.tags.tables:
        message = f"{source.table} has triggers that read JSON. A program that opens the file with trusted_schema off cannot write to it."
        yield Notice(
            "json_triggers", message, "Nothing, unless one says “unsafe use of json_…”: let it trust the schema, or drop the index."
        )
    elif indexing.number is None and (milliseconds is None or milliseconds > SLOW_MS):
        cost = f"take {milliseconds} ms" if milliseconds is not None else "take longer than the time limit"
        message = f"The newest items of {source.name} {cost} to find, and that grows with its rows."
        if indexing.reason:
            yield Notice(
                "not_indexable",
                f"{message} It cannot be indexed: {indexing.reason}.",
                "Read the newest items less often, or store the tags or the where in a way that docs/indexing.md names.",
            )
        else:
            yield Notice("slow", message, f"Index it: {command}")


def _of_the_site(store: Store, settings: Settings, base: str) -> Iterator[Notice]:
    if not store.sources:
        message = "No table with tags was found that you may see."
        yield Notice(
            "nothing_found",
            message,
            "Name one in the settings: sources: {posts: {tags: …}}. Below is what was looked at, and why it was not used.",
        )
    for database in dict.fromkeys(source.database for source in store.sources.values()):
        if store.memory.replaced(database):
            message = f"Another file has taken the place of the database “{database}” since it was opened: answers may be of either."
            yield Notice("replaced", message, "Restart Datasette.")
    if not settings.base_url:
        also = (
            "" if settings.authority else ", and so do the ids of entries: a second name of this server would give the same items other ids"
        )
        remedy = f"plugins:\n  datasette-tagfeeds:\n    base_url: {base.rstrip('/')}"
        yield Notice("no_base_url", f"base_url is not set. Feeds take their addresses from each request{also}.", remedy)
