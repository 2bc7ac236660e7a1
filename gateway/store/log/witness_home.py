"""A witness's folder: its name, its key, the logs it follows, and what it has cosigned of them."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from gateway.errors import LocalFileError, Refused
from gateway.store.files.durable import write_durably
from gateway.store.files.keys import FileSigner, create_signing_key
from gateway.store.files.lasting import lasting, transaction
from gateway.store.sql.database import refuse_network_disk
from gateway.transparency import SignatureType, VerifierKey, read_checkpoint, read_note, read_vkey

__all__ = ["FollowedLog", "WitnessHome"]

_EVIDENCE_MAX: Final = 1000  # files; a log that forks without end must not fill the disk
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS log_keys (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey));
CREATE TABLE IF NOT EXISTS cosigned (origin_hash TEXT PRIMARY KEY, origin TEXT NOT NULL, note BLOB NOT NULL);
"""


class FollowedLog(NamedTuple):
    """A log that the witness follows: its origin, keys, and the size that was cosigned last."""

    origin: str
    keys: tuple[str, ...]
    size: int


class WitnessHome:
    """The stores of one witness (:class:`gateway.ports.WitnessMemory`); safe for threads and processes.

    A decision that was answered must never be forgotten, so every change is flushed to the disk first.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._facts = root / "witness.json"
        self._database = root / "state.db"
        self._evidence = root / "evidence"

    def create(self, name: str) -> VerifierKey:
        """Make a witness of that name in a new folder, and return its public key.

        Raises:
            LocalFileError: there is something at that place already.
        """
        if self._root.exists() and any(self._root.iterdir()):
            raise LocalFileError(f"{self._root} is not empty", remedy="name an empty or a new folder")
        self._root.mkdir(parents=True, exist_ok=True)
        refuse_network_disk(self._root)
        signer = create_signing_key(self._root / "key", "witness")
        key = VerifierKey(name, SignatureType.COSIGNATURE, signer.public)
        with self._connection() as connection:
            connection.executescript(_SCHEMA)
        write_durably(self._facts, json.dumps({"name": name, "format": 1}).encode() + b"\n")
        return key

    def signer(self) -> tuple[VerifierKey, FileSigner]:
        """Return the witness's public key and what signs with it.

        Raises:
            LocalFileError: there is no witness here, or its state is missing.
        """
        try:
            name = str(json.loads(self._facts.read_text(encoding="utf-8"))["name"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LocalFileError(
                f"{self._root} is no witness: {error}",
                remedy=f"make one with: tanqiao witness new --home {self._root} --name NAME",
            ) from error
        if not self._database.exists():  # a new one would cosign every log from its beginning again
            raise LocalFileError(
                f"{self._database} is missing: without it this witness could cosign a forked log",
                remedy="put the newest one back; if it is lost, make a new witness with a new key",
            )
        signer = FileSigner(self._root / "key", "witness")
        return VerifierKey(name, SignatureType.COSIGNATURE, signer.public), signer

    def add_log(self, key: VerifierKey) -> None:
        """Follow a log; a second key of the same log is trusted beside the first.

        Raises:
            Refused: the key is none of a log.
        """
        if key.kind is not SignatureType.ED25519:
            raise Refused(f"{key} is the key of a witness", remedy="give the log's verifier key")
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO log_keys VALUES (?, ?)", (key.name, str(key)))

    def logs(self) -> list[FollowedLog]:
        """Return the logs that are followed."""
        with self._connection() as connection:
            keys = connection.execute("SELECT origin, vkey FROM log_keys ORDER BY origin, vkey").fetchall()
            notes = dict(connection.execute("SELECT origin, note FROM cosigned").fetchall())
        found: dict[str, list[str]] = {}
        for origin, vkey in keys:
            found.setdefault(origin, []).append(vkey)
        return [
            FollowedLog(origin, tuple(vkeys), _size(notes.get(origin, b"")))
            for origin, vkeys in found.items()
        ]

    def keys(self, origin: str) -> Sequence[VerifierKey]:
        """Return the keys that are trusted for a log; none where it is not followed."""
        with self._connection() as connection:
            rows = connection.execute("SELECT vkey FROM log_keys WHERE origin = ?", (origin,)).fetchall()
        return [read_vkey(vkey) for (vkey,) in rows]

    def decide(self, origin: str, judge: Callable[[bytes], bytes]) -> bytes:
        """Replace the newest note by what ``judge`` makes of it, under the lock, and flush it to the disk."""
        name = _origin_hash(origin)
        with self._writing() as connection:
            note = judge(_note(connection, name))
            connection.execute("INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?)", (name, origin, note))
        return note

    def cosigned(self, origin_hash: str) -> bytes:
        """Return the newest cosigned note of the log whose origin has that SHA-256; empty for none."""
        with self._connection() as connection:
            return _note(connection, origin_hash)

    def keep_evidence(self, data: bytes) -> None:
        """Keep the proof of a fork in a file named by its digest."""
        path = self._evidence / f"fork-{sha256(data).hexdigest()[:32]}.json"
        if not path.exists() and len(self.evidence()) < _EVIDENCE_MAX:
            write_durably(path, data)

    def evidence(self) -> list[Path]:
        """Return the files that prove forks."""
        return sorted(self._evidence.glob("fork-*.json"))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection, transaction(connection):
            yield connection

    def _connection(self) -> AbstractContextManager[sqlite3.Connection]:
        return lasting(self._database, what="the witness's state")


def _origin_hash(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()


def _note(connection: sqlite3.Connection, origin_hash: str) -> bytes:
    row = connection.execute("SELECT note FROM cosigned WHERE origin_hash = ?", (origin_hash,)).fetchone()
    return b"" if row is None else bytes(row[0])


def _size(note: bytes) -> int:
    return read_checkpoint(read_note(note).text).tree_size if note else 0
