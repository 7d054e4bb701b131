"""The settings as a whole, checked against what the databases hold, before anything is served."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import checks
from .block import Block
from .checks import Problems, nearest
from .discover import Reason, discover
from .model import Person, Schema, Source, Table, TagTable
from .source_settings import source
from .sql import literal, tag_text
from .storages import table_named, tag_name_column

ROOT = "plugins.datasette-tagfeeds"


@dataclass(frozen=True)
class Settings:
    """The plugin's settings with their defaults; `path` is None unless given, `sources` stand in the order given.

    `aliases` maps old names of tags to new ones, `aliased_by` is a table that does; `described_in` are the tables that describe tags.
    `left_out` says why a (database, table) is not used.
    """

    title: str | None = None
    author: Person | None = None
    base_url: str | None = None
    authority: str | None = None
    path: str | None = None
    language: str = "en"
    timezone: str = "UTC"
    size: int = 30
    max_bytes: int = 512 * 1024
    ttl: int = 900
    cache_bytes: int = 32 * 1024 * 1024
    content_type: str | None = None
    hub: str | None = None
    ping_every: int | None = None
    purge_header: str | None = None
    icon: str | None = None
    logo: str | None = None
    rights: str | None = None
    token_days: int = 365
    tokens_since: str | None = None
    revoked_tokens: tuple[str | Mapping[str, Any], ...] = ()
    hidden: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    aliased_by: TagTable | None = None
    described_in: tuple[TagTable, ...] = ()
    sources: tuple[Source, ...] = ()
    left_out: Mapping[tuple[str, str], Reason] = field(default_factory=dict)


PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "title": checks.text,
    "author": checks.author,
    "base_url": checks.base_url,
    "authority": checks.authority,
    "path": checks.path,
    "language": checks.language,
    "timezone": checks.timezone,
    "size": checks.page_size,
    "max_bytes": checks.byte_count,
    "ttl": checks.seconds,
    "cache_bytes": checks.cache_bytes,
    "content_type": checks.one_of("application/atom+xml", "application/xml"),
    "hub": checks.url,
    "ping_every": checks.pause,
    "purge_header": checks.one_of("Cache-Tag", "Surrogate-Key", "xkey"),
    "icon": checks.url,
    "logo": checks.url,
    "rights": checks.text,
    "token_days": checks.days,
    "tokens_since": checks.day,
    "revoked_tokens": checks.revoked,
    "hidden": checks.tags,
    "gone": checks.tags,
}
KNOWN = (*PLAIN, "aliases", "descriptions", "discover", "defaults", "sources")


def load(given: object, databases: Mapping[str, Schema], problems: Problems) -> Settings:
    """The settings that the plugin's block holds, completed by discovery; what is wrong with it goes into `problems`."""
    block = Block(ROOT, problems.check(ROOT, checks.mapping, given if given is not None else {}) or {}, problems)
    problems.unknown(ROOT, block.given, KNOWN)
    plain = {name: value for name, check in PLAIN.items() if (value := block.option(name, check)) is not None}
    settings = Settings(**plain)
    listed, discovered, left_out = _wanted(block, databases)
    made = [*_sources(block, listed, databases, settings.timezone, False), *_sources(block, discovered, databases, settings.timezone, True)]
    sources = _without(settings.gone, made)
    aliases = block.given.get("aliases")
    return replace(
        settings,
        sources=tuple(sources),
        left_out=left_out,
        aliases=(block.option("aliases", checks.aliases) or {}) if not isinstance(aliases, str) else {},
        aliased_by=_tag_table(block, "aliases", aliases, databases, _alias_columns) if isinstance(aliases, str) else None,
        described_in=_descriptions(block, sources, databases),
    )


