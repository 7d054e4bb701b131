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
from .layout import COUNTS, NOTE, POSTING, QUEUE, number_literal

Normalised = Callable[[str, str], str]
TABLE_EVENTS = ("insert", "update", "delete")


def taggings_of(source: Source, items: str | None, normalised: Normalised = quick_sql) -> str:
    """SELECT tag, published, item: what the index should hold of the source, or of the items that `items` selects: each tagging, and one with
    the tag '' for each tagged item. Left out is what `normalised` gives no date for."""
    wanted = [f"{exact_key(source)} in ({items})"] if items else []
    tests = [f"{source.tags.item} in ({items})"] if items else []
    rows = f"({items_of(source, wanted, normalised)}) as i join ({tagged(source.tags, *tests)}) as t on t.item collate binary = i.item"
    each = f"select t.tag as tag, i.published as published, i.item as item from {rows} where i.published is not null"
    return f"select tag, published, item from ({each}) union select '', published, item from ({each})"


def derivation(source: Source, items: str, normalised: Normalised = quick_sql) -> tuple[str, ...]:
    """Statements that make the index true of some items: what should not be there goes, what is missing comes."""
    number = number_literal(source)
    right = taggings_of(source, items, normalised)
    known = f"select 1 from {POSTING} as p where p.tag = r.tag and p.source = {number} and p.published = r.published and p.item = r.item"
    return (
        f"delete from {POSTING} where source = {number} and item in ({items}) and (tag, published, item) not in ({right})",
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


def triggers(source: Source, uniques: Callable[[str], Sequence[Sequence[str]]]) -> Iterator[tuple[str, str]]:
    """(name, SQL) of the triggers of one source. `uniques` gives the keys of a table that no two of its rows share."""
    for place, touch in enumerate(source.touches):
        replaced = list(_replaceable(touch, uniques(touch.table)))
        for event in TABLE_EVENTS:
            rows = {"insert": ("new",), "update": ("old", "new"), "delete": ("old",)}[event]
            touched = [items_touched(touch, row) for row in rows]
            noted = bool(replaced) and event != "delete"
            if noted:
                yield _trigger(source, place, f"before {event}", touch.table, _notes(source, place, touch, replaced))
                touched.append(f"select item from {NOTE} where {_noted(source, place)}")
            body = derivation(source, " union all ".join(touched))
            forget = [f"delete from {NOTE} where {_noted(source, place)}"] if noted else []
            yield _trigger(source, place, f"after {event}", touch.table, [*body, *forget])


def _trigger(source: Source, place: int, when: str, table: str, body: Sequence[str]) -> tuple[str, str]:
    name = f"{PREFIX}{source.indexed}_{place}_{when.replace(' ', '_')}"
    statements = ";\n  ".join(body)
    return name, f"create trigger {quote(name)} {when} on {quote(table)} for each row begin\n  {statements};\nend"


def items_touched(touch: Touch, row: str) -> str:
    """SELECT item: the items that a row of the table, called `row`, decides of."""
    if touch.lookup is None:
        columns = columns_of(touch.columns, row)
        return f"select {'+' if len(columns) == 1 else ''}{key(touch.columns, row)} as item"
    return f"select {touch.lookup.item} as item from {touch.lookup.tables} where {_tied(touch.lookup, touch.columns, row)}"


def _tied(lookup: Lookup, columns: Sequence[str], row: str) -> str:
    pairs = zip(lookup.columns, columns_of(columns, row), strict=True)
    return " and ".join(f"{one} = +{other}" for one, other in pairs)


def _replaceable(touch: Touch, uniques: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The keys by which a REPLACE may remove a row that touches other items than the one that replaces it."""
    for unique in uniques:
        if not (touch.lookup is None and set(touch.columns) <= set(unique)):
            yield unique


def _notes(source: Source, place: int, touch: Touch, replaced: Sequence[Sequence[str]]) -> list[str]:
    """Note the items of rows that have a key of the new row; what an ignored row has left is forgotten."""
    number, here = number_literal(source), literal(str(place))
    noted = [f"delete from {NOTE} where {_noted(source, place)}"]
    for unique in replaced:
        same = " and ".join(f"was.{quote(one)} = +new.{quote(one)}" for one in unique)
        if touch.lookup is None:
            items = f"select {key(touch.columns, 'was')} as item from {quote(touch.table)} as was where {same}"
        else:
            tied = _tied(touch.lookup, touch.columns, "was")
            items = f"select {touch.lookup.item} as item from {quote(touch.table)} as was, {touch.lookup.tables} where {same} and {tied}"
        noted.append(f"insert into {NOTE} (source, place, item) select {number}, {here}, item from ({items}) where item is not null")
    return noted


def _noted(source: Source, place: int) -> str:
    return f"source = {number_literal(source)} and place = {literal(str(place))}"


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
