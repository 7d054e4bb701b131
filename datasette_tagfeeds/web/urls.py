"""Tags in addresses and addresses of things. Tags are encoded and decoded here and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from datasette.utils.asgi import Request

from ..config import Settings
from ..errors import BadRequest, NotFound
from ..model import Source
from ..values import address

if TYPE_CHECKING:
    from datasette.app import Datasette

# The suffixes that name a format; a tag that ends in one has its dot escaped.
FORMATS = ("atom", "rss", "json")
# What has a meaning in an address, and is written as ~XX in a tag.
STRUCTURAL = "%+,()/~?#"
# The year on which every default authority is taken to have held its name (RFC 4151 §2.1); it must never change.
AUTHORITY_DATE = "2026"
COMBINING = re.compile(r"[+,()]|^-")
PAGE, FEED = "text/html", "application/atom+xml"


def encode_tag(tag: str) -> str:
    """The tag as a path segment in its one canonical spelling (RFC 3986 §3.3): `c~2B~2B`, `a~2Fb`, `caf%C3%A9`."""
    if tag in (".", ".."):
        return "~2E" * len(tag)
    written = "".join(f"~{ord(char):02X}" if char in STRUCTURAL else quote(char, safe="") for char in tag)
    if tag[:1] in ("-", "@"):
        written = f"~{ord(tag[0]):02X}" + written.removeprefix(quote(tag[0], safe=""))
    stem, dot, suffix = written.rpartition(".")
    return f"{stem}~2E{suffix}" if dot and suffix in FORMATS else written


def decode_tag(segment: str) -> str:
    """The tag that a raw path segment spells, escaped either way. Raises BadRequest for what is not one tag."""
    if not segment:
        raise BadRequest("There is no tag in this address.")
    if COMBINING.search(segment):
        raise BadRequest(
            f"“{segment}” combines tags, which this version cannot do yet. A tag with + , ( ) in it is written with ~2B ~2C ~28 ~29."
        )
    if segment.startswith("@"):
        raise NotFound(f"There is no named expression “{segment}”. A tag that begins with @ is written with ~40.")
    try:
        return unquote_to_bytes(re.sub(r"~(?=[0-9A-Fa-f]{2})", "%", segment)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("The address is not UTF-8.") from error


def split_format(segment: str) -> tuple[str, str | None]:
    """The stem of a raw path segment and its format; None for a page."""
    stem, dot, suffix = segment.rpartition(".")
    return (stem, suffix) if dot and suffix in FORMATS else (segment, None)


@dataclass(frozen=True)
class Addresses:
    """Where everything is, seen from one request.

    Addresses are absolute, as documents need them; pages link `linked_locally`, by path, so that they work under any host.
    """

    datasette: Datasette
    request: Request
    settings: Settings
    path: str
    linked_locally: bool = False

    @cached_property
    def base(self) -> str:
        """The base of links: the setting, else what the client asked for. Raises BadRequest where that is no host."""
        if self.settings.base_url:
            return self.settings.base_url
        try:
            asked = self.datasette.absolute_url(self.request, "/")
            found = None if re.search(r"\s", asked) else address(asked, "")
        except ValueError:
            found = None
        if not found:
            raise BadRequest("The Host header is not the name of a host.")
        return found

    @cached_property
    def scheme(self) -> str:
        """The address of the index; as a category's scheme it says whose tags these are (RFC 4287 §4.2.2.2)."""
        return self.absolute(self.local()) + "/"

    def local(self, tag: str | None = None, format: str | None = None) -> str:
        """The path of a tag's page (None: of the index) or, with a format, of its feed; Datasette's prefix included."""
        segment = f"/{encode_tag(tag)}" if tag is not None else ""
        return str(self.datasette.urls.path(self.path + segment)) + (f".{format}" if format else "")

    def absolute(self, path: str) -> str:
        """A path of this server as others reach it."""
        return urljoin(self.base, path)

    def tag(self, tag: str) -> str:
        """A tag's page."""
        return self._link(self.local(tag))

    def row(self, source: Source, path: str) -> str:
        """Datasette's own page of a row."""
        return self._link(str(self.datasette.urls.row(source.database, source.table, path)))

    def _link(self, path: str) -> str:
        return path if self.linked_locally else self.absolute(path)

    @cached_property
    def authority(self) -> str:
        """The tagging entity of our tag URIs (RFC 4151 §2.1): the setting, else the host of `base`."""
        if self.settings.authority:
            return self.settings.authority
        host = re.sub(r"[^a-z0-9.-]+", "-", (urlsplit(self.base).hostname or "").lower()).strip("-.")
        return f"{host or 'localhost'},{AUTHORITY_DATE}"

    def entry_id(self, source: Source, path: str) -> str:
        """The id of a row's entry: nothing in it changes with title, slug, tag, format, feed or (with authority) host."""
        return f"tag:{self.authority}:{source.namespace}/{path}"

    def feed_id(self, tag: str | None) -> str:
        """The id of a feed: one for each tag, the same on all its pages."""
        return f"tag:{self.authority}:tags/{encode_tag(tag) if tag is not None else ''}"