def _wanted(block: Block, databases: Mapping[str, Schema]) -> tuple[dict[str, Any], dict[str, Any], dict[tuple[str, str], Reason]]:
    """The blocks of sources in the settings, those discovered in tables that no setting names, and why other tables are not used."""
    listed = block.option("sources", checks.mapping) or {}
    wanted = block.option("discover", checks.flag)
    if wanted is False or (wanted is None and block.given.get("sources")):
        return dict(listed), {}, {}
    found = {name: discover(schema) for name, schema in databases.items()}
    named = {(own.get("table") or name) for name, own in listed.items() if isinstance(own, Mapping)} | {
        name for name, own in listed.items() if own is None
    }
    blocks: dict[str, Any] = {}
    for database, one in found.items():
        for table, settings in one.sources.items():
            if table not in named:
                everywhere = [name for name, schema in databases.items() if table in schema]
                alone = table not in {*listed, *blocks}
                place = {"database": database} if len(everywhere) > 1 else {}
                blocks[table if alone else f"{database}_{table}"] = {**place, **({} if alone else {"table": table}), **settings}
    return dict(listed), blocks, {(name, table): reason for name, one in found.items() for table, reason in one.left_out.items()}


def _sources(block: Block, blocks: Mapping[str, Any], databases: Mapping[str, Schema], zone: str, complete: bool) -> list[Source]:
    defaults = block.option("defaults", checks.mapping) or {}
    made = []
    for name, own in blocks.items():
        path = f"{ROOT}.sources.{name}"
        settings = block.problems.check(path, checks.mapping, own if own is not None else {})
        if settings is not None:
            made.append(source(path, name, {**defaults, **settings}, databases, zone, block.problems, complete))
    return [one for one in made if one]


def _without(gone: Iterable[str], sources: Iterable[Source]) -> list[Source]:
    """The sources without the taggings of these tags: they are in no list, no count and no category."""
    listed = ", ".join(map(literal, sorted(gone)))
    if not listed:
        return list(sources)
    tested = ((one, f"{tag_text(one.tags.tag)} not in ({listed})") for one in sources)
    return [replace(one, tags=replace(one.tags, tests=(*one.tags.tests, test))) for one, test in tested]


def _descriptions(block: Block, sources: Iterable[Source], databases: Mapping[str, Schema]) -> tuple[TagTable, ...]:
    """`descriptions: table.column`, else the column `description` of each table of tags."""
    if given := block.option("descriptions", checks.text):
        one = _tag_table(block, "descriptions", given, databases, _described_columns)
        return (one,) if one else ()
    found = []
    for database, (table_name, name) in {(one.database, one.tags.described_in) for one in sources if one.tags.described_in}:
        columns = {column.lower(): column for column in databases[database][table_name].columns}
        if "description" in columns and columns["description"] != name:
            found.append(TagTable(database, table_name, name, columns["description"]))
    return tuple(sorted(found))


def _tag_table(
    block: Block, key: str, given: str, databases: Mapping[str, Schema], columns: Callable[..., TagTable | str]
) -> TagTable | None:
    """The table that a setting names, as table or table.column, with the columns that serve; a problem where there is none."""
    table_name, _, column = given.partition(".")
    found = [(name, table) for name, schema in databases.items() if (table := table_named(table_name, schema))]
    if len(found) != 1:
        known = nearest(table_name, [table for schema in databases.values() for table in schema])
        block.refuse(key, f"several databases have a table {table_name!r}" if found else f"no table {table_name!r}{known}")
        return None
    made = columns(found[0][0], found[0][1], column, databases[found[0][0]])
    if isinstance(made, str):
        block.refuse(key, made)
        return None
    return made


def _described_columns(database: str, table: Table, column: str, schema: Schema) -> TagTable | str:
    name = tag_name_column(table)
    if column not in table.columns:
        return f"must be table.column: no column {column!r} in {table.name}{nearest(column, table.columns)}"
    return TagTable(database, table.name, name, column) if name else f"no column of {table.name} looks like the name of a tag"


def _alias_columns(database: str, table: Table, column: str, schema: Schema) -> TagTable | str:
    """Old names, and the key of the tag that each now means: by the table's one foreign key to a table with names."""
    for one in table.foreign_keys:
        other = table_named(one.other_table, schema)
        name = tag_name_column(other) if other else None
        old = column or next((c for c in table.columns if "name" in c.lower() or c.lower() in ("old", "alias", "previous", "tag")), None)
        if other and name and old and old in table.columns and old not in one.columns:
            target = one.other_columns or other.primary_key
            return TagTable(database, table.name, old, one.columns[0], (other.name, target[0], name))
    return f"{table.name} must have a column of old names and a foreign key to the table of tags; or give a map of old: new"
