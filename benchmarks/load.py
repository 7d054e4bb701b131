"""Requests and what they take: many of the same by wrk, or one after the other, each for another document."""

import re
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
# Seconds that one answer may take.
PATIENCE = 90

# An address and the headers to send.
Asked = tuple[str, Mapping[str, str]]


class Failed(Exception):
    """A measurement that cannot be trusted."""


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests a second, and milliseconds."""

    rate: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s (p50 {self.p50:.1f}, p99 {self.p99:.1f} ms)"


@dataclass(frozen=True)
class Turns:
    """Runs by name."""

    runs: Mapping[str, list[Load]]

    def __getitem__(self, name: str) -> Load:
        """The median run of this name."""
        loads = sorted(self.runs[name], key=lambda load: load.rate)
        return loads[len(loads) // 2]

    def ratio(self, name: str, other: str) -> float:
        """The median over the rounds of one's rate beside the other's."""
        return statistics.median(one.rate / beside.rate for one, beside in zip(self.runs[name], self.runs[other], strict=True))


@dataclass(frozen=True)
class Cold:
    """Requests one by one: the median in milliseconds, and how many got which status."""

    p50: float
    statuses: Mapping[int, int]

    @property
    def is_whole(self) -> bool:
        """True where every answer is a document."""
        return set(self.statuses) == {200}

    def __str__(self) -> str:
        refused = "".join(
            f", {count} of {sum(self.statuses.values())} answered {code}" for code, count in self.statuses.items() if code != 200
        )
        return f"{self.p50:,.1f} ms{refused}"


def wrk(url: str, connections: int, seconds: int, headers: Mapping[str, str]) -> Load:
    """Ask for one document again and again."""
    options = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", *options, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    if trouble := re.search(r"Non-2xx.*|Socket errors.*", said):
        raise Failed(trouble[0])
    percentiles = {percent: float(value) * UNITS[unit] for percent, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)\b", said)}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not rate or len(percentiles) < 2:
        raise Failed(f"wrk said: {said[-200:]}")
    return Load(float(rate[1]), percentiles["50"], percentiles["99"])


def in_turns(asked: Mapping[str, Asked], connections: int, seconds: int, rounds: int = 3) -> Turns:
    """Run each address with its headers; addresses take turns, so that a busy moment of the machine meets all."""
    runs: dict[str, list[Load]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, (url, headers) in asked.items():
            runs[name].append(wrk(url, connections, seconds, headers))
    return Turns(runs)


def answer(connection: HTTPConnection, path: str) -> tuple[HTTPResponse, bytes]:
    """One answer, read to its end."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response, response.read()


def get(port: int, path: str, patience: int = PATIENCE) -> tuple[HTTPResponse, bytes]:
    """One answer on a connection of its own; 503 is asked again for a while, and the last answer given."""
    until = time.monotonic() + patience
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        response, body = answer(connection, path)
        connection.close()
        if response.status != 503 or time.monotonic() > until:
            return response, body
        time.sleep(0.5)


def cold(port: int, paths: Iterable[str], seconds: float = 60) -> Cold:
    """Each path once, on one connection, for so many seconds at most."""
    following = iter(paths)
    return _walk(port, next(following), lambda _: next(following, None), seconds)


def archive(port: int, path: str, pages: int = 30, seconds: float = 60) -> Cold:
    """A feed and its older pages, each found by the link of the one before."""
    left = iter(range(pages - 1))

    def older(response: HTTPResponse) -> str | None:
        found = re.search(r'<https?://[^/>]+([^>]*)>; rel="next"', response.getheader("Link", ""))
        return found[1] if found and next(left, None) is not None else None

    return _walk(port, path, older, seconds)


def _walk(port: int, path: str | None, following: Callable[[HTTPResponse], str | None], seconds: float) -> Cold:
    times: list[float] = []
    statuses: Counter[int] = Counter()
    until = time.monotonic() + seconds
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    while path is not None and (not times or time.monotonic() < until):
        start = time.perf_counter()
        response, _ = answer(connection, path)
        times.append(1000 * (time.perf_counter() - start))
        statuses[response.status] += 1
        path = following(response)
    connection.close()
    return Cold(statistics.median(times), statuses)


def sizes(path: str, wanted: Iterable[int] = range(16, 46)) -> list[str]:
    """The path with each of these sizes at its end; their mean is about 30."""
    return [f"{path}{size}" for size in wanted]
