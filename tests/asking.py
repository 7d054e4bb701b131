"""Requests as a server makes them: any method, any bytes in the address, any header lines; and a clock that tests set."""

import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest

from datasette_tagfeeds import site, store
from datasette_tagfeeds.dates import utc_text
from datasette_tagfeeds.web import answers, cache

Lines = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What was sent, the body as it went over the wire."""

    status: int
    lines: Lines
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        """A header; None where it was not sent. Fails where it was sent twice."""
        found = [value for key, value in self.lines if key == name]
        assert len(found) <= 1, (name, found)
        return found[0] if found else None


class Asker:
    """One Datasette, its application made once."""

    def __init__(self, datasette: Any) -> None:
        self.datasette = datasette
        self._app = datasette.app()

    async def __call__(
        self, path: str, headers: dict[str, str | None] | Lines = (), method: str = "GET", actor: str | None = None
    ) -> Answer:
        """The answer to one request; headers that are None are not sent."""
        lines = [(key, value) for key, value in (headers.items() if isinstance(headers, dict) else headers) if value is not None]
        lines += [] if any(key.lower() == "host" for key, _ in lines) else [("host", "localhost")]
        lines += [("cookie", f"ds_actor={self.datasette.sign({'a': {'id': actor}}, 'actor')}")] if actor else []
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw, errors="replace"),
            "raw_path": raw.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in lines],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start, *bodies = sent
        told = [(key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in start["headers"]]
        return Answer(start["status"], told, b"".join(one.get("body", b"") for one in bodies))


class Clock:
    """The time, for whatever asks for it; it stands still until it is moved. It begins well after all that is on the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = int(time.time()) + 10_000
        self._patch = monkeypatch
        monkeypatch.setattr(store, "now", lambda: self.text())
        monkeypatch.setattr(answers, "time", lambda: float(self.now))
        monkeypatch.setattr(cache, "time", lambda: float(self.now))

    def text(self, later: int = 0) -> str:
        """The time, or some seconds later, as it is stored."""
        from datetime import datetime, timezone

        return utc_text(datetime.fromtimestamp(self.now + later, timezone.utc))

    def touch(self, path: Any, ago: int = 0) -> None:
        """Give a file the date that writing it now, or some seconds ago, would have given it."""
        os.utime(path, (self.now - ago, self.now - ago))

    def settings_in_a_file(self) -> None:
        """Let settings that a test passes count as old; Last-Modified is not sent for settings that are in no file."""
        self._patch.setattr(site, "_modified", lambda datasette: self.now - 9_000 if self.now else None)
