"""What the page templates show, made of the same entries as the feeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from ..model import Entry

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


@dataclass(frozen=True)
class PageItem:
    """An entry with its dates in words and its body as markup."""

    entry: Entry
    day: str
    date: str
    body: Markup


@dataclass(frozen=True)
class Year:
    """The items of one year; '' for the undated."""

    name: str
    items: tuple[PageItem, ...]


def years(entries: tuple[Entry, ...]) -> Iterator[Year]:
    """The entries under the years in which they were published, in their order."""
    for year, members in groupby(entries, key=lambda entry: entry.published[:4]):
        yield Year(year, tuple(_item(entry) for entry in members))


def date_in_words(published: str) -> str:
    """22 October 2018; '' for undated."""
    return f"{_day(published)} {published[:4]}" if published else ""


def _day(published: str) -> str:
    return f"{int(published[8:10])} {MONTHS[int(published[5:7]) - 1]}"


def _item(entry: Entry) -> PageItem:
    day = _day(entry.published) if entry.published else ""
    short_day = f"{day.split()[0]} {day.split()[1][:3]}" if day else ""
    # The body has been sanitised: pages never trust a source.
    return PageItem(entry, short_day, date_in_words(entry.published), Markup(entry.content or ""))
