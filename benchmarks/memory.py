"""How much memory the server holds after many requests over all tags."""

import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from itertools import count

import data
import indexed
import load
import servers
from table import Bench, Row

THREADS = 4
# Seconds that all requests may take; where they do not suffice, the row says how many were made.
PATIENCE = 1500
# What counts as no growth, in MB.
FLAT = 5


def memory(bench: Bench) -> Iterator[Row]:
    """The server's memory halfway and at the end, without what Datasette itself and compiled libraries hold."""
    items = bench.items[0]
    database = indexed.used(bench, items)
    with servers.without_plugin(bench.plugin, database) as server:
        load.get(server.port, "/")
        bare = server.resident()
    paths = [f"/tags/{tag}.atom" for tag in data.tags()]
    with servers.plugin(bench.plugin, database) as server:
        until = time.monotonic() + PATIENCE
        load.get(server.port, paths[0])
        half = ask(server.port, paths, bench.requests // 2, until)
        first = server.resident()
        done = half + ask(server.port, paths, bench.requests - bench.requests // 2, until)
        last = server.resident()
    if half == done:
        raise load.Failed(f"{half:,} requests took longer than {PATIENCE} s")
    what = f"memory after {done:,} requests over {len(paths):,} tags, {items:,} items, indexed, less that of Datasette with lxml and nh3"
    yield Row.at_most(what, f"{last:.0f} MB, less {bare:.0f} MB", 60, last - bare, " MB", done == bench.requests)
    yield Row.at_most(f"growth from {half:,} requests to the end", f"{first:.0f} MB to {last:.0f} MB", FLAT, last - first, " MB")


def ask(port: int, paths: list[str], requests: int, until: float) -> int:
    """Ask for the paths in turn, some at a time; how many answers there were."""
    numbers, answered = count(), [0] * THREADS

    def run(thread: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=load.PATIENCE)
        while (number := next(numbers)) < requests and time.monotonic() < until:
            try:
                response, _ = load.answer(connection, paths[number % len(paths)])
            except (OSError, HTTPException):
                break
            # A few tags have no items; nothing else may go wrong.
            if response.status not in (200, 404):
                break
            answered[thread] += 1
        connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(answered)
