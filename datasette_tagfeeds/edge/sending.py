"""Requests to other servers, one after the other."""

import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import NamedTuple

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


def send(calls: Iterable[Call]) -> None:
    """Make the requests. Raises Refused for the first that is not answered well."""
    for call in calls:
        request = urllib.request.Request(call.url, call.body, dict(call.headers), method=call.method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):
                pass
        except urllib.error.HTTPError as error:
            raise Refused(f"{call.url} answered {error.code} {error.reason}.") from error
        except (OSError, ValueError) as error:
            raise Refused(f"{call.url} could not be reached: {error}.") from error
