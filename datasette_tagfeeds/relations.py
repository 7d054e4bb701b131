"""The relation of items that every question reads, as SQL: what a source holds, and which of it a selection asks for.

items_of(source)   SELECT item, published          the rows that the predicate `where` lets through
arm(source)        SELECT published, source, item  those of them that the selection holds
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .dates import normalised_sql
from .expression import And, Expression, Not, Or, Tag, is_bounded, tags
from .model import Source
from .sources.taggings import carrying, tagged
from .sql import bind_tag, columns_of, is_key, key, quote

Parameters = Mapping[str, object]

Key = int | str

# Undated rows ('') come before every moment, so they are always due.
DUE = "published <= :now"


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


def selected(sources: Sequence[Source], selection: Selection, now: str) -> tuple[str, dict[str, object]]:
    """(published, source, item) of the sources' items in the selection, for a FROM clause, with what to bind."""
    arms, parameters = [], dict[str, object](now=now)
    for number, source in enumerate(sources):
        sql, bound = arm(source, selection, number)
        arms.append(sql)
        parameters |= bound
    return "(" + "\nunion all\n".join(arms) + ")", parameters


def arm(source: Source, selection: Selection, number: int) -> tuple[str, dict[str, object]]:
    """One source's part of the selection. Tags are looked up by `in`, so that a rare one drives the search."""
    names = {tag: f"tag{place}" for place, tag in enumerate(dict.fromkeys(tags(selection.expression) if selection.expression else ()))}
    parameters: dict[str, object] = {f"source{number}": source.name}
    for tag, name in names.items():
        parameters |= bind_tag(name, tag)
    tests, due = tests_of(source, selection.expression, names), [DUE]
    if selection.since:
        due.append("published >= :since and published < :until")
        parameters |= {"since": selection.since, "until": selection.until}
    if selection.search is not None and source.search:
        index = quote(source.search)
        tests.append(f"{quote(source.table)}.rowid in (select rowid from {index} where {index} match :search)")
        parameters["search"] = selection.search
    sql = f"select published, :source{number} as source, item from ({items_of(source, tests)}) where {' and '.join(due)}"
    return sql, parameters


def tests_of(source: Source, expression: Expression | None, names: Mapping[str, str]) -> list[str]:
    """Tests that a row is in the expression; what is not bounded by tags of its own ranges over tagged items."""
    everything = f"{exact_key(source)} in (select item from ({tagged(source.tags)}))"
    if expression is None:
        return [everything]
    return [_test(source, expression, names), *([] if is_bounded(expression) else [everything])]


def _test(source: Source, expression: Expression, names: Mapping[str, str]) -> str:
    match expression:
        case Tag(name):
            return f"{exact_key(source)} in ({carrying(source.tags, names[name])})"
        case Not(operand):
            return f"not {_test(source, operand, names)}"
        case And(operands):
            return f"({' and '.join(_test(source, one, names) for one in operands)})"
        case Or(operands) if all(isinstance(one, Tag) for one in operands):
            # One list of items can drive the search; several tests joined by OR would try each on every row.
            lists = (carrying(source.tags, names[name]) for one in operands for name in tags(one))
            return f"{exact_key(source)} in ({' union all '.join(lists)})"
        case Or(operands):
            return f"({' or '.join(_test(source, one, names) for one in operands)})"


def rows_from(source: Source) -> str:
    """The source's rows, called by its table's name, so that columns can be named in full: SQLite takes an unknown "name" for a text."""
    return source.relation if source.relation == quote(source.table) else f"{source.relation} as {quote(source.table)}"


def own_key(source: Source) -> str:
    """The row's key, by the table's name."""
    return key(source.key, quote(source.table))


def exact_key(source: Source) -> str:
    """The row's key, compared byte by byte whatever collation its column has."""
    return f"{own_key(source)} collate binary"


def items_of(source: Source, tests: Sequence[str] = ()) -> str:
    """SELECT item, published of the rows that have a key, that `where` lets through, and that pass the tests."""
    column = f"{quote(source.table)}.{quote(source.published or '')}"
    published = normalised_sql(column, source.timezone, source.date_forms) if source.published else "''"
    # The line breaks keep a comment in `where` from swallowing the parenthesis.
    every = [*is_key(source.key, quote(source.table)), *([f"(\n{source.where}\n)"] if source.where else []), *tests]
    sql = f"select {own_key(source)} as item, {published} as published from {rows_from(source)} where {' and '.join(every)}"
    # A view may repeat an item, one row a tag. The limit keeps SQLite from working out each date again for every use of it.
    return f"select item, max(published) as published from ({sql}) group by item" if source.is_view else f"{sql} limit -1"


def rows_of(source: Source, keys: Sequence[Key], columns: Sequence[str] = ()) -> Statement:
    """SELECT item and columns of the rows with these keys. Several key columns are compared as the array that they make."""
    parameters: dict[str, object] = {f"k{number}": one for number, one in enumerate(keys)}
    listed = ", ".join([f"{own_key(source)} as item", *columns_of(columns, quote(source.table))])
    wanted = ", ".join(f":{name}" for name in parameters)
    sql = f"select {listed} from {rows_from(source)} where {exact_key(source)} in ({wanted})"
    return Statement(sql, parameters)
