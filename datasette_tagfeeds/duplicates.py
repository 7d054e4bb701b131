"""Keys given twice in a settings file: YAML keeps the last and says nothing, so the file itself is read again."""

from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from .checks import Problems

PLUGIN = ("plugins", "datasette-tagfeeds")


def note(problems: Problems) -> None:
    """Note every key of our block that a settings file of this command gives twice."""
    for path in files():
        try:
            tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except (OSError, ValueError, yaml.YAMLError):  # Datasette has read it, or says itself what is wrong
            continue
        for keys in _twice(tree, ()):
            if keys[: len(PLUGIN)] == PLUGIN:
                problems.add(".".join(keys), f"stands twice in {path.name}")


def files() -> Iterator[Path]:
    """The settings files named on the command line or lying in the folder that Datasette serves."""
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    for option in ("metadata", "config"):
        name = getattr(given.get(option), "name", None)
        if isinstance(name, str):
            yield Path(name)
    for folder in map(Path, given.get("files") or ()):
        if folder.is_dir():
            for name in ("metadata", "datasette"):
                yield from (folder / f"{name}.{suffix}" for suffix in ("yml", "yaml", "json"))


def _twice(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if name in seen:
                yield (*path, name)
            seen.add(name)
            yield from _twice(value, (*path, name))
