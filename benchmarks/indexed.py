"""Databases with the plugin's index, made by its command."""

import os
import sqlite3
import subprocess
import time
from functools import cache
from pathlib import Path

import servers
from table import Bench, drop

# Seconds that building may take.
PATIENCE = 1800
MISSING = "no index command in this version"

# What the index holds, by plain SQL.
PLAIN = """
create table plain (tag text, published text, source text, item integer, primary key (tag, published, source, item)) without rowid;
insert into plain
select weblog_tag.tag, weblog_entry.created, 'entry', weblog_entry.id
from weblog_entry_tags
join weblog_entry on weblog_entry.id = weblog_entry_tags.entry_id
join weblog_tag on weblog_tag.id = weblog_entry_tags.tag_id
where not weblog_entry.is_draft
order by 1, 2, 3, 4;
"""


class NoIndex(Exception):
    """The command is missing, or did not succeed."""


@cache
def made(bench: Bench, items: int) -> tuple[Path, float]:
    """A copy of the database with the index, made anew once a run, and the seconds that its command took."""
    command: list[str | Path] = [bench.plugin / "bin/datasette", "tagfeeds", "index"]
    if subprocess.run([*command, "--help"], capture_output=True, timeout=60).returncode:
        raise NoIndex(MISSING)
    path = bench.copy(items, "indexed")
    command += [path, "-m", servers.write_settings(path)]
    os.sync()
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise NoIndex(f"the index command failed: {(done.stdout + done.stderr)[-300:]}")
    return path, seconds


def plain(bench: Bench, items: int) -> float:
    """The seconds of making the same relation without the plugin."""
    path = bench.copy(items, "plain")
    os.sync()
    connection = sqlite3.connect(path, isolation_level=None)
    start = time.perf_counter()
    connection.executescript(f"begin; {PLAIN} commit;")
    seconds = time.perf_counter() - start
    connection.close()
    drop(path)
    return seconds


def copy(bench: Bench, items: int, name: str) -> Path:
    """A copy of the indexed database, to write to."""
    return bench.copy(items, name, of=made(bench, items)[0])
