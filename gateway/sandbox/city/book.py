"""The city's own database: one SQLite file, every change in one durable transaction."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["Book"]

BUSY_SECONDS: Final = 30.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS residents (
  account TEXT PRIMARY KEY, user TEXT NOT NULL UNIQUE, identity TEXT NOT NULL, code TEXT NOT NULL UNIQUE,
  suspended INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS rides (
  event TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES residents, fields TEXT NOT NULL) STRICT;
-- points: what was granted and what is left; by an act of the city, or by a transfer for a record
CREATE TABLE IF NOT EXISTS grants (
  number INTEGER PRIMARY KEY, account TEXT NOT NULL REFERENCES residents, event TEXT NOT NULL DEFAULT '',
  arrived TEXT NOT NULL DEFAULT '', record TEXT NOT NULL DEFAULT '', points INTEGER NOT NULL,
  left_points INTEGER NOT NULL CHECK (left_points BETWEEN 0 AND points), co2e_mg INTEGER NOT NULL,
  valid_through TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX IF NOT EXISTS grants_of_account ON grants (account, event, arrived, record);
-- every message that was answered for good: its canonical bytes, and the bytes of the answer
CREATE TABLE IF NOT EXISTS answers (
  resource TEXT NOT NULL, id TEXT NOT NULL, request BLOB NOT NULL, status INTEGER NOT NULL,
  answer BLOB NOT NULL, PRIMARY KEY (resource, id)) STRICT, WITHOUT ROWID;
-- holds, credits and returns; one of them for each transfer
CREATE TABLE IF NOT EXISTS moves (
  transfer TEXT PRIMARY KEY, resource TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL,
  points INTEGER NOT NULL, co2e_mg INTEGER NOT NULL, original TEXT NOT NULL, state TEXT NOT NULL,
  day TEXT NOT NULL DEFAULT '', UNIQUE (resource, id)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS moves_of_day ON moves (day, transfer);
CREATE INDEX IF NOT EXISTS moves_of_original ON moves (original);
CREATE TABLE IF NOT EXISTS parts (
  transfer TEXT NOT NULL REFERENCES moves, number INTEGER NOT NULL, taken INTEGER NOT NULL,
  record TEXT NOT NULL, points INTEGER NOT NULL, co2e_mg INTEGER NOT NULL, valid_through TEXT NOT NULL,
  PRIMARY KEY (transfer, number)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decisions (
  transfer TEXT PRIMARY KEY, digest TEXT NOT NULL, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consents (
  id TEXT PRIMARY KEY, account TEXT NOT NULL, purpose TEXT NOT NULL, transfer TEXT NOT NULL,
  points INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nonces (
  key_id TEXT NOT NULL, nonce TEXT NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (key_id, nonce)) STRICT, WITHOUT ROWID;
"""


class Book:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")  # what was answered survives a power cut
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction: all of it is kept, or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @staticmethod
    @contextmanager
    def savepoint(db: sqlite3.Connection) -> Iterator[None]:
        """Undo what is done inside where it ends in an error; what was done before stays."""
        db.execute("SAVEPOINT line")
        try:
            yield
        except BaseException:
            db.execute("ROLLBACK TO line")
            db.execute("RELEASE line")
            raise
        db.execute("RELEASE line")

    def fact(self, name: str, usual: str = "") -> str:
        """Return something that is remembered about the city itself."""
        with self.transaction() as db:
            found = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return usual if found is None else str(found["value"])

    def count(self, name: str) -> int:
        """Return the next number of a series: 1, 2, 3."""
        with self.transaction() as db:
            query = (
                "INSERT INTO facts VALUES (?, '1') "
                "ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING value"
            )
            return int(db.execute(query, (name,)).fetchone()["value"])

    def remember(self, name: str, value: str) -> None:
        """Remember something about the city itself."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
