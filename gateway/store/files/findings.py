"""Finding files: one for each batch in which an act is not plausible, written once, private.

``findings/batch-000000012.ndjson``. Their digests stand in the journal.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.errors import IntegrityBroken
from gateway.ports import FindingFile
from gateway.store.files.durable import sync_folder, write_durably

__all__ = ["NdjsonFindings"]


class NdjsonFindings:
    """The finding files below one folder (:class:`gateway.ports.Findings`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, batch: int, lines: Sequence[bytes]) -> FindingFile:
        """Write the findings of a batch durably; replaces what a killed run has left."""
        data = b"".join(line + b"\n" for line in lines)
        write_durably(self._path(batch), data, mode=0o600)
        return FindingFile(_digest(data), len(lines))

    def read(self, batch: int, file: FindingFile) -> list[bytes]:
        """Read the findings of a batch after checking the digest; raises IntegrityBroken naming the file."""
        path, following = self._path(batch), self._next(batch)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise IntegrityBroken(f"{self._folder.name}/{path.name} is missing", field=path.name) from error
        if _digest(data) != file.digest and following.exists():
            data = following.read_bytes()
        if _digest(data) != file.digest:
            raise IntegrityBroken(
                f"{self._folder.name}/{path.name} is not the file that was written", field=path.name
            )
        return data.splitlines()

    def stage(self, batch: int, lines: Sequence[bytes]) -> FindingFile:
        """Write the findings of a batch anew beside the old, durably; they count once their digest does."""
        data = b"".join(line + b"\n" for line in lines)
        write_durably(self._next(batch), data, mode=0o600)
        return FindingFile(_digest(data), len(lines))

    def settle(self, files: Mapping[int, FindingFile]) -> None:
        """Put what was staged and counts into its place, and remove the rest and what is half written."""
        for half in self._folder.glob("*.half"):
            half.unlink()
        for batch, file in files.items():
            following = self._next(batch)
            if following.exists() and _digest(following.read_bytes()) == file.digest:
                following.replace(self._path(batch))
        for left in self._folder.glob("*.next"):
            left.unlink()
        if self._folder.exists():
            sync_folder(self._folder)

    def strays(self, batches: set[int]) -> list[str]:
        """Return files below ``findings/`` that belong to none of the batches."""
        known = {self._path(batch).name for batch in batches}
        return sorted(path.name for path in self._folder.glob("*") if path.name not in known)

    def keep_only(self, batches: set[int]) -> None:
        """Remove files that belong to none of the batches."""
        for name in self.strays(batches):
            (self._folder / name).unlink()

    def sweep(self, batch: int) -> None:
        """Remove what a killed run has written of a batch that was never decided."""
        for path in self._folder.glob(f"{self._path(batch).name}*"):
            path.unlink()

    def _path(self, batch: int) -> Path:
        return self._folder / f"batch-{batch:09d}.ndjson"

    def _next(self, batch: int) -> Path:
        return self._folder / f"batch-{batch:09d}.ndjson.next"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
