"""OPML 2.0 (http://opml.org/spec2.opml): a list of feeds to subscribe to."""

from collections.abc import Iterable

from lxml import etree

from ..model import Outline

MEDIA_TYPE = "text/x-opml"


def render(title: str, owner: str | None, outlines: Iterable[Outline]) -> bytes:
    """The list as an OPML document in UTF-8. Every outline is of type rss, which OPML calls feeds of all formats."""
    root = etree.Element("opml", version="2.0")
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = title
    if owner:
        etree.SubElement(head, "ownerName").text = owner
    for one in outlines:
        etree.SubElement(body, "outline", text=one.text, title=one.text, type="rss", xmlUrl=one.feed_url, htmlUrl=one.page_url)
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document
