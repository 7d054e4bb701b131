"""The settings as a whole, checked against what the databases hold, before anything is served."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import checks
from .checks import Problems
from .model import Person, Schema, Source
from .source_settings import source

ROOT = "plugins.datasette-tagfeeds"


@dataclass(frozen=True)
class Settings:
    """The plugin's settings with their defaults; `path` is None unless given, `sources` stand in the order given."""

    title: str | None = None
    author: Person | None = None
    base_url: str | None = None
    authority: str | None = None
    path: str | None = None
    language: str = "en"
    timezone: str = "UTC"
    size: int = 30
    sources: tuple[Source, ...] = ()


PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "title": checks.text,
    "author": checks.author,
    "base_url": checks.base_url,
    "authority": checks.authority,
    "path": checks.path,
    "language": checks.language,
    "timezone": checks.timezone,
    "size": checks.page_size,
}
KNOWN = (*PLAIN, "defaults", "sources")


def load(given: object, databases: Mapping[str, Schema], problems: Problems) -> Settings:
    """The settings that the plugin's block holds; what is wrong with it goes into `problems`."""
    block = problems.check(ROOT, checks.mapping, given if given is not None else {}) or {}
    problems.unknown(ROOT, block, KNOWN)
    plain = {
        name: value
        for name, check in PLAIN.items()
        if block.get(name) is not None and (value := problems.check(f"{ROOT}.{name}", check, block[name])) is not None
    }
    zone = plain.get("timezone", Settings.timezone)
    return Settings(**plain, sources=_sources(block, databases, zone, problems))


def _sources(block: Mapping[str, Any], databases: Mapping[str, Schema], zone: str, problems: Problems) -> tuple[Source, ...]:
    defaults = problems.check(f"{ROOT}.defaults", checks.mapping, _given(block, "defaults")) or {}
    listed = problems.check(f"{ROOT}.sources", checks.mapping, _given(block, "sources")) or {}
    read = []
    for name, own in listed.items():
        path = f"{ROOT}.sources.{name}"
        settings = problems.check(path, checks.mapping, own if own is not None else {})
        if settings is not None:
            read.append(source(path, name, {**defaults, **settings}, databases, zone, problems))
    return tuple(one for one in read if one)


def _given(block: Mapping[str, Any], key: str) -> object:
    return {} if block.get(key) is None else block[key]
