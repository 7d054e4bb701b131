"""Processes that can be killed at any moment, started by forking one that has imported everything. Asked on stdin for one at a time:
["index", …] runs `datasette tagfeeds index …`, ["write", path, seed] writes to a file until it is killed."""

import json
import os
import random
import sqlite3
import sys
import traceback
from typing import Any

BEGUN, ENDED = "work has begun", "the process has ended"


def write(path: str, seed: int) -> None:
    """Transactions of several statements on posts, taggings and tags, one after another."""
    chance = random.Random(seed)
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    # Pages that do not fit go to the file before the commit.
    connection.execute("pragma cache_size = 20")
    print(BEGUN, flush=True)
    while True:
        connection.execute("begin")
        for _ in range(chance.randrange(1, 12)):
            key, tag = chance.randrange(1, 3000), chance.randrange(1, 61)
            sql, values = chance.choice(
                [
                    ("insert or replace into post (id, title, created) values (?, ?, ?)", (key, f"New {key}", f"2021-0{chance.randrange(1, 9)}-11")),
                    ("insert into post_tags (post_id, tag_id) values (?, ?)", (key, tag)),
                    ("update post set created = ? where id = ?", (chance.choice(["2022-02-02", "Tue, 03 Mar 2020 04:05:06 GMT", None]), key)),
                    ("update post set is_draft = not is_draft where id between ? and ?", (key, key + 5)),
                    ("delete from post_tags where post_id = ?", (key,)),
                    ("delete from post where id = ?", (key,)),
                    ("update tag set tag = ? where id = ?", (f"t{tag}{chance.choice(['', 'x'])}", tag)),
                ]
            )  # fmt: skip
            connection.execute(sql, values)
        connection.execute(chance.choice(["commit", "commit", "commit", "rollback"]))


def run(kind: str, *arguments: Any) -> None:
    """Do what was asked for, and say when it begins."""
    from datasette.cli import cli as datasette

    from datasette_tagfeeds.cli import indexing

    if kind == "write":
        write(*arguments)
    for name in ("_build", "_build_online", "_drop"):
        setattr(indexing, name, announced(getattr(indexing, name)))
    datasette(["tagfeeds", kind, *arguments], standalone_mode=False)


def announced(work: Any) -> Any:
    def announcing(*arguments: Any) -> None:
        print(BEGUN, flush=True)
        work(*arguments)

    return announcing


def main() -> None:
    import datasette.app
    import datasette.cli  # noqa: F401

    import datasette_tagfeeds.cli  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 1
            try:
                print(os.getpid(), flush=True)
                run(*json.loads(line))
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        print(ENDED, os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
