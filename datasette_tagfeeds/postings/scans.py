"""Selections read from the index: the same arms and figures as `relations` has, without looking at the user's tables.

An expression is taken apart into scans that share no item: each goes along one tag's postings in their order, and tests each item
of them. An OR is one scan for each operand, less those before it; an AND is that of its smallest operand; a NOT is of all that is tagged.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..expression import And, Expression, Not, Or, Tag, is_bounded
from ..model import Source
from ..relations import Arm, Selection, due, found_by_search, names_of, own_key, rows_from
from .layout import COUNTS, POSTING, number_literal

EVERYTHING = ""


class Scan(NamedTuple):
    """The postings of one tag ('' for all that is tagged) that pass tests."""

    tag: str
    tests: tuple[Expression, ...] = ()


def scans(expression: Expression | None, sizes: Mapping[str, int]) -> list[Scan]:
    """Scans that hold each item of an expression exactly once."""
    match expression:
        case None:
            return [Scan(EVERYTHING)]
        case Tag(name):
            return [Scan(name)]
        case Not():
            return [Scan(EVERYTHING, (expression,))]
        case Or(operands):
            return [
                Scan(one.tag, (*one.tests, *(Not(before) for before in operands[:place])))
                for place, operand in enumerate(operands)
                for one in scans(operand, sizes)
            ]
        case And(operands):
            bounded = [place for place, operand in enumerate(operands) if is_bounded(operand)]
            if not bounded:
                return [Scan(EVERYTHING, operands)]
            ways = {place: scans(operands[place], sizes) for place in bounded}
            chosen = min(bounded, key=lambda place: sum(sizes.get(one.tag, 0) for one in ways[place]))
            rest = (*operands[:chosen], *operands[chosen + 1 :])
            return [Scan(one.tag, (*one.tests, *rest)) for one in ways[chosen]]
    raise AssertionError(expression)


def arms(source: Source, selection: Selection, number: int) -> list[Arm]:
    """One source's part of the selection, one arm a scan."""
    found = scans(selection.expression, selection.sizes)
    return [Arm(f"select published, :source{number} as source, item {_from(source, selection, one)}", "item") for one in found]


def _from(source: Source, selection: Selection, scan: Scan) -> str:
    names = names_of(selection)
    tests = [_test(source, one, names) for one in scan.tests]
    if selection.search is not None and source.search:
        tests.append(f"p.item in (select {own_key(source)} from {rows_from(source)} where {found_by_search(source)})")
    return f"from {POSTING} as p where {' and '.join([*_place(source, scan.tag, names), *due(selection), *tests])}"


def _place(source: Source, tag: str, names: Mapping[str, str], alias: str = "p") -> list[str]:
    """Tests that a row of the index is of a tag and a source."""
    return [f"{alias}.tag = {':' + names[tag] if tag else repr(EVERYTHING)}", f"{alias}.source = {number_literal(source)}"]


def _test(source: Source, expression: Expression, names: Mapping[str, str]) -> str:
    """A test that the item of the posting p is in an expression."""
    match expression:
        case Tag(name):
            tests = [*_place(source, name, names, "q"), "q.published = p.published", "q.item = p.item"]
            return f"exists (select 1 from {POSTING} as q where {' and '.join(tests)})"
        case Not(operand):
            return f"not {_test(source, operand, names)}"
        case And(operands) | Or(operands):
            word = " and " if isinstance(expression, And) else " or "
            return f"({word.join(_test(source, one, names) for one in operands)})"
    raise AssertionError(expression)


def months(source: Source, selection: Selection) -> str:
    """SELECT month, items: how many of the selection are of each month, some of them taken away again; '' for the undated.

    What is kept answers for one tag. For one that another is taken from, it answers less what both have. Anything else is counted, along its
    smallest operand.
    """
    found = scans(selection.expression, selection.sizes)
    if selection.search is None and len(found) == 1 and not found[0].tests:
        return _kept(source, selection, found[0].tag)
    if selection.search is None and len(found) == 1 and len(found[0].tests) == 1 and isinstance(found[0].tests[0], Not):
        tag, taken = found[0].tag, found[0].tests[0].operand
        both = scans(And((Tag(tag), taken)) if tag else taken, selection.sizes)
        taken_away = (_counted(source, selection, one, "-") if one.tests else _kept(source, selection, one.tag, "-") for one in both)
        return " union all ".join([_kept(source, selection, tag), *taken_away])
    return " union all ".join(_counted(source, selection, one) for one in found)


