"""RSS 2.0, by feedgen, with what the RSS Advisory Board's profile asks for (https://www.rssboard.org/rss-profile)."""

from datetime import datetime
from email.utils import format_datetime
from html import escape
from importlib.metadata import version
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from ..model import Entry, Feed, Link
from ..values import styled

MEDIA_TYPE = "application/rss+xml"
GENERATOR = "datasette-tagfeeds"
NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
}
# What a channel says of itself by Atom's links (RFC 5005 appendix B, WebSub §4).
_RELATIONS = ("self", "first", "previous", "next", "hub")


def render(feed: Feed) -> bytes:
    """The feed as an RSS document in UTF-8; the same feed always gives the same bytes."""
    generator = FeedGenerator()
    # feedgen would take the clock for it, and switches the locale of the whole process for every date: dates are written by us.
    generator._FeedGenerator__rss_lastBuildDate = None
    generator.register_extension("ours", _Channel, _Item)
    generator.title(feed.title)
    generator.link(href=feed.link("alternate") or feed.id, rel="alternate")
    generator.description(feed.title)
    generator.language(feed.language)
    generator.generator(f"{GENERATOR} {version(GENERATOR)}")
    if feed.rights:
        generator.copyright(feed.rights)
    if feed.ttl:
        generator.ttl(max(1, feed.ttl // 60))
    if feed.category:
        generator.category({"term": feed.category.term, "scheme": feed.category.scheme})
    generator.ours.feed = feed
    for entry in feed.entries:
        _fill(generator.add_entry(order="append"), entry)
    return styled(generator.rss_str(), feed.stylesheet)


def _fill(target: FeedEntry, entry: Entry) -> None:
    target.title(entry.title)
    target.link(href=entry.link)
    target.guid(entry.id, permalink=False)
    target.ours.entry = entry
    if entry.summary:
        # A description is HTML, a summary is text.
        target.description(escape(entry.summary, quote=False), isSummary=True)
    if entry.content:
        target.content(entry.content, type="html")
    if entry.categories:
        target.category([{"term": one.term, "label": one.label, "scheme": one.scheme} for one in entry.categories])
    for link in entry.links:
        if link.rel == "enclosure":
            target.enclosure(link.href, str(link.length or 0), link.type or "application/octet-stream")


class _Channel(BaseExtension):  # type: ignore[misc]
    """What RSS itself has no word for: links, author, completeness, and dates that leave the locale alone."""

    feed: Feed

    def extend_ns(self) -> dict[str, str]:
        """The prefixes that readers know."""
        return NAMESPACES

    def extend_rss(self, root: Any) -> Any:
        """Add to the channel, before its items."""
        channel = root[0]
        if self.feed.entries:
            _add(channel, "lastBuildDate", _date(self.feed.updated))
        _add(channel, "dc:creator", self.feed.author.name)
        for link in self.feed.links:
            if link.rel in _RELATIONS:
                _add_link(channel, link)
        if self.feed.complete:
            _add(channel, "fh:complete", None)
        if self.feed.logo:
            image = _add(channel, "image", None)
            for name, text in (("url", self.feed.logo), ("title", self.feed.title), ("link", self.feed.link("alternate"))):
                _add(image, name, text)
        return root


class _Item(BaseEntryExtension):  # type: ignore[misc]
    """An item's date, author and picture."""

    entry: Entry

    def extend_rss(self, item: Any) -> Any:
        """Add to the item."""
        _add(item, "pubDate", _date(self.entry.published))
        for name, person in (("dc:creator", self.entry.author), ("dc:contributor", self.entry.contributor)):
            if person:
                _add(item, name, person.name)
        if self.entry.rights:
            _add(item, "dc:rights", self.entry.rights)
        if self.entry.language:
            _add(item, "dc:language", self.entry.language)
        if self.entry.updated != self.entry.published:
            _add(item, "atom:updated", self.entry.updated)
        if self.entry.thumbnail:
            _add(item, "media:thumbnail", None).set("url", self.entry.thumbnail)
        return item


def _add(parent: Any, name: str, text: str | None) -> Any:
    prefix, _, local = name.rpartition(":")
    element = etree.SubElement(parent, f"{{{NAMESPACES[prefix]}}}{local}" if prefix else local)
    element.text = text
    return element


def _add_link(parent: Any, link: Link) -> None:
    element = _add(parent, "atom:link", None)
    for name, value in (("href", link.href), ("rel", link.rel), ("type", link.type)):
        if value:
            element.set(name, value)


def _date(text: str) -> str:
    """RFC 822 with a year of four digits, in English whatever the locale."""
    return format_datetime(datetime.fromisoformat(text.replace("Z", "+00:00")), usegmt=True)
