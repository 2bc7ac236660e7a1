"""Write files so that a kill or a power cut leaves the old content or the new, never half of either."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["durable_file", "remove_folder", "sync_folder", "write_durably"]


def write_durably(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a whole file; see :func:`durable_file`."""
    with durable_file(path, mode=mode) as file:
        file.write(data)


@contextmanager
def durable_file(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Write, flush to the disk, then rename into place and flush the folder, and each folder made for it.

    What was written can be read again before it has its name.
    """
    _make_folder(path.parent)
    half = path.with_name(path.name + ".half")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        half.unlink(missing_ok=True)
        if isinstance(error, OSError):  # of a full disk the system does not say which file it concerns
            error.filename = error.filename or str(path)
        raise
    half.replace(path)
    sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Remove a folder of temporary files, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
