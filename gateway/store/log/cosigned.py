"""Cosignatures of the own log, in files beside it, for they are added to what was signed already.

One process gathers them; whoever reads finds the whole old file or the whole new one.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.ports import CosigningStatus, WitnessState
from gateway.store.files.durable import write_durably
from gateway.store.files.locking import locked

__all__ = ["CosignedFiles"]


class CosignedFiles:
    """The folder ``witnesses`` of a home (:class:`gateway.ports.CosignedNotes`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest = folder / "newest"
        self._witnessed = folder / "checkpoint"
        self._status = folder / "status.json"

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Hold the folder for gathering cosignatures.

        Raises:
            HomeBusy: another process gathers.
        """
        self._folder.mkdir(exist_ok=True)
        told = f"another process gathers cosignatures in {self._folder}"
        with locked(self._folder / "lock", told=told):
            yield

    def newest(self) -> bytes:
        """Return the newest checkpoint that any witness has cosigned."""
        return _read(self._newest)

    def witnessed(self) -> bytes:
        """Return the newest checkpoint that has reached the quorum."""
        return _read(self._witnessed)

    def covering(self) -> list[bytes]:
        """Return what proofs may stand under, the best first."""
        return [note for note in (self.witnessed(), self.newest()) if note]

    def published(self, checkpoint: bytes) -> bytes:
        """Return a published checkpoint with the cosignatures that were gathered for it."""
        for note in self.covering():
            if checkpoint and note.startswith(checkpoint):  # cosignatures stand after the log's own line
                return note
        return checkpoint

    def keep(self, note: bytes, *, is_witnessed: bool) -> None:
        """Keep a checkpoint with its cosignatures."""
        if is_witnessed:
            write_durably(self._witnessed, note)
        write_durably(self._newest, note)

    def status(self) -> CosigningStatus | None:
        """Return the last report; None where nothing was ever reported."""
        data = _read(self._status)
        if not data:
            return None
        document = json.loads(data)
        witnesses = tuple(WitnessState(**one) for one in document.pop("witnesses"))
        return CosigningStatus(**document, witnesses=witnesses)

    def report(self, status: CosigningStatus) -> None:
        """Replace the report."""
        witnesses = [one._asdict() for one in status.witnesses]
        document = {**status._asdict(), "witnesses": witnesses}
        write_durably(self._status, json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
