"""The relation of items that every question reads, as SQL: what a source holds, and which of it a selection asks for.

items_of(source)   SELECT item, published          the rows that the predicate `where` lets through
arm(source)        SELECT published, source, item  those of them that the selection holds
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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

    `since` and `until` are the beginnings of UTC texts; `search` is a query in the syntax of SQLite's full-text search. `sizes` are
    the numbers of items under tags, as far as they are known: they decide which tag is looked up first, and nothing else.
    """

    expression: Expression | None = None
    types: frozenset[str] | None = None
    since: str = ""
    until: str = ""
    search: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict, compare=False, hash=False)


class Arm(NamedTuple):
    """One part of a selection: SELECT published, source, item … WHERE …, to which more tests and an order may be added; how the key
    is written in them."""

    sql: str
    key: str


def names_of(selection: Selection) -> dict[str, str]:
    """The parameter of each tag in a selection's expression."""
    found = dict.fromkeys(tags(selection.expression) if selection.expression else ())
    return {tag: f"tag{place}" for place, tag in enumerate(found)}


def bound(sources: Sequence[Source], selection: Selection, now: str) -> dict[str, object]:
    """What to bind to the arms of these sources."""
    parameters: dict[str, object] = {"now": now, **{f"source{number}": source.name for number, source in enumerate(sources)}}
    for tag, name in names_of(selection).items():
        parameters |= bind_tag(name, tag)
    if selection.since:
        parameters |= {"since": selection.since, "until": selection.until}
    if selection.search is not None:
        parameters["search"] = selection.search
    return parameters


def due(selection: Selection) -> list[str]:
    """Tests that an item is published, and when the selection says."""
    return [DUE, *(["published >= :since and published < :until"] if selection.since else [])]


def found_by_search(source: Source) -> str:
    """A test that a row is found by the selection's search."""
    index = quote(source.search or "")
    return f"{quote(source.table)}.rowid in (select rowid from {index} where {index} match :search)"


def arm(source: Source, selection: Selection, number: int) -> Arm:
    """One source's part of the selection, read from its tables. Tags are looked up by `in`, so that a rare one drives the search."""
    tests = tests_of(source, selection.expression, names_of(selection))
    if selection.search is not None and source.search:
        tests.append(found_by_search(source))
    sql = f"select published, :source{number} as source, item from ({items_of(source, tests)}) where {' and '.join(due(selection))}"
    return Arm(sql, "+item collate binary")


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


def published_of(source: Source, normalised: Callable[[str, str], str]) -> str:
    """SQL for the moment that orders a row, by what makes it of a column and a time zone; '' where it has none."""
    return normalised(f"{quote(source.table)}.{quote(source.published)}", source.timezone) if source.published else "''"


def items_of(source: Source, tests: Sequence[str] = (), normalised: Callable[[str, str], str] | None = None) -> str:
    """SELECT item, published of the rows that have a key, that `where` lets through, and that pass the tests."""
    published = published_of(source, normalised or (lambda column, zone: normalised_sql(column, zone, source.date_forms)))
    # The line breaks keep a comment in `where` from swallowing the parenthesis.
    only = [f"{exact_key(source)} in ({source.only})"] if source.only else []
    every = [*is_key(source.key, quote(source.table)), *([f"(\n{source.where}\n)"] if source.where else []), *only, *tests]
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
