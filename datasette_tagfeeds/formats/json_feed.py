"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/), with what programs want to know under `_tagfeeds`."""

import json
from typing import Any

from ..model import Entry, Feed, Person

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def render(feed: Feed) -> bytes:
    """The feed as a JSON document in UTF-8; the same feed always gives the same bytes."""
    document = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.link("alternate"),
        "feed_url": feed.link("self"),
        "next_url": feed.link("next"),
        "icon": feed.logo,
        "favicon": feed.icon,
        "authors": [_author(feed.author)],
        "language": feed.language,
        "hubs": [{"type": "WebSub", "url": link.href} for link in feed.links if link.rel == "hub"],
        "_tagfeeds": {"expression": feed.expression, "count": feed.count, "types": dict(feed.types), **_extra(feed)},
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps(_filled(document), ensure_ascii=False, separators=(",", ":")).encode()


def _extra(feed: Feed) -> dict[str, object]:
    return {name: value for name, value in (("related", feed.related), ("timeline", feed.timeline)) if value is not None}


def _item(entry: Entry) -> dict[str, object]:
    attachments = [
        _filled({"url": link.href, "mime_type": link.type or "application/octet-stream", "size_in_bytes": link.length})
        for link in entry.links
        if link.rel == "enclosure"
    ]
    external = next((link.href for link in entry.links if link.rel == "related"), None)
    item = {
        "id": entry.id,
        "url": entry.link,
        "external_url": external,
        "title": entry.title,
        # An item must have content: where it is left out, its summary stands in.
        "content_html": entry.content,
        "content_text": None if entry.content else entry.summary or entry.title,
        "summary": entry.summary,
        "image": entry.thumbnail,
        "date_published": entry.published,
        "date_modified": entry.updated,
        "authors": [_author(entry.author)] if entry.author else None,
        "tags": [category.label for category in entry.categories],
        "language": entry.language,
        "attachments": attachments,
        "_tagfeeds": {"type": entry.source},
    }
    return _filled(item)


def _author(person: Person) -> dict[str, Any]:
    return _filled({"name": person.name, "url": person.uri or (f"mailto:{person.email}" if person.email else None)})


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if (value is not None and value != []) or name == "items"}
