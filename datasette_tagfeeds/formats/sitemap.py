"""Sitemaps (https://www.sitemaps.org/protocol.html): the pages that search engines should look at."""

from collections.abc import Iterable

from lxml import etree

SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# How many pages one may list.
MOST = 50_000


def render(pages: Iterable[tuple[str, str]]) -> bytes:
    """A sitemap of (address, day of the last change as 2026-11-23 or '') of at most MOST pages."""
    root = etree.Element("urlset", nsmap={None: SPACE})
    for address, day in pages:
        one = etree.SubElement(root, "url")
        etree.SubElement(one, "loc").text = address
        if day:
            etree.SubElement(one, "lastmod").text = day
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document
