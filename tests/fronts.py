"""The programs that stand in front of a Datasette, with the very files of examples/edge: only ports, paths and the like are put in."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path

import yaml
from commands import command
from conftest import SETTINGS
from datasette.app import Datasette
from serving import Answer, ask, datasette, free_port, running

Front = Callable[[Path, int], AbstractContextManager[int]]

SECRET = "a secret for this test"
SCHEMA = """
create table post (id integer primary key, title, body, created, tags);
create table secret (id integer primary key, title, body, created, tags);
insert into post values (1, 'Open one', '<p>Words</p>', '2020-01-01', '["python"]');
insert into post values (2, 'Other one', '<p>Words</p>', '2020-01-02', '["sqlite"]');
insert into secret values (1, 'Hushed', '<p>Words</p>', '2021-01-01', '["python"]');
"""
EXAMPLES = Path(__file__).parent.parent / "examples" / "edge"


def program(name: str) -> str | None:
    """Where a program is; those of servers are often off the path of users."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


@cache
def has_xkey() -> bool:
    """True where Varnish is here with its module for keys."""
    if (varnishd := program("varnishd")) is None:
        return False
    return subprocess.run([varnishd, "-j", "none", "-C", "-f", EXAMPLES / "varnish.vcl"], capture_output=True).returncode == 0


def example(name: str, changed: Mapping[str, str]) -> str:
    """A file of the examples with what a user would change in it; fails where that does not stand there."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for old, new in changed.items():
        assert old in text, f"{name} does not say {old}"
        text = text.replace(old, new)
    return text


@contextmanager
def varnish(folder: Path, backend: int, changed: Mapping[str, str] | None = None, ready: str = "/-/versions.json") -> Iterator[int]:
    """Varnish in front of a port, by our example; yields its own port."""
    port, vcl = free_port(), folder / "varnish.vcl"
    vcl.write_text(example("varnish.vcl", {'"8001"': f'"{backend}"', **(changed or {})}), encoding="utf-8")
    work = folder / "varnish"
    command = [
        str(program("varnishd")),
        "-F",
        "-j",
        "none",
        "-n",
        str(work),
        "-a",
        f"127.0.0.1:{port}",
        "-f",
        str(vcl),
        "-s",
        "malloc,100m",
    ]
    with running(command, folder, port, ready):
        yield port


@contextmanager
def nginx(folder: Path, name: str, changed: Mapping[str, str], ready: str = "/-/versions.json") -> Iterator[int]:
    """nginx with one of our examples for its site; yields its port."""
    port, kept = free_port(), folder / "nginx"
    kept.mkdir(exist_ok=True)
    (folder / name).write_text(example(name, {"listen 80;": f"listen 127.0.0.1:{port};", **changed}), encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    paths = " ".join(f"{one}_temp_path {kept}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = f"daemon off; {user} worker_processes 1; pid {kept}/pid; error_log {kept}/error.log; events {{ worker_connections 512; }}"
    config = folder / "main.conf"
    config.write_text(f"{main}\nhttp {{ access_log off; {paths} include {folder / name}; }}\n", encoding="utf-8")
    with running([str(program("nginx")), "-c", str(config), "-e", str(kept / "error.log")], folder, port, ready):
        yield port


class Edge:
    """A server, and a cache in front of it, which `front(folder, backend)` starts and says the port of."""

    def __init__(self, folder: Path, ttl: int, front: Front, schema: str = SCHEMA) -> None:
        self.folder, self.path, self._front = folder, folder / "blog.db", front
        self.backend = free_port()
        self.sql(schema)
        source = {"html": "body", "tags": "tags", "published": "created", "title": "title"}
        plugin = {**SETTINGS, "ttl": ttl, "purge_header": "xkey", "sources": {name: {**source, "namespace": name} for name in self.tables}}
        hidden = {"blog": {"tables": {"secret": {"allow": {"id": "root"}}}}}
        text = yaml.safe_dump({"plugins": {"datasette-tagfeeds": plugin}, "databases": hidden})
        (folder / "metadata.yml").write_text(text, encoding="utf-8")

    @property
    def tables(self) -> list[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]

    def sql(self, script: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executescript(script)

    def start(self, stack: ExitStack) -> None:
        command = datasette("serve", "blog.db", "-m", "metadata.yml", "--secret", SECRET, "-p", self.backend)
        self.server = stack.enter_context(running(command, self.folder, self.backend, "/-/versions.json"))
        self.front = stack.enter_context(self._front(self.folder, self.backend))

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return ask(self.front, path, method, **headers)

    def cached(self, path: str, **headers: str) -> str:
        """What the cache says that it did, such as HIT or MISS."""
        answer = self.ask(path, **headers)
        assert answer.status == 200, answer.text
        return answer.headers["X-Cache"]

    def fetched(self, path: str) -> list[int]:
        """The statuses that the server itself has answered an address with."""
        lines = (self.folder / f"{Path(sys.executable).name}-{self.backend}.log").read_text().splitlines()
        return [int(line.rsplit('HTTP/1.1"')[1].split()[0]) for line in lines if f'"GET {path} HTTP' in line]

    def purge(self, keys: str, **headers: str) -> Answer:
        """Have Varnish forget what has these keys."""
        return self.ask("/", "PURGE", xkey=keys, **headers)

    def private(self) -> str:
        """The private address at which the feed of `python` shows root what it shows nobody else."""
        settings = ("-m", self.folder / "metadata.yml", "--actor", "root", "--secret", SECRET)
        address = command("token", "python", self.path, *settings).output.split()[0]
        assert "?token=" in address, address
        return address.removeprefix(str(SETTINGS["base_url"]))

    @property
    def root(self) -> str:
        return "ds_actor=" + Datasette(secret=SECRET).sign({"a": {"id": "root"}}, "actor")
