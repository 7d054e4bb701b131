"""The questions asked of a database, as SQL with its parameters. Every one reads the relation of items of `relations`.

A statement ranges over sources of one database. Nothing here runs anything.
"""

import re
from collections.abc import Iterator, Sequence

from . import relations
from .model import Item, Source, TagTable
from .postings import scans
from .postings.layout import QUEUE
from .relations import DUE, Arm, Key, Parameters, Selection, Statement, bound, exact_key, items_of, own_key, rows_from, rows_of, tests_of
from .sources.taggings import carrying, tagged
from .sql import bind_tag, columns_of, key, quote, tag_text

UNION = "\nunion all\n"
# Related tags are counted over this many of a selection's newest items, so that a page of many costs no more than a page of some.
NEWEST = 2000


def arms(source: Source, selection: Selection, number: int) -> list[Arm]:
    """One source's part of the selection: read from the index where there is one, else from its tables."""
    return [relations.arm(source, selection, number)] if source.indexed is None else scans.arms(source, selection, number)


def _selected(sources: Sequence[Source], selection: Selection) -> str:
    """(published, source, item) of the sources' items in the selection, for a FROM clause."""
    return f"({UNION.join(arm.sql for number, source in enumerate(sources) for arm in arms(source, selection, number))})"


def stream(
    sources: Sequence[Source], selection: Selection, now: str, limit: int, after: Item | None, dated: bool, backwards: bool = False
) -> Statement:
    """SELECT published, source, item: at most `limit` items, newest first, undated last, ties by source and key.

    `after` is the item before the first one wanted (keyset paging); `dated` leaves undated items out, as feeds do. Read backwards,
    the items before `after` come, the nearest first. Each arm is ordered and limited by itself, so that an index is read as far as needed.
    """
    only = ["published <> ''"] if dated else []
    way, other_way = ("", "desc") if backwards else ("desc", "")
    parts = [
        f"select * from ({' and '.join([arm.sql, *_beyond(source, arm, after, backwards), *only])}"
        f" order by published {way}, item collate binary {way} limit :limit)"
        for number, source in enumerate(sources)
        for arm in arms(source, selection, number)
    ]
    parameters = bound(sources, selection, now) | {"limit": limit}
    if after:
        parameters |= {"p": after.published, "k": after.key}
    order = f"published {way}, source {other_way}, item collate binary {way}"
    return Statement(f"select published, source, item from ({UNION.join(parts)}) order by {order} limit :limit", parameters)


def _beyond(source: Source, arm: Arm, after: Item | None, backwards: bool) -> list[str]:
    """Tests that an item of a source comes after the given one in the order of the stream; or, backwards, before it."""
    if after is None:
        return []
    sign = ">" if backwards else "<"
    if source.name == after.source:
        return [f"published {sign}= :p", f"(published, {arm.key}) {sign} (:p, +:k)"]
    # At the same moment, the sources follow each other by name.
    return [f"published {sign}{'=' if (source.name < after.source) == backwards else ''} :p"]


