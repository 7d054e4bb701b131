"""From documents and errors to responses: methods, validators, caching, CORS. An answer is a value, made once."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from inspect import signature
from time import time
from typing import TYPE_CHECKING

from datasette.utils.asgi import Request, Response
from datasette.views.base import DatasetteError

from ..errors import AddressTooLong, MethodNotAllowed, NotFound, TagfeedsError, Unavailable
from ..values import one_line
from . import conditional

if TYPE_CHECKING:
    from datasette.app import Datasette

View = Callable[[Request, "Datasette"], Awaitable[Response]]
MAX_ADDRESS = 8 * 1024
METHODS = "GET, HEAD, OPTIONS"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Link, Last-Modified"}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since",
    "Access-Control-Max-Age": "86400",
}
PRIVATE = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
# What feeds answer errors as; their addresses end so.
PLAIN_FORMATS = (".atom", ".rss", ".opml")
# What a client that has the body knows already.
OF_THE_BODY = frozenset(["Link", "X-Content-Type-Options", "X-Robots-Tag", "Content-Security-Policy"])
# What Python needs for a document's headers and times, beside their letters, in bytes.
OBJECTS = 1500
# How long what is unknown may be taken for unknown, in seconds.
UNKNOWN_TTL = 60


@dataclass(frozen=True)
class Document:
    """What is sent for a 200: the bytes, and the headers that go with them, validators included.

    `modified` is in Unix seconds, None where it cannot be known. The compressed bytes are made once.
    """

    body: bytes
    media_type: str
    tag: str
    modified: int | None
    headers: Mapping[str, str]
    _compressed: list[bytes] = field(default_factory=list, compare=False, repr=False)

    @property
    def whole(self) -> bytes:
        """The bytes, also of a packed document."""
        return self.body or conditional.expanded(self._compressed[0])

    def packed(self) -> Document:
        """The same with the compressed bytes alone: a fourth of the size."""
        return replace(self, body=b"", _compressed=[self.compressed])

    @property
    def compressed(self) -> bytes:
        """The bytes as gzip."""
        if not self._compressed:
            self._compressed.append(conditional.compressed(self.body))
        return self._compressed[0]

    @property
    def size(self) -> int:
        """About how many bytes are held: the body, its compressed copy once it is made, the headers."""
        return len(self.body) + sum(map(len, self._compressed)) + self._weight + OBJECTS

    @cached_property
    def _weight(self) -> int:
        return len(repr(self.dated))

    @cached_property
    def undated(self) -> Mapping[str, str]:
        """The headers of every answer."""
        return {**self.headers, "ETag": self.tag, "Vary": "Accept-Encoding"}

    @cached_property
    def dated(self) -> Mapping[str, str]:
        """The same with the date, where there is one."""
        return {**self.undated, **({} if self.modified is None else {"Last-Modified": conditional.http_date(self.modified)})}


def caching(ttl: int, wanted: bool = True) -> dict[str, str]:
    """How long a public document may be kept (RFC 9111 §5.2.2, RFC 5861); readers take `ttl`, in seconds, for a polling interval.

    Datasette wants no such headers while someone works on its templates.
    """
    if not wanted:
        return dict(CORS)
    shared = min(300, ttl)
    return {"Cache-Control": f"public, max-age={ttl}, s-maxage={shared}, stale-while-revalidate=3600, stale-if-error=86400", **CORS}


def respond(request: Request, document: Document) -> Response:
    """The document, or 304 where the client has it, with the validators and caching headers that the 200 would have (RFC 9110 §15.4.5).

    A date is sent from its second on, when nothing that changes can still get it (RFC 9110 §8.8.2.1).
    """
    said, now = fields(request), int(time())
    headers = dict(document.dated if document.modified is not None and document.modified <= now else document.undated)
    content_type = f"{document.media_type}; charset=utf-8"
    tags, since = said.get(b"if-none-match"), said.get(b"if-modified-since")
    if conditional.not_modified(_text(tags), _text(since), document.tag, document.modified, now):
        kept = {name: value for name, value in headers.items() if name not in OF_THE_BODY}
        return Response(b"", status=304, headers=kept, content_type=content_type)
    if conditional.accepts_gzip(_text(said.get(b"accept-encoding"))):
        body = document.compressed
        headers["Content-Encoding"] = "gzip"
    else:
        body = document.whole
    headers["Content-Length"] = str(len(body))
    return Response(b"" if request.method == "HEAD" else body, headers=headers, content_type=content_type)


def fields(request: Request) -> Mapping[bytes, bytes]:
    """The headers of the request by their names in small letters; several lines of one are one list (RFC 9110 §5.3)."""
    found: dict[bytes, bytes] = {}
    for key, value in request.scope.get("headers") or ():
        name = key.lower()
        found[name] = b", ".join((found[name], value)) if name in found else value
    return found


def is_personal(request: Request) -> bool:
    """True for a request of an actor, or by an address with a token, good or not: nobody else may keep what it is answered."""
    return request.actor is not None or any(request.args.getlist("token"))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def answers(view: View) -> View:
    """Turn methods that are not for reading, and our errors, into answers."""

    @wraps(view)
    async def answering(request: Request, datasette: Datasette) -> Response:
        try:
            if request.method == "OPTIONS":
                return Response(b"", status=204, headers={"Allow": METHODS, **({} if is_personal(request) else PREFLIGHT)})
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed("Feeds and tag pages can be read, with GET or HEAD, and nothing else.")
            if len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"]) > MAX_ADDRESS:
                raise AddressTooLong("The address is longer than 8 KB.")
            return await view(request, datasette)
        except TagfeedsError as error:
            return failed(request, error, datasette.cache_headers)

    # Datasette asks at each request which arguments a view takes, and what it would find is always the same.
    answering.__signature__ = signature(view)  # type: ignore[attr-defined]
    return answering


def failed(request: Request, error: TagfeedsError, cached: bool) -> Response:
    """An error as feeds, programs and people read it; raises Datasette's own error for pages, which its templates show."""
    sentence, headers = one_line(str(error)), _headers(request, error, cached)
    if request.path.endswith(".json"):
        body = json.dumps({"ok": False, "error": sentence, "status": error.status})
        return Response(body, status=error.status, headers=headers, content_type="application/json; charset=utf-8")
    if request.path.endswith(PLAIN_FORMATS) or isinstance(error, (MethodNotAllowed, Unavailable)):
        return Response.text(f"{sentence}\n", status=error.status, headers=headers)
    html = error.html if isinstance(error, NotFound) else None
    raise DatasetteError(html or sentence, status=error.status, message_is_html=html is not None) from error


def _headers(request: Request, error: TagfeedsError, cached: bool) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": METHODS}
    if isinstance(error, Unavailable):
        return {"Retry-After": "5", "Cache-Control": "no-store"}
    if is_personal(request):
        return {**PRIVATE, "X-Content-Type-Options": "nosniff"}
    kept = {"Cache-Control": f"public, max-age={UNKNOWN_TTL}"} if cached else {}
    return {**CORS, **kept, "X-Content-Type-Options": "nosniff"}
