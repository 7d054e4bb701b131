"""The table of results, and what every part of the benchmark works with."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import data


@dataclass(frozen=True)
class Bench:
    """What was asked for: where the virtual environments and the data are, how many items, for how long."""

    venvs: Path
    plugin: Path
    items: tuple[int, ...]
    seconds: int
    requests: int

    def database(self, items: int) -> Path:
        """The database of so many items, built where it is not there yet."""
        return data.build(self.venvs / "data" / str(items) / "weblog.db", items)

    def copy(self, items: int, name: str, of: Path | None = None) -> Path:
        """A fresh copy of it, or of another file, in a folder of this name."""
        path = self.venvs / "data" / f"{items}-{name}" / "weblog.db"
        drop(path)
        path.parent.mkdir(parents=True)
        shutil.copyfile(of or self.database(items), path)
        return path


def drop(path: Path) -> None:
    """Remove the folder of a copy."""
    shutil.rmtree(path.parent, ignore_errors=True)


@dataclass(frozen=True)
class Row:
    """A line of the table; `kept` is None where nothing was asked for."""

    what: str
    measured: str
    asked: str = ""
    here: str = ""
    kept: bool | None = None

    @classmethod
    def at_least(cls, what: str, measured: str, asked: float, ratio: float) -> "Row":
        """A ratio that should be no smaller."""
        return cls(what, measured, f">= {asked:g}", f"{ratio:.2f}", ratio >= asked)

    @classmethod
    def at_most(cls, what: str, measured: str, asked: float, ratio: float, unit: str = "", is_whole: bool = True) -> "Row":
        """A ratio or number that should be no larger; what was not measured wholly is not kept."""
        return cls(what, measured, f"<= {asked:g}{unit}", f"{ratio:,.2f}{unit}", is_whole and ratio <= asked)

    def __str__(self) -> str:
        verdict = {True: "yes", False: "**no**", None: ""}[self.kept]
        cells = (self.what, self.measured, self.asked, self.here, verdict)
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def markdown(rows: Iterable[Row]) -> str:
    """The whole table."""
    head = ("| What | Measured | Asked for | In this run | Kept |", "|---|---|---|---|---|")
    return "\n".join((*head, *map(str, rows)))