def months(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT source, month, items, first, last: how many items of the selection are of each month ('' for the undated), and their first and
    last date. Several rows of one source and month add up; a row of the index may be negative, or have no items and the dates of all."""
    parts: list[str] = []
    for number, source in enumerate(sources):
        if source.indexed is None:
            figures = "substr(published, 1, 7), count(*), min(published), max(published)"
            parts.append(f"select :source{number}, {figures} from {_arm_of(source, selection, number)} group by 2")
            continue
        first, last = (scans.extreme(source, selection, number, latest) for latest in (False, True))
        kept = f"select month, sum(items), '', '' from ({scans.months(source, selection)}) group by month"
        parts += [f"select :source{number}, * from ({kept})", f"select :source{number}, '', 0, {first}, {last}"]
    return Statement(UNION.join(parts), bound(sources, selection, now))


def _arm_of(source: Source, selection: Selection, number: int) -> str:
    return f"({relations.arm(source, selection, number).sql})"


def related(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT tag, count: how many of the selection's newest items carry each tag, one row a tag and source."""
    newest = stream(sources, selection, now, NEWEST, None, dated=False)
    parts = [
        f"select t.tag, count(distinct n.item) from newest as n join ({_tag_relation(source)}) as t on t.item collate binary = n.item"
        f" where n.source = :source{number} group by t.tag"
        for number, source in enumerate(sources)
    ]
    return Statement(f"with newest as ({newest.sql}) {UNION.join(parts)}", newest.parameters)


def _tag_relation(source: Source) -> str:
    """SELECT item, tag: every tagging of the source."""
    if source.indexed is not None:
        return scans.tag_relation(source)
    return tagged(source.tags, *([f"{source.tags.item} in ({source.only})"] if source.only else []))


def tag_counts(sources: Sequence[Source], now: str) -> Statement:
    """SELECT tag, source, year, count, latest: every tag with an item that is due, one row a tag, source and year ('' for undated), or
    more rows to be added up."""
    parts: list[str] = []
    for number, source in enumerate(sources):
        live = (
            f"select t.tag, :source{number}, substr(i.published, 1, 4), count(distinct i.item), max(i.published) from ({items_of(source)}) as i"
            f" join ({tagged(source.tags)}) as t on t.item collate binary = i.item where {DUE} group by 1, 3"
        )
        parts += [live] if source.indexed is None else scans.tag_counts(source, number)
    return Statement(UNION.join(parts), bound(sources, Selection(), now))


def known(sources: Sequence[Source], names: Sequence[str], now: str) -> Statement:
    """SELECT tag, source: which of these tags some item of an indexed source carries that is due."""
    parameters: dict[str, object] = {f"tag{place}": name for place, name in enumerate(names)}
    parts = [scans.carried(source, number, place) for number, source in enumerate(sources) for place in range(len(names))]
    return Statement(UNION.join(parts), bound(sources, Selection(), now) | parameters)


def sizes(sources: Sequence[Source], names: Sequence[str], now: str) -> Statement:
    """SELECT tag, count: how many items that are due carry each of these tags, of indexed sources; several rows of one tag add up."""
    parameters: dict[str, object] = {f"tag{place}": name for place, name in enumerate(names)}
    parts = [scans.sizes(source, list(parameters)) for source in sources]
    return Statement(UNION.join(parts), {"now": now, **parameters})


def years(sources: Sequence[Source], names: Sequence[str], now: str) -> Statement:
    """SELECT tag, year, count: how many items that are due carry each of these tags in each year, of indexed sources; rows add up."""
    parameters: dict[str, object] = {f"tag{place}": name for place, name in enumerate(names)}
    parts = [scans.years(source, list(parameters)) for source in sources if source.indexed is not None]
    return Statement(UNION.join(parts) or "select 0 limit 0", {"now": now, **parameters})


def queued() -> Statement:
    """SELECT the number of each source of the index that has items only our own parser can date."""
    return Statement(f"select distinct source from {QUEUE}", {})


def next_due(sources: Sequence[Source], now: str) -> Statement:
    """SELECT the moment at which the next scheduled item becomes due; NULL for none."""
    parts = [
        f"select min(published) as due from ({items_of(source)}) where published > :now"
        if source.indexed is None
        else scans.next_due(source)
        for source in sources
    ]
    return Statement(f"select min(due) from ({UNION.join(parts)})", {"now": now})


def tags_of(source: Source, keys: Sequence[Key]) -> Statement:
    """SELECT item, tag: the tags of these items, each item's in the order that the source gives."""
    chosen = rows_of(source, keys)
    sql = f"select i.item, t.tag from ({chosen.sql}) as i join ({tagged(source.tags)}) as t on t.item collate binary = i.item"
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
    rest = rows(source, [0])
    sql = f"select * from {_arm_of(source, Selection(), 0)} as a, ({tagged(source.tags)}) as t, ({rest.sql}) as r"
    return Statement(sql, {**bound([source], Selection(), ""), **rest.parameters})


def descriptions(about: TagTable, names: Sequence[str]) -> Statement:
    """SELECT tag, text: what a table of tags has about some of them."""
    parameters: dict[str, object] = {f"tag{number}": name for number, name in enumerate(names)}
    name = tag_text(quote(about.name))
    sql = f"select {name}, {quote(about.column)} from {quote(about.table)} where {name} in ({', '.join(f':{one}' for one in parameters)})"
    return Statement(sql, parameters)


def some(sources: Sequence[Source], selection: Selection, now: str) -> Statement:
    """SELECT published, source, item: one item of the selection, by chance."""
    sql = f"select published, source, item from {_selected(sources, selection)} order by random() limit 1"
    return Statement(sql, bound(sources, selection, now))


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
