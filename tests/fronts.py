"""The programs that stand in front of a Datasette, with the very files of examples/edge: only ports, paths and the like are put in."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from serving import free_port, running

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
    command = [str(program("varnishd")), "-F", "-j", "none", "-n", str(work), "-a", f"127.0.0.1:{port}", "-f", str(vcl), "-s", "malloc,100m"]
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
