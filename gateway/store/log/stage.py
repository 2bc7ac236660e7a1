"""Staged growth of a log: everything an append will publish, in one durable file, before it is decided.

The stage is a zip archive without compression: one flush to the disk for all tiles, a checksum for
each, and anybody can look into it.
"""

import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

from gateway.store.files.durable import write_durably

__all__ = ["Stage"]

_CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Stage:
    """A signed checkpoint, and the tiles and bundles that lead to it."""

    note: bytes
    files: dict[str, bytes]

    def write(self, path: Path) -> None:
        """Write the stage durably."""
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, data in {**self.files, _CHECKPOINT: self.note}.items():
                archive.writestr(zipfile.ZipInfo(name), data)
        write_durably(path, buffer.getvalue())

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a stage back, or return None where it is not whole."""
        try:
            with zipfile.ZipFile(path) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
                return cls(files.pop(_CHECKPOINT), files)
        except (zipfile.BadZipFile, KeyError, EOFError):
            return None
