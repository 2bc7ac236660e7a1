"""Finding files: one for each batch in which an act is not plausible, written once, private.

``findings/batch-000000012.ndjson``. Their digests stand in the journal.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from gateway.errors import IntegrityBroken
from gateway.ports import FindingFile
from gateway.store.durable import write_durably

__all__ = ["NdjsonFindings"]


class NdjsonFindings:
    """The finding files below one folder (:class:`gateway.ports.Findings`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, batch: int, lines: Sequence[bytes]) -> FindingFile:
        """Write the findings of a batch durably; replaces what a killed run has left."""
        data = b"".join(line + b"\n" for line in lines)
        write_durably(self._path(batch), data, mode=0o600)
        return FindingFile(hashlib.sha256(data).hexdigest(), len(lines))

    def read(self, batch: int, file: FindingFile) -> list[bytes]:
        """Read the findings of a batch after checking the digest; raises IntegrityBroken naming the file."""
        path = self._path(batch)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise IntegrityBroken(f"findings/{path.name} is missing", field=path.name) from error
        if hashlib.sha256(data).hexdigest() != file.digest:
            raise IntegrityBroken(f"findings/{path.name} is not the file that was written", field=path.name)
        return data.splitlines()

    def strays(self, batches: set[int]) -> list[str]:
        """Return files below ``findings/`` that belong to none of the batches."""
        known = {self._path(batch).name for batch in batches}
        return sorted(path.name for path in self._folder.glob("*") if path.name not in known)

    def sweep(self, batch: int) -> None:
        """Remove what a killed run has written of a batch that was never decided."""
        for path in self._folder.glob(f"{self._path(batch).name}*"):
            path.unlink()

    def _path(self, batch: int) -> Path:
        return self._folder / f"batch-{batch:09d}.ndjson"
