"""Our commands, run as people run them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result
from datasette.cli import cli


def command(name: str, *arguments: object) -> Result:
    """Run `datasette tagfeeds NAME …`, in a thread of its own: the command has an event loop of its own."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(CliRunner().invoke, cli, ["tagfeeds", name, *map(str, arguments)]).result()


def metadata(folder: Path, settings: dict[str, Any], **rest: Any) -> Path:
    """A metadata.yml with these settings of ours, and with the rest."""
    path = folder / "metadata.yml"
    path.write_text(yaml.safe_dump({**rest, "plugins": {"datasette-tagfeeds": settings}}), encoding="utf-8")
    return path
