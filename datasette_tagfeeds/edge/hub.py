"""Telling a WebSub hub which feeds have news (https://www.w3.org/TR/websub/#publishing, in the form that hubs take)."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from .sending import Call


def calls(hub: str, topics: Iterable[str]) -> Iterator[Call]:
    """The requests that tell a hub of feeds, by their addresses, each by itself: not every hub takes several at once."""
    for topic in topics:
        body = urlencode({"hub.mode": "publish", "hub.url": topic}).encode()
        yield Call("POST", hub, {"Content-Type": "application/x-www-form-urlencoded"}, body)
