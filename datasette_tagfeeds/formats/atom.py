"""Atom 1.0 (RFC 4287), by feedgen."""

from datetime import datetime
from importlib.metadata import version
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from ..model import Category, Entry, Feed, Link, Person
from ..values import styled

MEDIA_TYPE = "application/atom+xml"
HISTORY = "http://purl.org/syndication/history/1.0"
GENERATOR = "datasette-tagfeeds"
HOME = "https://pypi.org/project/datasette-tagfeeds/"


def render(feed: Feed) -> bytes:
    """The feed as an Atom document in UTF-8; the same feed always gives the same bytes."""
    generator = FeedGenerator()
    generator.register_extension("ours", _History, _Language)
    if any(entry.thumbnail for entry in feed.entries):
        generator.load_extension("media", atom=True, rss=False)
    generator.id(feed.id)
    generator.title(feed.title)
    generator.updated(_moment(feed.updated))
    generator.author(_person(feed.author))
    generator.link([_link(link) for link in feed.links])
    generator.language(feed.language)
    generator.generator(GENERATOR, version(GENERATOR), HOME)
    if feed.category:
        generator.category(_category(feed.category))
    # feedgen leaves out what is None.
    generator.icon(feed.icon)
    generator.logo(feed.logo)
    generator.rights(feed.rights)
    generator.ours.complete = feed.complete
    for entry in feed.entries:
        # feedgen puts entries in front unless told otherwise.
        _fill(generator.add_entry(feedEntry=_Entry(), order="append"), entry)
    return styled(generator.atom_str(), feed.stylesheet)


def _fill(target: FeedEntry, entry: Entry) -> None:
    target.id(entry.id)
    target.title(entry.title)
    target.published(_moment(entry.published))
    target.updated(_moment(entry.updated))
    target.link([_link(Link("alternate", entry.link, "text/html")), *map(_link, entry.links)])
    target.ours.code = entry.language
    if entry.author:
        target.author(_person(entry.author))
    if entry.contributor:
        target.contributor(_person(entry.contributor))
    target.rights(entry.rights)
    if entry.categories:
        target.category([_category(category) for category in entry.categories])
    if entry.summary:
        target.summary(entry.summary)
    if entry.content:
        target.content(entry.content, type="html")
    if entry.thumbnail:
        target.media.thumbnail({"url": entry.thumbnail, "group": None})


class _Entry(FeedEntry):  # type: ignore[misc]
    """An entry whose links keep their relation, type and length, which feedgen 1.0 drops (python-feedgen#135)."""

    def atom_entry(self, extensions: bool = True) -> Any:
        """The entry's element."""
        element = super().atom_entry(extensions)
        for child, link in zip(element.findall("link"), self.link() or [], strict=True):
            for name in ("rel", "type", "length"):
                if link.get(name):
                    child.set(name, link[name])
        return element


class _History(BaseExtension):  # type: ignore[misc]
    """fh:complete on a feed that holds all there is (RFC 5005 §2)."""

    complete = False

    def extend_ns(self) -> dict[str, str]:
        """The prefix that readers know."""
        return {"fh": HISTORY} if self.complete else {}

    def extend_atom(self, feed: Any) -> Any:
        """Add the element."""
        if self.complete:
            etree.SubElement(feed, f"{{{HISTORY}}}complete")
        return feed


class _Language(BaseEntryExtension):  # type: ignore[misc]
    """xml:lang on an entry in another language than its feed's (RFC 4287 §2)."""

    code: str | None = None

    def extend_atom(self, entry: Any) -> Any:
        """Set the attribute."""
        if self.code:
            entry.set("{http://www.w3.org/XML/1998/namespace}lang", self.code)
        return entry


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _person(person: Person) -> dict[str, str]:
    parts = {"name": person.name, "email": person.email, "uri": person.uri}
    return {name: value for name, value in parts.items() if value}


def _link(link: Link) -> dict[str, str]:
    parts = {"href": link.href, "rel": link.rel, "type": link.type, "length": None if link.length is None else str(link.length)}
    return {name: value for name, value in parts.items() if value}


def _category(category: Category) -> dict[str, str]:
    return {"term": category.term, "scheme": category.scheme, "label": category.label}
