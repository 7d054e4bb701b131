"""The triggers that keep the index true in the user's own transactions, in plain SQL that every program's SQLite can run.

Whatever happens to a row, the items that it touches are worked out anew by the source's own relation, and only what differs is written. Each
rule here was a bug once: no `or ignore` and `or replace`, since the outer statement's policy overrides them; `+` before what comes from a row,
since its affinity would keep an index from being used; keys that a REPLACE is about to remove are noted before it, since it fires no trigger.
"""

from collections.abc import Callable, Iterator, Sequence

from ..dates import quick_sql
from ..model import Lookup, Source, Touch
from ..relations import exact_key, items_of
from ..sources.taggings import tagged
from ..sql import PREFIX, columns_of, key, literal, quote
from .layout import BINARY, COUNTS, NOTE, POSTING, QUEUE, Unique, number_literal

Normalised = Callable[[str, str], str]
TABLE_EVENTS = ("insert", "update", "delete")
# How many notes of rows that were ignored may stay.
KEPT = 100


def taggings_of(source: Source, items: str | None, normalised: Normalised = quick_sql) -> str:
    """SELECT tag, published, item: what the index should hold of the source, or of the items that `items` selects: each tagging, and one with
    the tag '' for each tagged item. Left out is what `normalised` gives no date for."""
    wanted = [f"{exact_key(source)} in ({items})"] if items else []
    tests = [f"{source.tags.item} in ({items})"] if items else []
    rows = f"({items_of(source, wanted, normalised)}) as i join ({tagged(source.tags, *tests)}) as t on t.item collate binary = i.item"
    # Each tagging twice, the second time without its tag: half the work of asking for both.
    twice = f"{rows} join (select 0 as n union all select 1) as e"
    columns = "case e.n when 0 then t.tag else '' end as tag, i.published as published, i.item as item"
    return f"select distinct {columns} from {twice} where i.published is not null"


def derivation(source: Source, items: str, normalised: Normalised = quick_sql) -> tuple[str, ...]:
    """Statements that make the index true of some items: what should not be there goes, what is missing comes."""
    number = number_literal(source)
    right = taggings_of(source, items, normalised)
    known = f"select 1 from {POSTING} as p where p.tag = r.tag and p.source = {number} and p.published = r.published and p.item = +r.item"
    return (
        # Not `not in`, which looks through the whole list for a NULL, again for each that is not in it.
        f"delete from {POSTING} where source = {number} and item in ({items})"
        f" and case when (tag, published, item) in ({right}) then 0 else 1 end",
        f"insert into {POSTING} (tag, source, published, item) select r.tag, {number}, r.published, r.item from ({right}) as r"
        f" where not exists ({known})",
        *(_queued(source, items, normalised) if source.published else ()),
    )


def _queued(source: Source, items: str, normalised: Normalised) -> tuple[str, ...]:
    """Items whose date only our parser may read wait in the queue; the others leave it."""
    number = number_literal(source)
    unread = f"select item from ({items_of(source, [f'{exact_key(source)} in ({items})'], normalised)}) where published is null"
    return (
        f"delete from {QUEUE} where source = {number} and item in ({items})",
        f"insert into {QUEUE} (source, item) select {number}, item from ({unread})",
    )


def triggers(
    source: Source, uniques: Callable[[str], Sequence[Unique]], watched: Callable[[str], Sequence[str] | None]
) -> Iterator[tuple[str, str]]:
    """(name, SQL) of the triggers of one source. `uniques` gives the keys of a table that no two of its rows share, `watched` the columns
    whose update matters (None: all)."""
    for place, touch in enumerate(source.touches):
        found = uniques(touch.table)
        replaced, collation = list(_replaceable(touch, found)), _collation(touch, found)
        columns = watched(touch.table)
        of = f" of {', '.join(columns_of(columns))}" if columns else ""
        for event in TABLE_EVENTS:
            rows = {"insert": ("new",), "update": ("old", "new"), "delete": ("old",)}[event]
            touched = [items_touched(touch, row, collation) for row in rows]
            noted = bool(replaced) and event != "delete"
            if noted:
                yield _trigger(source, place, f"before {event}", of, touch.table, _notes(source, place, touch, replaced))
                touched.append(_noted_items(touch, _noted(source, place, replaced), collation))
            body = derivation(source, " union all ".join(touched))
            forget = [f"delete from {NOTE} where {_noted(source, place, replaced)}"] if noted else []
            yield _trigger(source, place, f"after {event}", of, touch.table, [*body, *forget])


