"""Documents that the server has made before: a feed, its 304, a page; beside routes that do nothing, and other programs."""

from collections.abc import Iterator
from pathlib import Path

import data
import load
import servers
from table import Bench, Row

CONNECTIONS = (1, 16)
# Common enough to have 30 items among 10,000.
TAG = data.tags()[9]
FEED = f"/tags/{TAG}.atom"


def feed(bench: Bench) -> Iterator[Row]:
    """A warm feed of 30 entries."""
    database = bench.database(bench.items[0])
    with servers.plugin(bench.plugin, database) as server:
        size = _prepare(server, database)
        asked: dict[str, load.Asked] = {"feed": (server.url(FEED), {}), "constant": (server.url("/-/constant"), {})}
        for connections in CONNECTIONS:
            runs = load.in_turns(asked, connections, bench.seconds)
            yield Row.at_least(
                f"warm feed, 30 entries, {size:,} bytes, {_connections(connections)}, beside a route that sends the same bytes",
                f"{runs['feed']}, constant {runs['constant']}",
                0.8,
                runs.ratio("feed", "constant"),
            )
    with servers.datasette_atom(bench.venvs / "atom", database) as server:
        yield from _other(bench, server, "datasette-atom", f"/weblog/tagged.atom?tag={TAG}&size=30")
    with servers.django(bench.venvs / "django", database) as server:
        yield from _other(bench, server, "Django", FEED)


def conditional(bench: Bench) -> Iterator[Row]:
    """A warm feed that the client has."""
    database = bench.database(bench.items[0])
    with servers.plugin(bench.plugin, database) as server:
        _prepare(server, database)
        tag = load.get(server.port, FEED)[0].headers["ETag"]
        asked: dict[str, load.Asked] = {
            "feed": (server.url(FEED), {"If-None-Match": tag}),
            "constant": (server.url("/-/constant"), {}),
            "empty": (server.url("/-/unchanged"), {}),
        }
        for connections in CONNECTIONS:
            runs = load.in_turns(asked, connections, bench.seconds)
            yield Row.at_least(
                f"the same feed answered 304, {_connections(connections)}, beside the constant route",
                f"{runs['feed']}, constant {runs['constant']}; a route that only says 304 {runs['empty'].rate:,.0f}/s ({runs.ratio('feed', 'empty'):.2f})",
                0.9,
                runs.ratio("feed", "constant"),
            )


def page(bench: Bench) -> Iterator[Row]:
    """A warm page of a tag."""
    database = bench.database(bench.items[0])
    with servers.plugin(bench.plugin, database) as server:
        _prepare(server, database)
        asked: dict[str, load.Asked] = {"page": (server.url(f"/tags/{TAG}"), {}), "bare": (server.url("/bare"), {})}
        for connections in CONNECTIONS:
            runs = load.in_turns(asked, connections, bench.seconds)
            yield Row.at_least(
                f"warm page of a tag, {_connections(connections)}, beside a page that only extends base.html",
                f"{runs['page']}, bare {runs['bare']}",
                0.6,
                runs.ratio("page", "bare"),
            )


def _prepare(server: servers.Server, database: Path) -> int:
    """Ask for the documents once, and give the constant route its bytes."""
    response, body = load.get(server.port, FEED)
    if response.status != 200 or body.count(b"<entry") != 30:
        raise load.Failed(f"{FEED}: {response.status}, {body.count(b'<entry')} entries")
    (database.parent / "plugins" / "feed.bytes").write_bytes(body)
    for path, same in (("/-/constant", body), (f"/tags/{TAG}", None)):
        response, found = load.get(server.port, path)
        if response.status != 200 or (same and found != same):
            raise load.Failed(f"{path}: {response.status}, {len(found)} bytes")
    return len(body)


def _other(bench: Bench, server: servers.Server, name: str, path: str) -> Iterator[Row]:
    response, body = load.get(server.port, path)
    if response.status != 200 or body.count(b"<entry") != 30:
        raise load.Failed(f"{name}: {response.status}, {body.count(b'<entry')} entries")
    for connections in CONNECTIONS:
        run = load.in_turns({name: (server.url(path), {})}, connections, bench.seconds, rounds=1)[name]
        yield Row(f"the same items from {name}, {bench.items[0]:,} items, {_connections(connections)}", str(run))


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"
