"""Requests to other servers, one after the other."""

import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Any, NamedTuple

# Seconds that a server may take to answer.
PATIENCE = 30


class Call(NamedTuple):
    """A request that is to be made."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Refused(Exception):
    """A server did not take a request; its text is a sentence that says so."""


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: as a GET it would tell nothing, and headers that prove who tells would go to another server."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Nowhere)


def send(calls: Iterable[Call]) -> None:
    """Make the requests. Raises Refused for the first that is not answered well."""
    for call in calls:
        try:
            request = urllib.request.Request(call.url, call.body, dict(call.headers), method=call.method)
            if request.type not in ("http", "https"):
                raise ValueError("it is no address of HTTP")
            with _OPENER.open(request, timeout=PATIENCE):
                pass
        except urllib.error.HTTPError as error:
            raise Refused(f"{call.url} answered {error.code} {error.reason}.") from error
        except (OSError, ValueError, HTTPException) as error:
            raise Refused(f"{call.url} could not be reached: {error}.") from error
