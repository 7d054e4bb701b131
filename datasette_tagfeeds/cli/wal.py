"""The log beside a SQLite file in WAL mode, as it lies there: https://sqlite.org/fileformat2.html#the_write_ahead_log"""

import struct
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

# Before all frames: magic number, format, bytes of a page, number of checkpoints, salts, checksums.
_HEADER = struct.Struct(">8xI4x8s8x")
# Before each page: its number, the pages of the database where this frame ends a transaction (else 0), salts, checksums.
_FRAME = struct.Struct(">II8s8x")


def log_of(path: Path) -> Path:
    """Where the log of a file is, if it has one."""
    return path.with_name(f"{path.name}-wal")


def is_ahead(path: Path) -> bool:
    """True where the log holds a committed page that the file does not have: a copy of the file alone would miss it.

    A log that has been written back into its file may keep its size; so its pages are compared.
    """
    if not log_of(path).exists():
        return False
    with log_of(path).open("rb") as log, path.open("rb") as file:
        return any(_page(log, there, size) != _page(file, (number - 1) * size, size) for number, there, size in _committed(log))


def _committed(log: BufferedReader) -> Iterator[tuple[int, int, int]]:
    """(number, where in the log, bytes) of each page of the last committed transaction that wrote it."""
    start = log.read(_HEADER.size)
    size, salts = _HEADER.unpack(start) if len(start) == _HEADER.size else (0, b"")
    pages: dict[int, int] = {}
    since: dict[int, int] = {}
    # Frames with other salts are left of an earlier round, and those after the last commit are not there yet.
    while len(start := log.read(_FRAME.size)) == _FRAME.size:
        number, pages_after, frame_salts = _FRAME.unpack(start)
        if frame_salts != salts:
            break
        since[number] = log.tell()
        log.seek(size, 1)
        if pages_after:
            pages = {one: there for one, there in {**pages, **since}.items() if one <= pages_after}
            since = {}
    yield from ((number, there, size) for number, there in pages.items())


def _page(file: BufferedReader, there: int, size: int) -> bytes:
    file.seek(there)
    return file.read(size)
