"""Real servers on loopback ports, which end with the block that started them."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

HERE = Path(__file__).parent
# Seconds for a server to answer for the first time.
PATIENCE = 60

# The plugin's own bytes, sent by a route that does nothing else; and an answer without any.
CONSTANT = """
from functools import cache
from pathlib import Path

from datasette import hookimpl
from datasette.utils.asgi import Response

@cache
def body():
    return Path(__file__).with_name("feed.bytes").read_bytes()

async def constant(request):
    return Response(body(), content_type="application/atom+xml; charset=utf-8")

async def unchanged(request):
    return Response("", status=304)

@hookimpl
def register_routes():
    return [(r"^/-/constant$", constant), (r"^/-/unchanged$", unchanged)]
"""
BARE = '{% extends "base.html" %}{% block content %}<p>Bare</p>{% endblock %}'
# Drafts are left out; the newest items of the tag first.
CANNED = """
select 'tag:example.org,2026:' || weblog_entry.id as atom_id, title as atom_title, created as atom_updated,
  'https://example.org/' || weblog_entry.id as atom_link, body as atom_content
from weblog_entry
join weblog_entry_tags on weblog_entry_tags.entry_id = weblog_entry.id
join weblog_tag on weblog_tag.id = weblog_entry_tags.tag_id
where weblog_tag.tag = :tag and not is_draft order by created desc limit :size
"""
SETTINGS = {
    "title": "Made up",
    "author": "Nobody",
    "base_url": "https://example.org",
    "sources": {"entry": {"table": "weblog_entry", "html": "body", "where": "is_draft = 0"}},
}


class NoServer(Exception):
    """A server that does not start, or ended."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    pid: int

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def resident(self) -> float:
        """The memory that it holds, in MB, as Linux says."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def serving(command: Sequence[str | Path], folder: Path, path: str = "/", environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server whose command ends with the number of a port, once it answers this path; its words go into a file of the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, str(port)], stdout=log, stderr=log, env={**os.environ, **(environment or {})}, start_new_session=True
        )
    try:
        _wait(process, port, path, folder / "server.log")
        yield Server(port, process.pid)
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("GET", path)
            connection.getresponse().read()
            connection.close()
            return
        time.sleep(0.1)
    raise NoServer(f"no answer: {log.read_text(encoding='utf-8', errors='replace')[-300:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def write_settings(database: Path) -> Path:
    """The metadata beside a database."""
    path = database.with_name("metadata.json")
    path.write_text(json.dumps({"plugins": {"datasette-tagfeeds": SETTINGS}}), encoding="utf-8")
    return path


@contextmanager
def plugin(venv: Path, database: Path) -> Iterator[Server]:
    """Datasette with the plugin, the constant routes and the bare page."""
    folder = database.parent
    pages, plugins = folder / "templates" / "pages", folder / "plugins"
    pages.mkdir(parents=True, exist_ok=True)
    plugins.mkdir(exist_ok=True)
    (pages / "bare.html").write_text(BARE, encoding="utf-8")
    (plugins / "constant.py").write_text(CONSTANT, encoding="utf-8")
    options = ("-m", write_settings(database), "--template-dir", pages.parent, "--plugins-dir", plugins)
    with serving([venv / "bin/datasette", "serve", database, *options, "--port"], folder, "/bare") as server:
        yield server


@contextmanager
def without_plugin(venv: Path, database: Path) -> Iterator[Server]:
    """Datasette alone, with the compiled libraries that the plugin loads."""
    plugins = database.parent / "libraries"
    plugins.mkdir(exist_ok=True)
    (plugins / "libraries.py").write_text("import lxml.etree\nimport nh3\n", encoding="utf-8")
    command: list[str | Path] = [venv / "bin/datasette", "serve", database, "--plugins-dir", plugins, "--port"]
    with serving(command, database.parent, environment={"DATASETTE_LOAD_PLUGINS": ""}) as server:
        yield server


@contextmanager
def datasette_atom(venv: Path, database: Path) -> Iterator[Server]:
    """datasette-atom, with a query for the feed of a tag; it may take a minute."""
    path = database.with_name("atom.json")
    canned = {"databases": {database.stem: {"queries": {"tagged": {"sql": CANNED, "title": "Tagged"}}}}}
    path.write_text(json.dumps(canned), encoding="utf-8")
    options = ("-m", path, "--setting", "sql_time_limit_ms", "60000")
    with serving([venv / "bin/datasette", "serve", database, *options, "--port"], database.parent) as server:
        yield server


@contextmanager
def django(venv: Path, database: Path) -> Iterator[Server]:
    """Django's own feed class, under uvicorn as Datasette is."""
    command: list[str | Path] = [venv / "bin/uvicorn", "--factory", "django.core.asgi:get_asgi_application", "--app-dir", HERE, "--port"]
    environment = {"DJANGO_SETTINGS_MODULE": "django_site.settings", "BENCH_DATABASE": str(database)}
    with serving(command, database.parent, environment=environment) as server:
        yield server
