"""Documents that the server has never made: a feed of the commonest tag, and of two common tags together."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import data
import indexed
import load
import servers
from table import Bench, Row

FIRST, SECOND = data.tags()[:2]
SINGLE = f"/tags/{FIRST}.atom"
PAIR = f"/tags/{'+'.join(sorted((FIRST, SECOND)))}.atom"
# A feed that nothing else here asks for: for it the server counts its tags, once.
OTHER = f"/tags/{data.tags()[4]}.atom?size=1"


class Times(NamedTuple):
    """The commonest tag in thirty sizes, its archive page after page, and two tags in thirty sizes."""

    single: load.Cold
    archive: load.Cold
    pair: load.Cold


@cache
def measured(bench: Bench, items: int, has_index: bool) -> Times:
    """The plugin's, each on a server that has made nothing of it."""
    database = indexed.used(bench, items) if has_index else bench.database(items)

    def fresh(walk: Callable[[int], load.Cold]) -> load.Cold:
        with servers.plugin(bench.plugin, database) as server:
            load.get(server.port, OTHER)
            return walk(server.port)

    return Times(
        fresh(lambda port: load.cold(port, load.sizes(f"{SINGLE}?size="))),
        fresh(lambda port: load.archive(port, SINGLE)),
        fresh(lambda port: load.cold(port, load.sizes(f"{PAIR}?size="))),
    )


@cache
def others(bench: Bench, items: int) -> tuple[load.Cold, load.Cold]:
    """datasette-atom's and Django's feeds of the commonest tag; they remember nothing, so five are enough."""
    database = bench.database(items)
    with servers.datasette_atom(bench.venvs / "atom", database) as server:
        atom = load.cold(server.port, load.sizes(f"/weblog/tagged.atom?tag={FIRST}&size=", range(28, 33)))
    with servers.django(bench.venvs / "django", database) as server:
        django = load.cold(server.port, load.sizes(f"{SINGLE}?size=", range(28, 33)))
    return atom, django


def single(bench: Bench) -> Iterator[Row]:
    """A cold feed of the commonest tag."""
    for items in bench.items:
        atom, django = others(bench, items)
        yield Row(f"cold feed of the commonest tag, {items:,} items, datasette-atom", str(atom))
        yield Row(f"the same from Django, {items:,} items", str(django))
        live = measured(bench, items, False)
        yield Row(f"the same from the plugin, {items:,} items, not indexed", f"{live.single}; its archive {live.archive}")
    largest, atom = bench.items[-1], others(bench, bench.items[-1])[0]
    times = measured(bench, largest, True)
    yield _within("cold feed of the commonest tag", times.single, largest)
    yield _within("its archive, page after page, every item for the first time", times.archive, largest)
    # A refusal is no feed, however fast.
    faster = atom.p50 / times.single.p50 if times.single.is_whole and atom.is_whole else 0
    yield Row.at_least(f"datasette-atom's time over that, {largest:,} items", f"{atom} / {times.single}", 100, faster)


def growth(bench: Bench) -> Iterator[Row]:
    """The same feed among many and among few items."""
    smallest, largest = min(bench.items), max(bench.items)
    few, many = (measured(bench, items, True).single for items in (smallest, largest))
    yield Row.at_most(
        f"the same feed indexed, {largest:,} items over {smallest:,}",
        f"{many} / {few}",
        1.3,
        many.p50 / few.p50,
        "",
        many.is_whole and few.is_whole,
    )


def pair(bench: Bench) -> Iterator[Row]:
    """Two common tags together, beside one."""
    largest = bench.items[-1]
    for has_index in (False, True):
        times = measured(bench, largest, has_index)
        what = f"cold feed of two common tags together, {largest:,} items, {'indexed' if has_index else 'not indexed'}, over one tag"
        said, ratio = f"{times.pair} / {times.single}", times.pair.p50 / times.single.p50
        is_whole = times.pair.is_whole and times.single.is_whole
        yield Row.at_most(what, said, 1.5, ratio, "", is_whole) if has_index else Row(what, said, "", f"{ratio:.2f}" if is_whole else "")


def _within(what: str, time: load.Cold, items: int) -> Row:
    return Row.at_most(f"{what}, {items:,} items, indexed", str(time), 10, time.p50, " ms", time.is_whole)
