"""Rows of operations that wait as files below ``HOME/spool``: private, and gone once they are converted."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gateway.errors import LocalFileError, NotFound
from gateway.store.files.durable import sync_folder, write_durably
from gateway.store.files.inputs import InputFile, inspect_input

__all__ = ["SpoolFolder", "Upload"]


class Upload:
    """A file that is arriving: its bytes, their digest and their number. ``whole``: it is to be kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0
        self.whole = False

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> bytes:
        """Return the digest of what has arrived."""
        return self._hash.digest()


class SpoolFolder:
    """The spool of one home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, contents: Sequence[bytes]) -> None:
        """Write a spool durably, replacing what a killed sequencer has left."""
        write_durably(self._path(name), b"".join(contents), mode=0o600)

    @contextmanager
    def uploading(self, name: str) -> Iterator[Upload]:
        """Take a file under a name; unless its :attr:`Upload.whole` is set, nothing of it stays."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._path(name)
        half = path.with_name(path.name + ".half")
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                upload = Upload(file)
                yield upload
                file.flush()
                os.fsync(file.fileno())
            if upload.whole:
                half.replace(path)
                sync_folder(self._folder)
        finally:
            half.unlink(missing_ok=True)

    def file(self, name: str) -> InputFile:
        """Return a spool as an input file.

        Raises:
            NotFound: it is not there any more.
        """
        path = self._path(name)
        if not path.exists():
            raise NotFound("the rows of this submission are gone", remedy="submit them again with a new key")
        return inspect_input(path)

    def sweep(self, in_use: Callable[[], Collection[str]], *, before: float) -> int:
        """Remove what nothing refers to and nobody has written to since ``before``, in seconds of the epoch.

        A process that was killed between two steps leaves such files, and they hold personal data.
        Returns how many they were.
        """
        old = [path for path in self._folder.glob("*") if path.stat().st_mtime < before]
        if not old:
            return 0
        kept = in_use()
        orphans = [path for path in old if path.name not in kept]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)

    def drop(self, name: str) -> None:
        """Remove a spool."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not name.isalnum():
            raise LocalFileError(f"{name!r} is no name of a spool")
        return self._folder / name
