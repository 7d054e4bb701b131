"""The questions asked of a database, as SQL with its parameters. Every one reads the same relation of items.

    items(source)   SELECT item, published    the rows that the predicate `where` lets through
    arm(source)     SELECT published, source, item    those of them that carry the tag (or any tag)

A statement ranges over sources of one database. Nothing here runs anything.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .dates import normalised_sql
from .model import Item, Source
from .sql import bind_tag, quote

Parameters = Mapping[str, object]

# Undated rows ('') are always due; the moment `now` decides for the others.
DUE = "(published = '' or published <= :now)"
AFTER = """(published < :p or (published = :p and (source > :s or (source = :s and +item collate binary < +:k))))"""


class Statement(NamedTuple):
    """SQL and what to bind to it."""

    sql: str
    parameters: Parameters


def stream(sources: Sequence[Source], tag: str | None, now: str, limit: int, after: Item | None, dated: bool) -> Statement:
    """SELECT published, source, item: at most `limit` items, newest first, undated last, ties by source and key.

    `after` is the item before the first one wanted (keyset paging); `dated` leaves undated items out, as feeds do.
    """
    relation, parameters = _relation(sources, tag, now)
    tests = [DUE, *(["published <> ''"] if dated else []), *([AFTER] if after else [])]
    if after:
        parameters |= {"p": after.published, "s": after.source, "k": after.key}
    sql = f"{relation} where {' and '.join(tests)} order by published desc, source, item collate binary desc limit :limit"
    return Statement(f"select published, source, item from {sql}", {**parameters, "limit": limit})


def tallies(sources: Sequence[Source], tag: str | None, now: str) -> Statement:
    """SELECT source, count, dated, first, last: one row for each source that has items under the tag."""
    relation, parameters = _relation(sources, tag, now)
    figures = "count(*), sum(published <> ''), coalesce(min(nullif(published, '')), ''), max(published)"
    return Statement(f"select source, {figures} from {relation} where {DUE} group by source", parameters)


def tag_counts(sources: Sequence[Source], now: str) -> Statement:
    """SELECT tag, count, latest: every tag with an item that is due, one row a tag and source."""
    arms = []
    for source in sources:
        arms.append(
            f"select t.tag, count(distinct i.item), max(i.published) from ({_items(source)}) as i"
            f" join ({source.tags.tagged()}) as t on t.item = i.item where {DUE} group by t.tag"
        )
    return Statement("\nunion all\n".join(arms), {"now": now})


def tags_of(source: Source, keys: Sequence[int | str]) -> Statement:
    """SELECT item, tag: the tags of these items, each item's in the order that the source gives."""
    wanted, parameters = _keys(keys)
    items = f"select {quote(source.key)} as item from {quote(source.table)} where {quote(source.key)} collate binary in ({wanted})"
    sql = f"select i.item, t.tag from ({items}) as i join ({source.tags.tagged()}) as t on t.item = i.item"
    return Statement(f"{sql} order by i.item, t.position, t.tag", parameters)


def rows(source: Source, keys: Sequence[int | str]) -> Statement:
    """SELECT item and the columns that the source's fields read, for these items."""
    wanted, parameters = _keys(keys)
    columns = ", ".join(map(quote, source.columns))
    key = quote(source.key)
    listed = f"{key}, {columns}" if columns else key
    return Statement(f"select {listed} from {quote(source.table)} where {key} collate binary in ({wanted})", parameters)


def predicate(source: Source) -> Statement:
    """The predicate by itself and with nothing bound, so that one which only makes sense inside our statements is found."""
    return Statement(f"select 1 from {quote(source.table)} where {source.where or 1}\n", {})


def everything_read(source: Source) -> Statement:
    """A statement that reads all that serving the source reads, so that SQLite can be asked which tables those are."""
    arm, parameters = _arm(source, "", 0)
    rest = rows(source, [0])
    sql = f"select * from ({arm}) as a, ({source.tags.tagged()}) as t, ({rest.sql}) as r"
    return Statement(sql, {**parameters, **rest.parameters})


def _relation(sources: Sequence[Source], tag: str | None, now: str) -> tuple[str, dict[str, object]]:
    arms, parameters = [], dict[str, object](now=now)
    for number, source in enumerate(sources):
        sql, bound = _arm(source, tag, number)
        arms.append(sql)
        parameters |= bound
    return "(" + "\nunion all\n".join(arms) + ")", parameters


def _arm(source: Source, tag: str | None, number: int) -> tuple[str, dict[str, object]]:
    """One source's part: its items that carry the tag, or any tag. `in` lets a rare tag drive the search."""
    carrying = f"select item from ({source.tags.tagged()})" if tag is None else source.tags.carrying("tag")
    sql = f"select published, :source{number} as source, item from ({_items(source)}) where item collate binary in ({carrying})"
    return sql, {f"source{number}": source.name, **(bind_tag("tag", tag) if tag is not None else {})}


def _items(source: Source) -> str:
    published = normalised_sql(quote(source.published), source.timezone) if source.published else "''"
    # A key of another type has no address. The line breaks keep a comment in `where` from swallowing the parenthesis.
    tests = [f"typeof({quote(source.key)}) in ('integer', 'text')", *([f"(\n{source.where}\n)"] if source.where else [])]
    return f"select {quote(source.key)} as item, {published} as published from {quote(source.table)} where {' and '.join(tests)}"


def _keys(keys: Sequence[int | str]) -> tuple[str, dict[str, object]]:
    parameters: dict[str, object] = {f"k{number}": key for number, key in enumerate(keys)}
    return ", ".join(f":{name}" for name in parameters), parameters
