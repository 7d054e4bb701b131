"""The questions asked of a database, as SQL with its parameters. Every one reads the same relation of items.

    items(source)   SELECT item, published    the rows that the predicate `where` lets through
    arm(source)     SELECT published, source, item    those of them that the selection holds

A statement ranges over sources of one database. Nothing here runs anything.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .dates import normalised_sql
from .expression import And, Expression, Not, Or, Tag, is_bounded, tags
from .model import Item, Source, TagTable
from .sources.taggings import carrying, tagged
from .sql import bind_tag, columns_of, is_key, key, quote, tag_text

Parameters = Mapping[str, object]
Key = int | str

# Undated rows ('') come before every moment, so they are always due.
DUE = "published <= :now"
AFTER = """(published < :p or (published = :p and (source > :s or (source = :s and +item collate binary < +:k))))"""
BEFORE = """(published > :p or (published = :p and (source < :s or (source = :s and +item collate binary > +:k))))"""


class Statement(NamedTuple):
    """SQL and what to bind to it."""

    sql: str
    parameters: Parameters


@dataclass(frozen=True)
class Selection:
    """Which items are asked for: those of an expression (None: all that is tagged), of some sources (None: all), published in
    `since` <= … < `until`, found by `search`.

    `since` and `until` are the beginnings of UTC texts; `search` is a query in the syntax of SQLite's full-text search.
    """

    expression: Expression | None = None
    types: frozenset[str] | None = None
    since: str = ""
    until: str = ""
    search: str | None = None


def stream(
    sources: Sequence[Source], selection: Selection, now: str, limit: int, after: Item | None, dated: bool, backwards: bool = False
) -> Statement:
    """SELECT published, source, item: at most `limit` items, newest first, undated last, ties by source and key.

    `after` is the item before the first one wanted (keyset paging); `dated` leaves undated items out, as feeds do. Read backwards,
    the items before `after` come, the nearest first.
    """
    relation, parameters = _relation(sources, selection, now)
    tests = [*(["published <> ''"] if dated else []), *([BEFORE if backwards else AFTER] if after else [])]
    if after:
        parameters |= {"p": after.published, "s": after.source, "k": after.key}
    where = f" where {' and '.join(tests)}" if tests else ""
    order = "published, source desc, item collate binary" if backwards else "published desc, source, item collate binary desc"
    return Statement(f"select published, source, item from {relation}{where} order by {order} limit :limit", {**parameters, "limit": limit})


def tallies(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT source, count, dated, first, last: one row for each source that has items in the selection."""
    relation, parameters = _relation(sources, selection, now)
    figures = "count(*), sum(published <> ''), coalesce(min(nullif(published, '')), ''), max(published)"
    return Statement(f"select source, {figures} from {relation} group by source", parameters)


