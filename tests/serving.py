"""Real programs on loopback ports: servers that a test starts, asks and stops."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Seconds for a program to begin to answer: a busy machine fails no test.
PATIENCE = 60


class Answer:
    """What a server sent."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        self.etag = self.headers["ETag"]

    @property
    def text(self) -> str:
        return self.body.decode()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    """The answer to one request; If_None_Match= is the header If-None-Match."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def until(what: Callable[[], bool], or_say: Callable[[], str] = lambda: "") -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if what():
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise AssertionError(f"it never came: {or_say()}")


@contextmanager
def running(
    command: Sequence[str], folder: Path, port: int, path: str = "/", environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that answers on a port, until the block ends; its output is in the folder."""
    output = folder / f"{Path(command[0]).name}-{port}.log"
    with output.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment)
    try:
        until(lambda: process.poll() is not None or ask(port, path).status < 500, output.read_text)
        assert process.poll() is None, output.read_text()
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def datasette(*arguments: object) -> list[str]:
    """The command line of the Datasette under test."""
    return [sys.executable, "-m", "datasette", *map(str, arguments)]


@contextmanager
def served(*arguments: object, folder: Path, port: int | None = None) -> Iterator[int]:
    """`datasette serve` with these arguments; yields its port."""
    port = port or free_port()
    with running(datasette("serve", *arguments, "-p", port), folder, port, "/-/versions.json"):
        yield port
