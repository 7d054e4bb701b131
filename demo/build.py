"""Build the demonstration weblog's database from the text beside this file: python demo/build.py OUT.db"""

import sqlite3
import sys
from pathlib import Path

import yaml

SCHEMA = """
create table tag (id integer primary key, tag text not null unique);
create table essay (id integer primary key, slug text not null unique, title text not null, body text not null,
    published text not null, updated text);
create table link (id integer primary key, slug text not null unique, title text not null, url text not null,
    via_title text, via_url text, comment text not null, published text not null);
create table milestone (id integer primary key, what text not null, source_url text not null, note text not null,
    happened text not null);
"""
JOIN = """
create table {kind}_tags ({kind}_id integer not null references {kind}(id), tag_id integer not null references tag(id),
    primary key ({kind}_id, tag_id));
create index {kind}_tags_tag on {kind}_tags (tag_id);
"""
KINDS = {"essay": "essays.yml", "link": "links.yml", "milestone": "milestones.yml"}


def build(out: Path) -> None:
    """Write the database, replacing an older one."""
    out.unlink(missing_ok=True)
    connection = sqlite3.connect(out)
    connection.executescript(SCHEMA + "".join(JOIN.format(kind=kind) for kind in KINDS))
    with connection:
        for kind, name in KINDS.items():
            for item in yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8")):
                add(connection, kind, item)
    connection.close()


def add(connection: sqlite3.Connection, kind: str, item: dict) -> None:
    """Insert one item and its tags."""
    tags = item.pop("tags")
    columns, marks = ", ".join(item), ", ".join(f":{name}" for name in item)
    connection.execute(f"insert into {kind} ({columns}) values ({marks})", item)
    for tag in tags:
        connection.execute("insert or ignore into tag (tag) values (?)", [tag])
        connection.execute(f"insert into {kind}_tags select ?, id from tag where tag = ?", [item["id"], tag])


if __name__ == "__main__":
    build(Path(sys.argv[1]))
