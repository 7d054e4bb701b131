"""How fast the plugin is, beside what else could serve the same feeds: make bench, or python benchmarks/bench.py [--only PART]

Prints one Markdown table, and on the error stream what it is doing. `make bench` once makes the virtual environments that this uses.
"""

import argparse
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cold
import memory
import warm
import writes
from table import Bench, Row, markdown

PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "warm": warm.feed,
    "conditional": warm.conditional,
    "page": warm.page,
    "cold": cold.single,
    "growth": cold.growth,
    "pair": cold.pair,
    "building": writes.building,
    "inserting": writes.inserting,
    "memory": memory.memory,
}
VENVS = Path(__file__).parent.parent / ".venvs" / "bench"


def main() -> int:
    """Measure what was asked for; 1 where a part failed."""
    arguments = _arguments()
    plugin = arguments.plugin or next(iter(sorted(arguments.venvs.glob("datasette-*"))), None)
    if plugin is None:
        sys.exit(f"no virtual environments in {arguments.venvs}: run `make bench` first")
    # Absolute, since servers are started with folders of their own.
    bench = Bench(arguments.venvs.resolve(), plugin.absolute(), tuple(sorted(arguments.items)), arguments.seconds, arguments.requests)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    rows: list[Row] = []
    failed = False
    try:
        for name in arguments.only or PARTS:
            failed |= not _run(name, bench, rows)
    finally:
        print(f"{_facts(bench)}\n\n{markdown(rows)}", flush=True)
    return int(failed)


def _run(name: str, bench: Bench, rows: list[Row]) -> bool:
    """Add a part's rows, and one that says so where it fails."""
    start = time.monotonic()
    try:
        for row in PARTS[name](bench):
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
    except Exception as error:
        rows.append(Row(name, f"not measured: {error}" if str(error) else f"not measured: {type(error).__name__}"))
        print(rows[-1], file=sys.stderr, flush=True)
        return False
    finally:
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return True


def _facts(bench: Bench) -> str:
    versions = subprocess.run([bench.plugin / "bin/datasette", "--version"], capture_output=True, text=True, timeout=60).stdout
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"{versions.strip()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, "
        f"busy {busy} at the end, {bench.seconds} s a run."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", action="append", choices=list(PARTS), help="a part; may be repeated")
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=int, default=5, help="of each run of wrk")
    parser.add_argument("--requests", type=int, default=100_000, help="of the part `memory`")
    parser.add_argument("--venvs", type=Path, default=VENVS)
    parser.add_argument("--plugin", type=Path, help="the virtual environment that has the plugin")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
