"""Asking a Datasette in this process for what becomes a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from ..web.visit import EXPORTED, Exported

if TYPE_CHECKING:
    from datasette.app import Datasette


class Answer(NamedTuple):
    """What was answered: the status, the headers by their names in small letters, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def next_query(self) -> str | None:
        """The query string of the page after this one."""
        found = re.search(r'<(\?[^>]+)>; rel="next"', self.headers.get("link", ""))
        return found[1] if found else None


class Asker:
    """One Datasette, its application made once, asked by the anonymous visitor."""

    def __init__(self, datasette: Datasette) -> None:
        self._application = datasette.app()

    async def __call__(self, path: str, page: int = 1) -> Answer:
        """The answer to a GET, as a file has it; `page` is its number among the pages of its tag."""
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": unquote(raw),
            "raw_path": raw.encode("ascii"),
            "query_string": query.encode("ascii"),
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
            EXPORTED: Exported(page),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
