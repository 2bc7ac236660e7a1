"""The checkpoint store: the latest signed checkpoint of each log, outside of the home and never restored.

A backup of a home that is put back is older than this store, and a copy of a home that is run
elsewhere loses the compare-and-swap here. Both are noticed only because this store is kept apart.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Final

from gateway.errors import HomeBusy, InvariantBroken
from gateway.store.files.lasting import lasting, transaction
from gateway.transparency import EMPTY_ROOT

__all__ = ["CheckpointFile", "CheckpointStore", "Stored", "SwapLost"]

_WHAT: Final = "the checkpoint store"
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
_UPDATE: Final = (
    "UPDATE checkpoints SET note = ?, size = ?, root = ?, policy_digest = ?, keys_digest = ? WHERE origin = ?"
)
_SELECT: Final = "SELECT note, size, root, policy_digest, keys_digest FROM checkpoints WHERE origin = ?"


class SwapLost(HomeBusy):
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


class CheckpointStore(ABC):
    """A row for each log; safe for several processes and threads. ``place`` stands in messages."""

    place: str

    @abstractmethod
    def latest(self, origin: str) -> Stored | None:
        """Return what is stored of a log, or None where nothing was ever stored."""

    @abstractmethod
    def changing(self, origin: str) -> AbstractContextManager[tuple[Stored, Callable[[Stored], None]]]:
        """Give a log's row and what replaces it; nobody else changes it meanwhile, then it lasts."""

    def close(self) -> None:  # noqa: B027 - a file is not kept open
        """Let go of whatever is held between calls."""

    def swap(self, origin: str, *, expected: Stored | None, new: Stored) -> None:
        """Replace the checkpoint if it still is the expected one; the pins stay as they are.

        Raises:
            SwapLost: it is not; nothing was changed.
        """
        old = expected or Stored()
        if new.size < old.size or (new.size == old.size and new.root != old.root):
            raise InvariantBroken(f"a swap from {_words(old)} to {_words(new)} would fork the log {origin}")
        with self.changing(origin) as (current, replace_row):
            if (current.size, current.root) != (old.size, old.root):
                raise SwapLost(
                    f"log {origin}: expected {_words(old)} in {self.place}, found {_words(current)}"
                )
            replace_row(replace(current, note=new.note, size=new.size, root=new.root))

    def pin(self, origin: str, *, expected: Stored | None, policy_digest: str, keys_digest: str) -> None:
        """Replace the digests of the trust files if they still are the expected ones.

        Raises:
            SwapLost: they are not; nothing was changed.
        """
        old = expected or Stored()
        with self.changing(origin) as (current, replace_row):
            if (current.policy_digest, current.keys_digest) != (old.policy_digest, old.keys_digest):
                raise SwapLost(
                    f"log {origin}: expected the pins {old.policy_digest!r} and {old.keys_digest!r}"
                    f" in {self.place}, found {current.policy_digest!r} and {current.keys_digest!r}"
                )
            replace_row(replace(current, policy_digest=policy_digest, keys_digest=keys_digest))


class CheckpointFile(CheckpointStore):
    """One SQLite file."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self._path = path

    def latest(self, origin: str) -> Stored | None:
        """Return what is stored of a log, or None where nothing was ever stored."""
        if not self._path.exists():
            return None
        with lasting(self._path, what=_WHAT) as connection:
            return _select(connection, origin)

    @contextmanager
    def changing(self, origin: str) -> Iterator[tuple[Stored, Callable[[Stored], None]]]:
        """Hold the write lock from reading the row to changing it, so that no other writer comes between."""
        with lasting(self._path, what=_WHAT) as connection, transaction(connection):
            connection.execute(_SCHEMA)
            connection.execute(
                "INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
                (origin, *astuple(Stored())),
            )

            def replace_row(new: Stored) -> None:
                connection.execute(_UPDATE, (*astuple(new), origin))

            yield _select(connection, origin) or Stored(), replace_row


def _select(connection: sqlite3.Connection, origin: str) -> Stored | None:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'checkpoints'").fetchone()
    if known is None:  # a process was killed between making the file and making the table
        return None
    row = connection.execute(_SELECT, (origin,)).fetchone()
    return None if row is None else Stored(*row)


def _words(stored: Stored) -> str:
    return f"{stored.size} entries with root {stored.root.hex()}"
