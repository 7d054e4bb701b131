"""One block of settings: where it stands, what it holds, and where its problems go."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .checks import Problems, nearest
from .model import Table

Value = TypeVar("Value")


@dataclass(frozen=True)
class Block:
    """A map of settings at `path`."""

    path: str
    given: Mapping[str, Any]
    problems: Problems

    def option(self, key: str, check: Callable[[Any], Value]) -> Value | None:
        """The value of a setting, checked; None where it is absent, empty or wrong."""
        if self.given.get(key) is None:
            return None
        return self.problems.check(f"{self.path}.{key}", check, self.given[key])

    def refuse(self, key: str, message: str) -> None:
        """Note a problem of a setting; '' for the block itself."""
        self.problems.add(f"{self.path}.{key}" if key else self.path, message)

    def column(self, key: str, name: object, table: Table, names: Iterable[str] = ()) -> str | None:
        """The name, where the table has such a column; a problem, with the nearest one, where it has not."""
        known = [*table.columns, *names]
        if name in known:
            return str(name)
        self.refuse(key, f"no column {name!r} in {table.name}{nearest(name, known)}")
        return None

    def columns(self, key: str, table: Table) -> tuple[str, ...] | None:
        """The columns that a setting names: one, or a list of several."""
        given = self.given.get(key)
        if given is None:
            self.refuse(key, "is missing")
            return None
        names = given if isinstance(given, list) else [given]
        if not names:
            self.refuse(key, "must name a column")
        found = [self.column(key, name, table) for name in names]
        return tuple(name for name in found if name) if names and all(found) else None
