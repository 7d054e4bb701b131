"""What stands around a page's items: types, timeline, related tags, ways to change the expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log

from ..errors import Unavailable
from ..expression import MAX_TAGS, And, Expression, Not, Tag, canonical, in_words
from ..expression import tags as tags_of
from ..formats import drawing
from ..model import Tally
from ..relations import Selection
from ..statements import NEWEST
from .parameters import Parameters
from .visit import Visit

SEEN_WITH = 9
NARROWS_TO = 7
# A tag whose items are here in this share, or more, is a part of what the page is about.
PART = 0.8


async def around(here: Visit, expression: Expression, selection: Selection, count: int) -> dict[str, object]:
    """The context that tag pages need beside their items."""
    seen, narrower = await _related(here, expression, selection, count)
    return {
        "types": await _types(here, expression, selection),
        "bars": await _timeline(here, expression),
        "seen_with": seen,
        "narrows_to": narrower,
        "newest": NEWEST if count > NEWEST else None,
        "chips": _chips(here, expression),
        "within": str(expression),
        "searchable": any(source.search for source in here.store.sources.values()),
        "hidden_fields": [(name, value) for name, value in here.parameters.pairs() if name != "q"],
        "q": here.parameters.q,
        "random_url": f"{here.addresses.local(expression)}/random" + here.parameters.query(None),
        "looks": looks(here),
    }


def looks(here: Visit) -> dict[str, int]:
    """The look of each type, by the site's order of sources."""
    names = list(here.store.sources)
    return {name: drawing.look(names, name) for name in names}


def _address(here: Visit, expression: Expression, parameters: Parameters) -> str:
    return here.addresses.local(expression) + parameters.query(None)


async def _types(here: Visit, expression: Expression, selection: Selection) -> list[dict[str, object]]:
    """All types together and each by itself, with counts; nothing where there is one type only."""
    if len(here.store.sources) < 2:
        return []
    own = here.parameters
    tallies = await here.store.tallies(replace(selection, types=None) if own.q is None else selection)
    if len(tallies) < 2 and not own.types:
        return []
    total = {"label": "All", "count": sum(tally.items for tally in tallies), "look": 0, "current": not own.types}
    rows = [{**total, "url": _address(here, expression, replace(own, types=()))}]
    order = looks(here)
    for tally in sorted(tallies, key=lambda tally: order[tally.source]):
        narrowed = replace(own, types=(tally.source,))
        row = {"label": here.store.sources[tally.source].label, "count": tally.items, "look": order[tally.source]}
        rows.append({**row, "current": own.types == (tally.source,), "url": _address(here, expression, narrowed)})
    return rows


async def _timeline(here: Visit, expression: Expression) -> list[dict[str, object]]:
    """Years, or the months of the year that is chosen; each a link that narrows the page to it."""
    own = here.parameters
    year = own.year
    wide = replace(own, month=None, year=year)
    counts = await here.store.timeline(wide.selection(expression, here.store.sources.values()), months=year is not None)
    labels = {name: source.label for name, source in here.store.sources.items()}
    bars = drawing.timeline(counts, list(here.store.sources), labels)
    return [{"bar": bar, "url": _address(here, expression, _narrowed(own, bar.name)), "current": bar.name == _chosen(own)} for bar in bars]


def _narrowed(own: Parameters, period: str) -> Parameters:
    return replace(own, year=period[:4], month=period[5:] or None)


def _chosen(own: Parameters) -> str | None:
    return f"{own.year}-{own.month}" if own.month else own.year


async def _related(
    here: Visit, expression: Expression, selection: Selection, count: int
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The tags that are seen with these items more than by chance, and those that are a part of what they are about."""
    own = list(tags_of(expression))
    if len(own) >= MAX_TAGS or not count:
        return [], []
    try:
        found = await here.store.related(selection)
    except Unavailable:  # over the time limit: the page is worth more than its margin
        return [], []
    for tag in [*own, *here.settings.hidden]:
        found.pop(tag, None)
    if here.exported:
        # A file is written anew when its own items change, and not when others do.
        often = sorted(found, key=lambda tag: (-found[tag], tag))[:SEEN_WITH]
        return [{"tag": tag, "count": found[tag], "url": here.addresses.local(Tag(tag))} for tag in often], []
    whole = await here.store.sizes(list(found))
    parts = [tag for tag in whole if found[tag] >= max(2, PART * whole[tag]) and whole[tag] < count]
    total = sum(tally.items for tally in (await here.store.horizon()).totals)
    seen = sorted((tag for tag in whole if tag not in parts), key=lambda tag: (-_closeness(found[tag], whole[tag], count, total), tag))
    return [_seen(here, expression, tag, found[tag]) for tag in seen[:SEEN_WITH]], [
        {"tag": tag, "url": here.addresses.local(Tag(tag)), "count": found[tag], "whole": whole[tag]} for tag in parts[:NARROWS_TO]
    ]


def _closeness(both: int, tag: int, here: int, total: int) -> float:
    """How much a tag belongs: how often it is seen, and how much more often than by chance (its lift)."""
    return both * log(1 + both * total / (here * tag))


def _seen(here: Visit, expression: Expression, tag: str, count: int) -> dict[str, object]:
    add = canonical(And((expression, Tag(tag))))
    without = canonical(And((expression, Not(Tag(tag)))))
    return {"tag": tag, "count": count, "url": here.addresses.local(add), "without_url": here.addresses.local(without)}


def _chips(here: Visit, expression: Expression) -> list[Mapping[str, object]]:
    """The operands of an AND, each with the way to the page without it; of another expression none."""
    operands = expression.operands if isinstance(expression, And) else (expression,)
    if len(operands) < 2:
        return []
    chips: list[Mapping[str, object]] = []
    for one in operands:
        rest = tuple(other for other in operands if other != one)
        chips.append({"words": in_words(one), "url": here.addresses.local(canonical(And(rest)))})
    return chips


def kinds(here: Visit, tallies: list[Tally]) -> list[dict[str, object]]:
    """The types that have items, in the order of their looks."""
    order = looks(here)
    found = sorted(tallies, key=lambda tally: order[tally.source])
    return [
        {"label": here.store.sources[one.source].label, "count": one.items, "look": order[one.source], "name": one.source} for one in found
    ]
