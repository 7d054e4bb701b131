"""The questions asked of a database, as SQL with its parameters. Every one reads the relation of items of `relations`.

A statement ranges over sources of one database. Nothing here runs anything.
"""

import re
from collections.abc import Iterator, Sequence

from .model import Item, Source, TagTable
from .relations import DUE, Key, Parameters, Selection, Statement, arm, exact_key, items_of, own_key, rows_from, rows_of, selected, tests_of
from .sources.taggings import carrying, tagged
from .sql import bind_tag, columns_of, key, quote, tag_text

AFTER = """(published < :p or (published = :p and (source > :s or (source = :s and +item collate binary < +:k))))"""
BEFORE = """(published > :p or (published = :p and (source < :s or (source = :s and +item collate binary > +:k))))"""


def stream(
    sources: Sequence[Source], selection: Selection, now: str, limit: int, after: Item | None, dated: bool, backwards: bool = False
) -> Statement:
    """SELECT published, source, item: at most `limit` items, newest first, undated last, ties by source and key.

    `after` is the item before the first one wanted (keyset paging); `dated` leaves undated items out, as feeds do. Read backwards,
    the items before `after` come, the nearest first.
    """
    relation, parameters = selected(sources, selection, now)
    tests = [*(["published <> ''"] if dated else []), *([BEFORE if backwards else AFTER] if after else [])]
    if after:
        parameters |= {"p": after.published, "s": after.source, "k": after.key}
    where = f" where {' and '.join(tests)}" if tests else ""
    order = "published, source desc, item collate binary" if backwards else "published desc, source, item collate binary desc"
    return Statement(f"select published, source, item from {relation}{where} order by {order} limit :limit", {**parameters, "limit": limit})