def _trigger(source: Source, place: int, when: str, of: str, table: str, body: Sequence[str]) -> tuple[str, str]:
    name = f"{PREFIX}{source.indexed}_{place}_{when.replace(' ', '_')}"
    statements = ";\n  ".join(body)
    return (
        name,
        f"create trigger {quote(name)} {when}{of if when.endswith('update') else ''} on {quote(table)} for each row begin\n  {statements};\nend",
    )


def items_touched(touch: Touch, row: str, collation: str = "") -> str:
    """SELECT item: the items that a row of the table, called `row`, decides of."""
    if touch.lookup is None:
        columns = columns_of(touch.columns, row)
        return f"select {'+' if len(columns) == 1 else ''}{key(touch.columns, row)} as item"
    tied = _tied(touch.lookup, columns_of(touch.columns, row), collation)
    return f"select +{touch.lookup.item} as item from {touch.lookup.tables} where {tied}"


def _tied(lookup: Lookup, values: Sequence[str], collation: str) -> str:
    return " and ".join(f"{one} = +{other}{collation}" for one, other in zip(lookup.columns, values, strict=True))


def _collation(touch: Touch, uniques: Sequence[Unique]) -> str:
    """How the looked-up values are compared, where that is not byte by byte: items too many do no harm."""
    found = {collation for unique in uniques for column, collation in unique if [column] == list(touch.columns)} - {BINARY}
    return f" collate {quote(min(found))}" if found else ""


def _replaceable(touch: Touch, uniques: Sequence[Unique]) -> Iterator[Unique]:
    """The keys by which a REPLACE may remove a row that touches other items than the one that replaces it."""
    for unique in uniques:
        if not (touch.lookup is None and {(one, BINARY) for one in touch.columns} <= set(unique)):
            yield unique


def _notes(source: Source, place: int, touch: Touch, replaced: Sequence[Unique]) -> list[str]:
    """Note what rows decide of that have a key of the new row. Other triggers may write to the table meanwhile: each row forgets only what was
    noted for its own keys, and what ignored rows have left goes when enough others have come."""
    noted = [f"delete from {NOTE} where rowid <= (select max(rowid) from {NOTE}) - {KEPT}"]
    for unique, mark in zip(replaced, _marks(replaced), strict=True):
        same = " and ".join(f"was.{quote(one or '')} = +new.{quote(one or '')} collate {quote(collation)}" for one, collation in unique)
        was = f"select {key(touch.columns, 'was')} as item from {quote(touch.table)} as was where {same}"
        if touch.lookup and len(touch.columns) > 1:
            tied = _tied(touch.lookup, columns_of(touch.columns, "was"), "")
            was = f"select {touch.lookup.item} as item from {quote(touch.table)} as was, {touch.lookup.tables} where {same} and {tied}"
        values = f"{number_literal(source)}, {literal(str(place))}, {mark}, item"
        noted.append(f"insert into {NOTE} (source, place, mark, item) select {values} from ({was}) where item is not null")
    return noted


def _noted_items(touch: Touch, noted: str, collation: str) -> str:
    """SELECT item: what rows decided of that were noted, and that may be gone."""
    if touch.lookup is None or len(touch.columns) > 1:
        return f"select item from {NOTE} where {noted}"
    tied = _tied(touch.lookup, ["n.item"], collation)
    return f"select +{touch.lookup.item} as item from (select item from {NOTE} where {noted}) as n cross join {touch.lookup.tables} where {tied}"


def _marks(replaced: Sequence[Unique]) -> list[str]:
    """SQL for each key of the new row as a text."""
    return [
        " || ',' || ".join([literal(str(number)), *(f"quote(new.{quote(one or '')})" for one, _ in unique)])
        for number, unique in enumerate(replaced)
    ]


def _noted(source: Source, place: int, replaced: Sequence[Unique]) -> str:
    return f"source = {number_literal(source)} and place = {literal(str(place))} and mark in ({', '.join(_marks(replaced))})"


def counting() -> Iterator[tuple[str, str]]:
    """(name, SQL) of the triggers that keep the counts true of the postings."""
    for event, row, change in (("insert", "new", "+ 1"), ("delete", "old", "- 1")):
        same = f"tag = {row}.tag and source = {row}.source and month = substr({row}.published, 1, 7)"
        missing = f"select {row}.tag, {row}.source, substr({row}.published, 1, 7), 0 where not exists (select 1 from {COUNTS} where {same})"
        body = [f"update {COUNTS} set items = items {change} where {same}"]
        if event == "insert":
            body.insert(0, f"insert into {COUNTS} (tag, source, month, items) {missing}")
        else:
            body.append(f"delete from {COUNTS} where {same} and items = 0")
        name, joined = f"{PREFIX}counts_{event}", ";\n  ".join(body)
        yield name, f"create trigger {quote(name)} after {event} on {POSTING} for each row begin\n  {joined};\nend"