def _counted(source: Source, selection: Selection, scan: Scan, sign: str = "") -> str:
    return f"select substr(published, 1, 7) as month, {sign}count(*) as items {_from(source, selection, scan)} group by 1"


def _kept(source: Source, selection: Selection, tag: str, sign: str = "") -> str:
    names = names_of(selection)
    when = ["c.month >= :since and c.month < :until"] if selection.since else []
    kept = f"select c.month as month, {sign}c.items as items from {COUNTS} as c where {' and '.join([*_place(source, tag, names, 'c'), *when])}"
    later = ["p.published > :now", *(["p.published < :until and p.published >= :since"] if selection.since else [])]
    future = f"from {POSTING} as p where {' and '.join([*_place(source, tag, names), *later])}"
    return f"{kept} union all select substr(p.published, 1, 7), {'' if sign else '-'}1 {future}"


def extreme(source: Source, selection: Selection, number: int, latest: bool) -> str:
    """SQL for the first or the latest date of the selection; '' for none."""
    figure, order = ("max", "desc") if latest else ("min", "")
    each = [
        f"select * from ({arm.sql} and published <> '' order by published {order}, item {order} limit 1)"
        for arm in arms(source, selection, number)
    ]
    return f"coalesce((select {figure}(published) from ({' union all '.join(each)})), '')"


def tag_relation(source: Source) -> str:
    """SELECT item, tag: every tagging of the source."""
    return f"select item, tag from {POSTING} where source = {number_literal(source)} and tag <> ''"


def tag_counts(source: Source, number: int) -> Sequence[str]:
    """SELECTs of tag, source, year, items, latest that together say, for each tag, how many are due, and the date of its latest. The year is
    left out: see `years`."""
    mine, name = f"source = {number_literal(source)}", f":source{number}"
    future = f"select item, published from {POSTING} where tag = '' and {mine} and published > :now"
    latest = f"(select max(published) from {POSTING} as p where p.tag = c.tag and p.{mine} and p.published <= :now)"
    return (
        f"select tag, {name}, '', sum(items), '' from {COUNTS} where {mine} and tag <> '' group by tag",
        f"select p.tag, {name}, '', -1, '' from ({future}) as f join {POSTING} as p on p.{mine} and p.item = f.item where p.tag <> ''",
        f"select c.tag, {name}, '', 0, coalesce({latest}, '') from (select distinct tag from {COUNTS} where {mine} and tag <> '') as c",
    )


def years(source: Source, parameters: Sequence[str]) -> str:
    """SELECT tag, year, items: how many items that are due carry each of these tags in each year, in rows that add up."""
    mine, wanted = f"source = {number_literal(source)}", f"in ({', '.join(f':{one}' for one in parameters)})"
    return (
        f"select tag, substr(month, 1, 4), sum(items) from {COUNTS} where {mine} and tag {wanted} and month <> '' group by 1, 2"
        f" union all select tag, substr(published, 1, 4), -count(*) from {POSTING} where {mine} and tag {wanted} and published > :now group by 1, 2"
    )


def next_due(source: Source) -> str:
    """SELECT the moment at which the source's next item becomes due; NULL for none."""
    return f"select min(published) as due from {POSTING} where tag = '' and source = {number_literal(source)} and published > :now"


def carried(source: Source, number: int, place: int) -> str:
    """SELECT tag, source: the tag bound as tag`place`, where an item that is due carries it."""
    mine = f"tag = :tag{place} and source = {number_literal(source)} and published <= :now"
    return f"select :tag{place}, :source{number} where exists (select 1 from {POSTING} where {mine})"


def sizes(source: Source, parameters: Sequence[str]) -> str:
    """SELECT tag, items: how many items that are due carry each of these tags, in rows that add up."""
    mine, wanted = f"source = {number_literal(source)}", f"in ({', '.join(f':{one}' for one in parameters)})"
    return (
        f"select tag, sum(items) from {COUNTS} where {mine} and tag {wanted} group by tag"
        f" union all select tag, -count(*) from {POSTING} where {mine} and tag {wanted} and published > :now group by tag"
    )