def tallies(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT source, count, dated, first, last: one row for each source that has items in the selection."""
    relation, parameters = selected(sources, selection, now)
    figures = "count(*), sum(published <> ''), coalesce(min(nullif(published, '')), ''), max(published)"
    return Statement(f"select source, {figures} from {relation} group by source", parameters)


def related(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT tag, count: how many items of the selection carry each tag, one row a tag and source."""
    arms, parameters = [], dict[str, object](now=now)
    for number, source in enumerate(sources):
        sql, bound = arm(source, selection, number)
        parameters |= bound
        arms.append(
            f"select t.tag, count(distinct a.item) from ({sql}) as a join ({tagged(source.tags)}) as t on t.item = a.item group by t.tag"
        )
    return Statement("\nunion all\n".join(arms), parameters)


def timeline(sources: Sequence[Source], selection: Selection, now: str, length: int) -> Statement:
    """SELECT period, source, count: how many items of the selection are of each year (`length` 4) or month (7), the undated left out."""
    relation, parameters = selected(sources, selection, now)
    sql = f"select substr(published, 1, {length}), source, count(*) from {relation} where published <> '' group by 1, 2"
    return Statement(sql, parameters)


def tag_counts(sources: Sequence[Source], now: str) -> Statement:
    """SELECT tag, source, year, count, latest: every tag with an item that is due, one row a tag, source and year ('' for undated)."""
    arms, parameters = [], dict[str, object](now=now)
    for number, source in enumerate(sources):
        parameters[f"source{number}"] = source.name
        arms.append(
            f"select t.tag, :source{number}, substr(i.published, 1, 4), count(distinct i.item), max(i.published) from ({items_of(source)}) as i"
            f" join ({tagged(source.tags)}) as t on t.item = i.item where {DUE} group by 1, 3"
        )
    return Statement("\nunion all\n".join(arms), parameters)


def next_due(sources: Sequence[Source], now: str) -> Statement:
    """SELECT the moment at which the next scheduled item becomes due; NULL for none."""
    arms = [f"select min(published) as due from ({items_of(source)}) where published > :now" for source in sources]
    return Statement(f"select min(due) from ({' union all '.join(arms)})", {"now": now})


def tags_of(source: Source, keys: Sequence[Key]) -> Statement:
    """SELECT item, tag: the tags of these items, each item's in the order that the source gives."""
    chosen = rows_of(source, keys)
    sql = f"select i.item, t.tag from ({chosen.sql}) as i join ({tagged(source.tags)}) as t on t.item = i.item"
    return Statement(f"{sql} order by i.item, t.position, t.tag", chosen.parameters)


def rows(source: Source, keys: Sequence[Key]) -> Statement:
    """SELECT item and the columns that the source's fields read, for these items."""
    return rows_of(source, keys, source.columns)


def asks_the_clock(source: Source) -> bool:
    """True where what the settings say about a source holds at one time and not at another."""
    return bool(re.search(r"\bnow\b|current_(?:date|time)", f"{source.where} {source.written.get('sql')}", re.I))


def checked(source: Source) -> Iterator[tuple[str, Statement]]:
    """(the setting to blame, a statement) for all that serving the source runs; compiled, they tell what is wrong and what is read.

    What a user wrote is tried by itself first, with nothing bound, so that SQL which only makes sense inside ours is found.
    """
    if source.where:
        yield "where", Statement(f"select 1 from {rows_from(source)} where {source.where}\n", {})
    if isinstance(source.written.get("sql"), str):
        yield "sql", Statement(str(source.written["sql"]), {})
        yield "sql", Statement(tagged(source.tags), {})
    yield "", _everything_read(source)


def _everything_read(source: Source) -> Statement:
    """A statement that reads all that serving the source reads, so that SQLite can be asked which tables those are."""
    part, parameters = arm(source, Selection(), 0)
    rest = rows(source, [0])
    sql = f"select * from ({part}) as a, ({tagged(source.tags)}) as t, ({rest.sql}) as r"
    return Statement(sql, {**parameters, **rest.parameters, "now": ""})


def descriptions(about: TagTable, names: Sequence[str]) -> Statement:
    """SELECT tag, text: what a table of tags has about some of them."""
    parameters: dict[str, object] = {f"tag{number}": name for number, name in enumerate(names)}
    name = tag_text(quote(about.name))
    sql = f"select {name}, {quote(about.column)} from {quote(about.table)} where {name} in ({', '.join(f':{one}' for one in parameters)})"
    return Statement(sql, parameters)


def some(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT published, source, item: one item of the selection, by chance."""
    relation, parameters = selected(sources, selection, now)
    return Statement(f"select published, source, item from {relation} order by random() limit 1", parameters)


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
    tagged_items = items_of(source, tests_of(source, None, {}))
    columns = columns_of([name for name in (title, given_id) if name], quote(source.table))
    due = f"from ({tagged_items}) where {DUE}"
    rest = f"select {', '.join([f'{own_key(source)} as item', *columns])} from {rows_from(source)}"
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
    tests = [[f"{exact_key(one)} in ({carrying(one.tags, f'tagfeeds_{number}')})" for one in sources] for number in range(len(names))]
    return [f"({' or '.join(one)})" for one in tests], parameters


def tags_among(source: Source, sql: str, parameters: Parameters, unlisted: Sequence[str], limit: int) -> Statement:
    """SELECT tag, count: the tags most used in some rows of the source's table, which `sql` selects; of a view, every row counts."""
    names = {f"tagfeeds_not_{number}": one for number, one in enumerate(unlisted)}
    path = ", ".join(columns_of(source.path))
    item = f"select {key(source.key)} as item from (\n{sql}\n)"
    if not source.is_view and source.path != source.key:
        item = f"select {own_key(source)} as item from {quote(source.table)} where ({path}) in (select {path} from (\n{sql}\n))"
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
    item = f"select {own_key(source)} as item from {rows_from(source)} where {' and '.join(tests)}"
    sql = f"select t.tag from ({item}) as i join ({tagged(source.tags)}) as t on t.item = i.item order by t.position, t.tag"
    return Statement(sql, {f"k{number}": value for number, value in enumerate(path)})