def related(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT tag, count: how many items of the selection carry each tag, one row a tag and source."""
    arms, parameters = [], dict[str, object](now=now)
    for number, source in enumerate(sources):
        sql, bound = _arm(source, selection, number)
        parameters |= bound
        arms.append(
            f"select t.tag, count(distinct a.item) from ({sql}) as a join ({tagged(source.tags)}) as t on t.item = a.item group by t.tag"
        )
    return Statement("\nunion all\n".join(arms), parameters)


def timeline(sources: Sequence[Source], selection: Selection, now: str, length: int) -> Statement:
    """SELECT period, source, count: how many items of the selection are of each year (`length` 4) or month (7), the undated left out."""
    relation, parameters = _relation(sources, selection, now)
    sql = f"select substr(published, 1, {length}), source, count(*) from {relation} where published <> '' group by 1, 2"
    return Statement(sql, parameters)


def tag_counts(sources: Sequence[Source], now: str) -> Statement:
    """SELECT tag, source, year, count, latest: every tag with an item that is due, one row a tag, source and year ('' for undated)."""
    arms, parameters = [], dict[str, object](now=now)
    for number, source in enumerate(sources):
        parameters[f"source{number}"] = source.name
        arms.append(
            f"select t.tag, :source{number}, substr(i.published, 1, 4), count(distinct i.item), max(i.published) from ({_items(source)}) as i"
            f" join ({tagged(source.tags)}) as t on t.item = i.item where {DUE} group by 1, 3"
        )
    return Statement("\nunion all\n".join(arms), parameters)


def next_due(sources: Sequence[Source], now: str) -> Statement:
    """SELECT the moment at which the next scheduled item becomes due; NULL for none."""
    arms = [f"select min(published) as due from ({_items(source)}) where published > :now" for source in sources]
    return Statement(f"select min(due) from ({' union all '.join(arms)})", {"now": now})


def tags_of(source: Source, keys: Sequence[Key]) -> Statement:
    """SELECT item, tag: the tags of these items, each item's in the order that the source gives."""
    chosen = _chosen(source, keys)
    sql = f"select i.item, t.tag from ({chosen.sql}) as i join ({tagged(source.tags)}) as t on t.item = i.item"
    return Statement(f"{sql} order by i.item, t.position, t.tag", chosen.parameters)


def rows(source: Source, keys: Sequence[Key]) -> Statement:
    """SELECT item and the columns that the source's fields read, for these items."""
    return _chosen(source, keys, source.columns)


def asks_the_clock(source: Source) -> bool:
    """True where what the settings say about a source holds at one time and not at another."""
    return bool(re.search(r"\bnow\b|current_(?:date|time)", f"{source.where} {source.written.get('sql')}", re.I))


def checked(source: Source) -> Iterator[tuple[str, Statement]]:
    """(the setting to blame, a statement) for all that serving the source runs; compiled, they tell what is wrong and what is read.

    What a user wrote is tried by itself first, with nothing bound, so that SQL which only makes sense inside ours is found.
    """
    if source.where:
        yield "where", Statement(f"select 1 from {_from(source)} where {source.where}\n", {})
    if isinstance(source.written.get("sql"), str):
        yield "sql", Statement(str(source.written["sql"]), {})
        yield "sql", Statement(tagged(source.tags), {})
    yield "", _everything_read(source)


def _everything_read(source: Source) -> Statement:
    """A statement that reads all that serving the source reads, so that SQLite can be asked which tables those are."""
    arm, parameters = _arm(source, Selection(), 0)
    rest = rows(source, [0])
    sql = f"select * from ({arm}) as a, ({tagged(source.tags)}) as t, ({rest.sql}) as r"
    return Statement(sql, {**parameters, **rest.parameters, "now": ""})


def descriptions(about: TagTable, names: Sequence[str]) -> Statement:
    """SELECT tag, text: what a table of tags has about some of them."""
    parameters: dict[str, object] = {f"tag{number}": name for number, name in enumerate(names)}
    name = tag_text(quote(about.name))
    sql = f"select {name}, {quote(about.column)} from {quote(about.table)} where {name} in ({', '.join(f':{one}' for one in parameters)})"
    return Statement(sql, parameters)


def nth(source: Source, selection: Selection, now: str, place: int) -> Statement:
    """SELECT published, source, item: the item of a source's part of the selection at a place, in no order."""
    relation, parameters = _relation([source], selection, now)
    return Statement(f"select published, source, item from {relation} limit 1 offset :place", {**parameters, "place": place})


def renamed(about: TagTable) -> Statement:
    """SELECT old, new: the old names of tags, with the names that they have now."""
    table, target, name = about.leads_to or ("", "", "")
    tie = f"t.{quote(target)} = a.{quote(about.column)}"
    sql = f"select {tag_text('a.' + quote(about.name))}, {tag_text('t.' + quote(name))} from {quote(about.table)} as a join {quote(table)} as t on {tie}"
    return Statement(sql, {})


def facts(source: Source, title: str | None, given_id: str | None, now: str) -> Statement:
    """SELECT items, undated, future, untitled, duplicate ids, broken: how many rows of a source are what.

    `title` and `given_id` are the columns of these fields. Items and undated are those due; broken ones are rows whose tags cannot be read.
    """
    tagged_items = _items(source, _holds(source, None, {}))
    columns = columns_of([name for name in (title, given_id) if name], quote(source.table))
    due = f"from ({tagged_items}) where {DUE}"
    rest = f"select {', '.join([f'{_own_key(source)} as item', *columns])} from {_from(source)}"
    mine = f"from ({rest}) where item in (select item {due})"
    untitled = f"(select count(*) {mine} and trim(coalesce({quote(title)}, '')) = '')" if title else "0"
    doubled = f"(select count({quote(given_id)}) - count(distinct {quote(given_id)}) {mine})" if given_id else "0"
    broken = f"(select count(*) from {quote(source.table)} as i where {source.tags.broken})" if source.tags.broken else "0"
    future = f"(select count(*) from ({tagged_items}) where published > :now)"
    return Statement(f"select count(*), coalesce(sum(published = ''), 0), {future}, {untitled}, {doubled}, {broken} {due}", {"now": now})


def scan(source: Source) -> Statement:
    """SELECT how many items carry a tag that none has: what finding any tag costs."""
    return Statement(f"select count(*) from ({carrying(source.tags, 'tag')})", bind_tag("tag", "\ue001"))


def carries(sources: Sequence[Source], names: Sequence[str]) -> tuple[list[str], Parameters]:
    """Tests, and what to bind to them, that a row of these sources' one table carries each of these tags, for a WHERE that is not ours."""
    parameters: dict[str, object] = {}
    for number, name in enumerate(names):
        parameters |= bind_tag(f"tagfeeds_{number}", name)
    tests = [[f"{_key(one)} in ({carrying(one.tags, f'tagfeeds_{number}')})" for one in sources] for number in range(len(names))]
    return [f"({' or '.join(one)})" for one in tests], parameters


def tags_among(source: Source, sql: str, parameters: Parameters, unlisted: Sequence[str], limit: int) -> Statement:
    """SELECT tag, count: the tags most used in some rows of the source's table, which `sql` selects; of a view, every row counts."""
    names = {f"tagfeeds_not_{number}": one for number, one in enumerate(unlisted)}
    path = ", ".join(columns_of(source.path))
    item = f"select {key(source.key)} as item from (\n{sql}\n)"
    if not source.is_view and source.path != source.key:
        item = f"select {_own_key(source)} as item from {quote(source.table)} where ({path}) in (select {path} from (\n{sql}\n))"
    tags, figure = (
        (f"select distinct item, tag from ({tagged(source.tags)})", "*") if source.is_view else (tagged(source.tags), "distinct i.item")
    )
    counts = f"select t.tag, count({figure}) from ({item}) as i join ({tags}) as t on t.item = i.item"
    unwanted = ", ".join(f":{one}" for one in names)
    order = f"where t.tag not in ({unwanted}) group by t.tag order by 2 desc, 1 limit {limit}"
    return Statement(f"{counts} {order}", {**parameters, **names})


def tags_of_row(source: Source, path: Sequence[object]) -> Statement:
    """SELECT tag: the tags of the row that these values of the columns `path` name, in the order that the source gives."""
    tests = [f"{column} = :k{number}" for number, column in enumerate(columns_of(source.path, quote(source.table)))]
    item = f"select {_own_key(source)} as item from {_from(source)} where {' and '.join(tests)}"
    sql = f"select t.tag from ({item}) as i join ({tagged(source.tags)}) as t on t.item = i.item order by t.position, t.tag"
    return Statement(sql, {f"k{number}": value for number, value in enumerate(path)})


def _relation(sources: Sequence[Source], selection: Selection, now: str) -> tuple[str, dict[str, object]]:
    arms, parameters = [], dict[str, object](now=now)
    for number, source in enumerate(sources):
        sql, bound = _arm(source, selection, number)
        arms.append(sql)
        parameters |= bound
    return "(" + "\nunion all\n".join(arms) + ")", parameters


def _arm(source: Source, selection: Selection, number: int) -> tuple[str, dict[str, object]]:
    """One source's part of the selection. Tags are looked up by `in`, so that a rare one drives the search."""
    names = {tag: f"tag{place}" for place, tag in enumerate(dict.fromkeys(tags(selection.expression) if selection.expression else ()))}
    parameters: dict[str, object] = {f"source{number}": source.name}
    for tag, name in names.items():
        parameters |= bind_tag(name, tag)
    tests, due = _holds(source, selection.expression, names), [DUE]
    if selection.since:
        due.append("published >= :since and published < :until")
        parameters |= {"since": selection.since, "until": selection.until}
    if selection.search is not None and source.search:
        index = quote(source.search)
        tests.append(f"{quote(source.table)}.rowid in (select rowid from {index} where {index} match :search)")
        parameters["search"] = selection.search
    sql = f"select published, :source{number} as source, item from ({_items(source, tests)}) where {' and '.join(due)}"
    return sql, parameters


def _holds(source: Source, expression: Expression | None, names: Mapping[str, str]) -> list[str]:
    """Tests that a row is in the expression; what is not bounded by tags of its own ranges over tagged items."""
    everything = f"{_key(source)} in (select item from ({tagged(source.tags)}))"
    if expression is None:
        return [everything]
    return [_test(source, expression, names), *([] if is_bounded(expression) else [everything])]


def _test(source: Source, expression: Expression, names: Mapping[str, str]) -> str:
    match expression:
        case Tag(name):
            return f"{_key(source)} in ({carrying(source.tags, names[name])})"
        case Not(operand):
            return f"not {_test(source, operand, names)}"
        case And(operands):
            return f"({' and '.join(_test(source, one, names) for one in operands)})"
        case Or(operands) if all(isinstance(one, Tag) for one in operands):
            # One list of items can drive the search; several tests joined by OR would try each on every row.
            lists = (carrying(source.tags, names[name]) for one in operands for name in tags(one))
            return f"{_key(source)} in ({' union all '.join(lists)})"
        case Or(operands):
            return f"({' or '.join(_test(source, one, names) for one in operands)})"


def _from(source: Source) -> str:
    """The source's rows, called by its table's name, so that columns can be named in full: SQLite takes an unknown "name" for a text."""
    return source.relation if source.relation == quote(source.table) else f"{source.relation} as {quote(source.table)}"


def _own_key(source: Source) -> str:
    return key(source.key, quote(source.table))


def _key(source: Source) -> str:
    """The row's key, compared byte by byte whatever collation its column has."""
    return f"{_own_key(source)} collate binary"


def _items(source: Source, tests: Sequence[str] = ()) -> str:
    """SELECT item, published of the rows that have a key, that `where` lets through, and that pass the tests."""
    column = f"{quote(source.table)}.{quote(source.published or '')}"
    published = normalised_sql(column, source.timezone, source.date_forms) if source.published else "''"
    # The line breaks keep a comment in `where` from swallowing the parenthesis.
    every = [*is_key(source.key, quote(source.table)), *([f"(\n{source.where}\n)"] if source.where else []), *tests]
    sql = f"select {_own_key(source)} as item, {published} as published from {_from(source)} where {' and '.join(every)}"
    # A view may repeat an item, one row a tag. The limit keeps SQLite from working out each date again for every use of it.
    return f"select item, max(published) as published from ({sql}) group by item" if source.is_view else f"{sql} limit -1"


def _chosen(source: Source, keys: Sequence[Key], columns: Sequence[str] = ()) -> Statement:
    """SELECT item and columns of the rows with these keys. Several key columns are compared as the array that they make."""
    parameters: dict[str, object] = {f"k{number}": one for number, one in enumerate(keys)}
    listed = ", ".join([f"{_own_key(source)} as item", *columns_of(columns, quote(source.table))])
    wanted = ", ".join(f":{name}" for name in parameters)
    sql = f"select {listed} from {_from(source)} where {_key(source)} in ({wanted})"
    return Statement(sql, parameters)
