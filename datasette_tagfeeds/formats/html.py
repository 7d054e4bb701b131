"""What the page templates show, made of the same entries as the feeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

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
    host: str


@dataclass(frozen=True)
class Year:
    """The items of one year; '' for the undated."""

    name: str
    items: tuple[PageItem, ...]


def years(entries: tuple[Entry, ...]) -> Iterator[Year]:
    """The entries under the years in which they were published, in their order."""
    for year, members in groupby(entries, key=lambda entry: entry.published[:4]):
        yield Year(year, tuple(_item(entry) for entry in members))


def date_in_words(published: str, short: bool = False) -> str:
    """22 October 2018, or 22 Oct 2018; '' for undated."""
    if not published:
        return ""
    day, month = _day(published).split()
    return f"{day} {month[:3] if short else month} {published[:4]}"


def _day(published: str) -> str:
    return f"{int(published[8:10])} {MONTHS[int(published[5:7]) - 1]}"


def _item(entry: Entry) -> PageItem:
    day = _day(entry.published) if entry.published else ""
    short_day = f"{day.split()[0]} {day.split()[1][:3]}" if day else ""
    # The body has been sanitised: pages never trust a source.
    return PageItem(entry, short_day, date_in_words(entry.published), Markup(entry.content or ""), _host(entry))


def _host(entry: Entry) -> str:
    """The host of what a link post is about, without its www; '' for other items."""
    related = next((link.href for link in entry.links if link.rel == "related"), "")
    return (urlsplit(related).hostname or "").removeprefix("www.")
