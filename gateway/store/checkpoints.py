"""The checkpoint store: the latest signed checkpoint of each log, outside of the home and never restored.

A backup of a home that is put back is older than this store, and a copy of a home that is run
elsewhere loses the compare-and-swap here. Both are noticed only because this file is kept apart.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import InvariantBroken, LocalFileError, Refused
from gateway.transparency import EMPTY_ROOT

__all__ = ["CheckpointStore", "Stored", "SwapLost"]

_BUSY_SECONDS: Final = 10  # a swap takes milliseconds; who waits longer has met a stuck process
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS checkpoints (
    origin TEXT PRIMARY KEY,
    note BLOB NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    policy_digest TEXT NOT NULL,
    keys_digest TEXT NOT NULL
)
"""
_SELECT: Final = "SELECT note, size, root, policy_digest, keys_digest FROM checkpoints WHERE origin = ?"


class SwapLost(Refused):
    """Another writer has moved the checkpoint or the pins on since they were read; nothing was changed."""

    code = "swap-lost"
    remedy = "make sure that only one copy of this home is in use, then run the command again"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known for good of one log: its newest checkpoint, and the digests of its trust files.

    Before the first checkpoint the size is 0, the note empty; before the first pin the digests are empty.
    """

    note: bytes = b""
    size: int = 0
    root: bytes = EMPTY_ROOT
    policy_digest: str = ""
    keys_digest: str = ""


class CheckpointStore:
    """One SQLite file with a row for each log; safe for several processes and threads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def latest(self, origin: str) -> Stored | None:
        """Return what is stored of a log, or None where nothing was ever stored."""
        if not self._path.exists():
            return None
        with self._connection() as connection:
            return _select(connection, origin)

    def swap(self, origin: str, *, expected: Stored | None, new: Stored) -> None:
        """Replace the checkpoint if it still is the expected one; the pins stay as they are.

        Raises:
            SwapLost: it is not; nothing was changed.
        """
        old = expected or Stored()
        if new.size < old.size or (new.size == old.size and new.root != old.root):
            raise InvariantBroken(f"a swap from {_words(old)} to {_words(new)} would fork the log {origin}")
        with self._writing(origin) as (connection, current):
            if (current.size, current.root) != (old.size, old.root):
                raise SwapLost(
                    f"log {origin}: expected {_words(old)} in {self._path}, found {_words(current)}"
                )
            connection.execute(
                "UPDATE checkpoints SET note = ?, size = ?, root = ? WHERE origin = ?",
                (new.note, new.size, new.root, origin),
            )

    def pin(self, origin: str, *, expected: Stored | None, policy_digest: str, keys_digest: str) -> None:
        """Replace the digests of the trust files if they still are the expected ones.

        Raises:
            SwapLost: they are not; nothing was changed.
        """
        old = expected or Stored()
        with self._writing(origin) as (connection, current):
            if (current.policy_digest, current.keys_digest) != (old.policy_digest, old.keys_digest):
                raise SwapLost(
                    f"log {origin}: expected the pins {old.policy_digest!r} and {old.keys_digest!r}"
                    f" in {self._path}, found {current.policy_digest!r} and {current.keys_digest!r}"
                )
            connection.execute(
                "UPDATE checkpoints SET policy_digest = ?, keys_digest = ? WHERE origin = ?",
                (policy_digest, keys_digest, origin),
            )

    @contextmanager
    def _writing(self, origin: str) -> Iterator[tuple[sqlite3.Connection, Stored]]:
        """Hold the write lock from reading the row to changing it, so that no other writer comes between."""
        with self._connection(makes_folder=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_SCHEMA)
            connection.execute(
                "INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
                (origin, b"", 0, EMPTY_ROOT, "", ""),
            )
            yield connection, _select(connection, origin) or Stored()
            connection.execute("COMMIT")  # an exception above closes the connection, which rolls back

    @contextmanager
    def _connection(self, *, makes_folder: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if makes_folder:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(
                sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            ) as connection:
                # A swap must survive a power cut the moment it has returned. A rollback journal keeps
                # all in one file at rest; EXTRA also flushes the removal of that journal.
                connection.execute("PRAGMA journal_mode = DELETE")
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise LocalFileError(
                f"the checkpoint store {self._path} cannot be used: {error}",
                remedy="make room, or mend its permissions; never put an older copy in its place",
            ) from error


def _select(connection: sqlite3.Connection, origin: str) -> Stored | None:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'checkpoints'").fetchone()
    if known is None:  # a process was killed between making the file and making the table
        return None
    row = connection.execute(_SELECT, (origin,)).fetchone()
    return None if row is None else Stored(*row)


def _words(stored: Stored) -> str:
    return f"{stored.size} entries with root {stored.root.hex()}"
