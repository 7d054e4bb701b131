"""A WebSub hub and a subscriber (https://www.w3.org/TR/websub/), as far as publishing needs them: both real servers."""

import http.client
import re
import secrets
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


class Server:
    """A server on a loopback port that answers by `get` and `post`."""

    def __init__(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(*owner.get(self.path, self.headers))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                self.headers.method = self.command  # type: ignore[attr-defined]
                self.answer(owner.post(self.path, self.headers, body))

            do_PURGE = do_POST

            def answer(self, status: int, body: bytes = b"") -> None:
                self.send_response(status)
                if 300 < status < 304 or status == 307:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path: str, headers: Any) -> tuple[int, bytes]:
        return 405, b""

    def post(self, path: str, headers: Any, body: bytes) -> int:
        return 405

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def relations(response: http.client.HTTPResponse) -> dict[str, str]:
    """The links of a response's header, by relation."""
    return {rel: href for href, rel in re.findall(r'<([^>]*)>; rel="([^"]*)"', response.headers["Link"] or "")}


class Hub(Server):
    """Verifies subscribers (§5.3), fetches what it is told of if it is told to (`fetches`), and hands it on (§7); `refuses` makes it answer 503."""

    def __init__(self, fetches: bool = False) -> None:
        super().__init__()
        self.told: list[str] = []
        self.fetches, self.refuses = fetches, False
        self.subscribers: dict[str, list[str]] = {}

    def post(self, path: str, headers: Any, body: bytes) -> int:
        said = {name: value[0] for name, value in parse_qs(body.decode()).items()}
        if self.refuses:
            return 503
        if said["hub.mode"] == "subscribe":
            return self._subscribe(said["hub.topic"], said["hub.callback"])
        if (path, said["hub.mode"]) != ("/", "publish"):
            return 400
        self.told.append(said["hub.url"])
        return self._hand_on(said["hub.url"]) if self.fetches else 204

    def _subscribe(self, topic: str, callback: str) -> int:
        challenge = secrets.token_hex(8)
        asked = urlencode({"hub.mode": "subscribe", "hub.topic": topic, "hub.challenge": challenge, "hub.lease_seconds": 3600})
        with urllib.request.urlopen(f"{callback}?{asked}") as response:
            if response.read().decode() != challenge:
                return 404
        self.subscribers.setdefault(topic, []).append(callback)
        return 202

    def _hand_on(self, topic: str) -> int:
        with urllib.request.urlopen(topic) as response:
            body, links = response.read(), relations(response)
            if (links.get("hub"), links.get("self")) != (self.address, topic):
                return 409
            kind = response.headers["Content-Type"]
        for callback in self.subscribers.get(topic, []):
            headers = {"Content-Type": kind, "Link": f'<{self.address}>; rel="hub", <{topic}>; rel="self"'}
            urllib.request.urlopen(urllib.request.Request(callback, body, headers)).close()
        return 204


class Subscriber(Server):
    """A feed reader that finds a feed's hub (§4), subscribes there, and keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.topic = ""
        self.got: list[bytes] = []

    def subscribe(self, feed: str) -> None:
        with urllib.request.urlopen(feed) as response:
            links = relations(response)
        self.topic = links["self"]
        body = urlencode({"hub.mode": "subscribe", "hub.topic": self.topic, "hub.callback": self.address}).encode()
        urllib.request.urlopen(urllib.request.Request(links["hub"], body)).close()

    def get(self, path: str, headers: Any) -> tuple[int, bytes]:
        asked = parse_qs(urlsplit(path).query)
        return (200, asked["hub.challenge"][0].encode()) if asked["hub.topic"] == [self.topic] else (404, b"")

    def post(self, path: str, headers: Any, body: bytes) -> int:
        self.got.append(body)
        return 200
