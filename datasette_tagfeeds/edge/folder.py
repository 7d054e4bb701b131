"""A folder of files that are written where they differ, and taken away when they belong to nothing any more."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

MANIFEST = ".tagfeeds-export.json"
# How long a file's name may be, in bytes, on the file systems that people have.
LONGEST = 255


class Unwritable(Exception):
    """No file can have this name; its text says why."""


class Folder:
    """The files of an export, each in a group: what is made together.

    The manifest remembers which files are ours, so that no other is ever taken away, and a text of whoever exports; not
    where they were written in another `way`.
    """

    def __init__(self, path: Path, way: str) -> None:
        self.path, self._way = path, way
        manifest = self._manifest()
        self.remembered: str = manifest.get("state", "") if manifest.get("way") == way else ""
        self._before: dict[str, list[str]] = manifest.get("files", {})
        self._unfinished: list[str] = manifest.get("unfinished", [])
        self._groups: dict[str, list[str]] = {}
        self._touched: set[str] = set()
        self.written = 0

    def _manifest(self) -> dict[str, Any]:
        try:
            found = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def count(self) -> int:
        """How many files belong to the export."""
        return sum(map(len, self._groups.values()))

    def has(self, group: str) -> bool:
        """True where the group was written before, by a run that came to its end, and all its files are there."""
        return group not in self._unfinished and group in self._before and all((self.path / file).is_file() for file in self.files(group))

    def files(self, group: str) -> list[str]:
        """What the group was before."""
        return self._before.get(group, [])

    def keep(self, group: str) -> None:
        """Leave the files of a group as they are."""
        self._groups[group] = self._before[group]

    def write(self, group: str, file: str, body: bytes) -> None:
        """A file of a group, its name relative to the folder with /. Raises Unwritable where there can be no such file."""
        _check(file)
        mine = self._groups.setdefault(group, [])
        if file not in mine:
            mine.append(file)
        place = self.path / file
        try:
            if place.is_file() and place.read_bytes() == body:
                return
            self._touched.add(group)
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(place, body)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            self._groups[group].remove(file)
            raise Unwritable(f"{file} would have to be a file and a folder at once") from error
        self.written += 1

    def finish(self, remembered: str) -> int:
        """Take away the files that belong to nothing any more, and write the manifest; how many were taken away."""
        mine = {file for files in self._groups.values() for file in files}
        gone = {file for files in self._before.values() for file in files} - mine
        for file in gone:
            self._remove(file)
        self._remember(remembered, self._groups, [])
        return len(gone)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Where what happens within does not come to its end, remember what was begun: those files are ours too, but may be of no state that we know."""
        try:
            yield
        except BaseException:
            begun = {group: list(dict.fromkeys([*self.files(group), *mine])) for group, mine in self._groups.items()}
            with suppress(OSError):
                self._remember(self.remembered, {**self._before, **begun}, sorted({*self._unfinished, *self._touched}))
            raise

    def _remember(self, state: str, files: dict[str, list[str]], unfinished: list[str]) -> None:
        manifest = {"state": state, "way": self._way, "files": files, "unfinished": unfinished}
        _write(self.path / MANIFEST, json.dumps(manifest).encode())

    def _remove(self, file: str) -> None:
        place = self.path / file
        if not place.resolve().is_relative_to(self.path.resolve()):
            return  # somebody has changed the manifest
        place.unlink(missing_ok=True)
        for folder in place.parents:
            if folder == self.path or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


def _check(file: str) -> None:
    parts: Iterable[str] = file.split("/")
    if any(not part or part in (".", "..") or "\0" in part for part in parts):
        raise Unwritable(f"{file!r} is no name of a file")
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST for part in file.split("/")):
        raise Unwritable(f"{file[:40]}… is longer than a file's name may be")


def _write(place: Path, body: bytes) -> None:
    """Write a file whole, or not at all: a folder may be served while it is written."""
    beside = place.with_name(f".new-{os.getpid()}")
    try:
        beside.write_bytes(body)
        os.replace(beside, place)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
