"""Drawings as numbers for SVG: x in per cent, y in pixels, so that neither text nor texture is ever stretched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

HEIGHT = 110
# Types beyond the fifth share its look.
LOOKS = 5
# More bars than these are no timeline.
BARS = 60
SPARK = 10


@dataclass(frozen=True)
class Part:
    """A stretch of a bar in the look of a type."""

    look: int
    at: float
    length: float


@dataclass(frozen=True)
class Bar:
    """One year or month: its place, its parts, its count in words."""

    name: str
    label: str
    count: int
    words: str
    x: float
    width: float
    parts: tuple[Part, ...]


def timeline(counts: Mapping[str, Mapping[str, int]], names: Sequence[str], labels: Mapping[str, str]) -> list[Bar]:
    """A bar for each period, its types stacked; the highest is HEIGHT. `names` are the sources in the order of their looks."""
    periods = _periods(list(counts))
    highest = max((sum(by.values()) for by in counts.values()), default=0)
    if len(periods) < 2 or not highest:
        return []
    width = 100 / len(periods)
    every = -(-len(periods) // 8)
    bars = []
    for place, period in enumerate(periods):
        by = counts.get(period, {})
        count = sum(by.values())
        words = ", ".join(f"{labels[name]} {by[name]:,}" for name in names if by.get(name))
        shown = period if (place % every == 0 and place < len(periods) - every // 2) or place == len(periods) - 1 else ""
        parts = tuple(_stacked([(look(names, name), by[name]) for name in names if by.get(name)], HEIGHT / highest))
        bars.append(Bar(period, shown, count, f"{period}: {count:,} ({words})" if by else f"{period}: none", place * width, width, parts))
    return bars


def _periods(found: list[str]) -> list[str]:
    """Every year from the first to the last, or every month; only those with items where that would be too many."""
    found = sorted(found)
    if not found or len(found[0]) != 4:
        return [f"{found[0][:4]}-{month:02}" for month in range(1, 13)] if found else []
    years = [f"{year:04}" for year in range(int(found[0]), int(found[-1]) + 1)]
    return years if len(years) <= BARS else found[-BARS:]


def _stacked(parts: Sequence[tuple[int, int]], scale: float) -> list[Part]:
    """The parts from the bottom up; what is there at all can be seen."""
    made, top = [], float(HEIGHT)
    for kind, count in parts:
        length = max(1.0, count * scale)
        top -= length
        made.append(Part(kind, round(top, 1), round(length, 1)))
    return made


def look(names: Sequence[str], name: str) -> int:
    """The look of a type, from 1: by its place among all, so that it is the same on every page."""
    return min(LOOKS, list(names).index(name) + 1)


def segments(counts: Mapping[str, int], names: Sequence[str], largest: int) -> list[Part]:
    """A level bar, as long as its count is against the largest; parts below half a per cent go with the one before."""
    made: list[Part] = []
    at = 0.0
    for name in names:
        length = 100 * counts.get(name, 0) / largest
        if made and 0 < length < 0.5:
            made[-1] = Part(made[-1].look, made[-1].at, round(made[-1].length + length, 1))
        elif length:
            made.append(Part(look(names, name), round(at, 1), round(max(0.3, length), 1)))
        at += length
    return made


def spark(years: Mapping[str, int], first: int, last: int) -> str:
    """The path of a profile of the years, four wide each; every row to its own largest."""
    counts = {int(year): count for year, count in years.items() if year and first <= int(year) <= last}
    if not counts:
        return ""
    scale = SPARK / max(counts.values())
    levels = [SPARK - max(1, round(counts[year] * scale)) if year in counts else SPARK for year in range(first, last + 1)]
    return f"M0 {SPARK}" + "".join(f"V{level}h{4 * len(list(run))}" for level, run in groupby(levels)) + f"V{SPARK}"
