"""Where everything is, seen from one request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from datasette.utils import tilde_decode
from datasette.utils.asgi import Request

from ..config import Settings
from ..errors import BadRequest
from ..expression import Expression, Tag
from ..model import Source
from ..values import address

if TYPE_CHECKING:
    from datasette.app import Datasette

# The year on which every default authority is taken to have held its name (RFC 4151 §2.1); it must never change.
AUTHORITY_DATE = "2026"
PAGE = "text/html"


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

    def local(self, expression: Expression | None = None, format: str | None = None) -> str:
        """The path of an expression's page (None: of the index) or, with a format, of its feed; Datasette's prefix included."""
        segment = f"/{expression}" if expression is not None else ""
        # The JSON of the index is not the JSON Feed of everything.
        suffix = ".feed.json" if format == "json" and expression is None else f".{format}" if format else ""
        return str(self.datasette.urls.path(self.path + segment)) + suffix

    def static(self, name: str) -> str:
        """The path of one of our own files."""
        return str(self.datasette.urls.static_plugins("datasette_tagfeeds", name))

    def absolute(self, path: str) -> str:
        """A path of this server as others reach it."""
        # urljoin is slow, and a feed has hundreds of addresses; it is needed where a path has dots to be taken out.
        return urljoin(self.base, path) if path[:1] != "/" or path[:2] == "//" or "/." in path else self._origin + path

    @cached_property
    def _origin(self) -> str:
        """Scheme and host."""
        return urljoin(self.base, "/")[:-1]

    def tag(self, tag: str) -> str:
        """A tag's page."""
        return self._link(self.local(Tag(tag)))

    def row(self, source: Source, path: str) -> str:
        """Datasette's own page of a row; for a view, whose rows have none, the view with that row alone."""
        if source.is_view:
            view = str(self.datasette.urls.table(source.database, source.table))
            return self._link(f"{view}?{urlencode({f'{source.key[0]}__exact': tilde_decode(path)})}")
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

    def feed_id(self, expression: Expression | None, filters: str = "") -> str:
        """The id of a feed: one for each expression and its filters, the same on all its pages."""
        return f"tag:{self.authority}:tags/{expression if expression is not None else ''}{f'?{filters}' if filters else ''}"
