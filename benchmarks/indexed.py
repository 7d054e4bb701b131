"""Databases with the plugin's index, made by its command."""

import os
import sqlite3
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import servers
from table import Bench, drop

# Seconds that building may take.
PATIENCE = 1800
MISSING = "no index command in this version"

# What the index holds, by plain SQL: each tagging with its date in UTC, and each tagged item once more.
PLAIN = """
create table plain (tag text, published text, source text, item integer, primary key (tag, published, source, item)) without rowid;
insert into plain
select weblog_tag.tag, strftime('%Y-%m-%dT%H:%M:%SZ', weblog_entry.created), 'entry', weblog_entry.id
from weblog_entry_tags
join weblog_entry on weblog_entry.id = weblog_entry_tags.entry_id
join weblog_tag on weblog_tag.id = weblog_entry_tags.tag_id
where not weblog_entry.is_draft
union all
select '', strftime('%Y-%m-%dT%H:%M:%SZ', created), 'entry', id
from weblog_entry
where not is_draft and id in (select entry_id from weblog_entry_tags)
order by 1, 2, 3, 4;
"""


class NoIndex(Exception):
    """The command is missing, did not succeed, or what it made is of no use."""


class Made(NamedTuple):
    """A copy with an index: the seconds that the command took, and why the index is not asked, where that is so."""

    path: Path
    seconds: float
    unused: str


def made(bench: Bench, items: int) -> Made:
    """A copy of the database with the index, made anew once a run."""
    found = _attempt(bench, items)
    if isinstance(found, NoIndex):
        raise found
    return found


def used(bench: Bench, items: int) -> Path:
    """The same, where the plugin answers from the index; else it would be measured as if there were none."""
    found = made(bench, items)
    if found.unused:
        raise NoIndex(f"the index was made, but is not used; `tagfeeds check` says: {found.unused}")
    return found.path


@cache
def _attempt(bench: Bench, items: int) -> Made | NoIndex:
    command = [str(bench.plugin / "bin/datasette"), "tagfeeds"]
    if subprocess.run([*command, "index", "--help"], capture_output=True, timeout=60).returncode:
        return NoIndex(MISSING)
    path = bench.copy(items, "indexed")
    options = [str(path), "-m", str(servers.write_settings(path))]
    os.sync()
    start = time.perf_counter()
    done = subprocess.run([*command, "index", *options], capture_output=True, text=True, timeout=PATIENCE)
    seconds = time.perf_counter() - start
    if done.returncode:
        return NoIndex(f"the index command failed: {(done.stdout + done.stderr)[-300:]}")
    checked = subprocess.run([*command, "check", *options], capture_output=True, text=True, timeout=PATIENCE).stdout.splitlines()
    return Made(path, seconds, next((line for line in checked if "index" in line and "not used" in line), ""))


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
    return bench.copy(items, name, of=made(bench, items).path)
