"""Which tables a source reads, by SQLite's own account: permission follows them, whatever its SQL is."""

import sqlite3

from . import statements
from .model import Source


class WrongSQL(ValueError):
    """SQL that SQLite refuses, with the setting that holds it."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


def tables_read(source: Source, connection: sqlite3.Connection) -> frozenset[str]:
    """Every table and view that the source's statements read, as the authorizer is told while they are compiled.

    Raises WrongSQL where SQLite refuses one.
    """
    read: set[str] = set()

    def note(action: int, table: str | None, _column: str | None, _database: str | None, view: str | None) -> int:
        # A view of which no column is used is named only as what the reading is done for.
        if action == sqlite3.SQLITE_READ:
            read.update(name for name in (table, view) if name)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    try:
        for setting, statement in statements.checked(source):
            try:
                connection.execute(f"explain {statement.sql}", dict(statement.parameters))
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise WrongSQL(setting, str(error)) from error
    finally:
        # Python 3.10 cannot take an authorizer away again.
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
    # What is left out are SQLite's own: json_each, sqlite_master, names of common table expressions.
    return frozenset(read & {row[0] for row in connection.execute("select name from sqlite_master where type in ('table', 'view')")})
