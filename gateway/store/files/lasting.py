"""Small SQLite files beside the home's database: what was changed there lasts, whatever happens next."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from gateway.errors import LocalFileError

__all__ = ["lasting", "transaction"]

_BUSY_SECONDS: Final = 10  # a change takes milliseconds; who waits longer has met a stuck process


@contextmanager
def lasting(path: Path, *, what: str) -> Iterator[sqlite3.Connection]:
    """Open a file whose changes survive a power cut the moment that they have returned.

    A rollback journal keeps all in one file at rest; EXTRA also flushes the removal of that journal.

    Raises:
        LocalFileError: it cannot be used; ``what`` it is.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = EXTRA")
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise LocalFileError(
            f"{what} {path} cannot be used: {error}",
            remedy="make room, or mend its permissions; never put an older copy in its place",
        ) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock from the first reading to the flushed commit."""
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")  # an exception above closes the connection, which rolls back
