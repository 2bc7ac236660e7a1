"""The files of a submission: regular, named, hashed before they are read, decompressed within limits.

Files are ordered by (base name, digest) and named apart, so that neither the order of the arguments
nor the folders they come from show in a record. The same file given twice is read twice: its rows
come out as duplicates and are counted, where leaving it out would make the sum of rows wrong.
"""

import hashlib
import io
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from gateway.errors import LocalFileError, MalformedDocument
from gateway.store.files.expansion import ExpansionLimits, expanded

__all__ = [
    "SMALL_BYTES_MAX",
    "ExpansionLimits",
    "InputFile",
    "inspect_input",
    "open_input",
    "order_inputs",
    "read_small",
    "require_whole",
]

SMALL_BYTES_MAX: Final = 1 << 20  # four times the limit of the largest of them
_BLOCK_BYTES: Final = 1 << 20
_FOREIGN: Final = {
    b"PK\x03\x04": "a ZIP archive or a workbook (.xlsx)",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\xd0\xcf\x11\xe0": "an old workbook (.xls)",
}


class _State(NamedTuple):
    """What changes when somebody writes to a file or puts another in its place."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> "_State":
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file of a submission, as it was when it was hashed.

    ``name`` goes into the place of each row: the base name, with ``~2``, ``~3`` … behind it when
    several files of a submission have the same one. ``digest`` is the SHA-256 of the bytes on disk.
    """

    path: Path
    name: str
    digest: str
    size: int
    state: _State


def order_inputs(paths: Iterable[Path]) -> tuple[InputFile, ...]:
    """Hash the files of a submission and put them into the order in which they are read.

    Raises:
        LocalFileError: one of them is missing, unreadable or not a regular file.
    """
    found = sorted((inspect_input(path) for path in paths), key=lambda file: (file.name, file.digest))
    taken = {file.name for file in found}
    seen: Counter[str] = Counter()
    named = []
    for file in found:
        seen[file.name] += 1
        name = file.name if seen[file.name] == 1 else _free_name(file.name, seen=seen, taken=taken)
        named.append(
            InputFile(path=file.path, name=name, digest=file.digest, size=file.size, state=file.state)
        )
    return tuple(named)


def inspect_input(path: Path) -> InputFile:
    """Hash one file; links to a regular file are followed.

    Raises:
        LocalFileError: it is missing, unreadable or not a regular file.
    """
    digest = hashlib.sha256()
    with _opened(path) as raw:
        state = _State.of(os.fstat(raw.fileno()))
        while block := raw.read(_BLOCK_BYTES):
            digest.update(block)
    _require_unchanged(path, state)
    return InputFile(path=path, name=_readable(path), digest=digest.hexdigest(), size=state.size, state=state)


def require_whole(file: InputFile) -> None:
    """Expand a compressed file to its end and throw the bytes away, so that a cut one is refused at once.

    Raises:
        MalformedDocument: it is damaged, cut short or expands beyond the limits.
    """
    with open_input(file) as stream:
        if not isinstance(stream, io.BufferedReader) or not isinstance(stream.raw, io.FileIO):
            while stream.read(_BLOCK_BYTES):
                pass


def read_small(path: Path, *, bytes_max: int = SMALL_BYTES_MAX) -> bytes:
    """Read a document that is held in memory: a mapping, a receipt, a trust file.

    Raises:
        LocalFileError: it is missing, unreadable or not a regular file.
        MalformedDocument: it is larger than any document of its kind.
    """
    with _opened(path) as raw:
        data = raw.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise MalformedDocument(
            f"{path} has more than {bytes_max} bytes: no document of this kind has",
            remedy="name the file that is meant",
        )
    return data


@contextmanager
def open_input(file: InputFile, *, limits: ExpansionLimits | None = None) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed if it starts like gzip or Zstandard.

    A file that is not compressed can be sought in (a Parquet reader needs that). Errors while
    reading name the file.

    Raises:
        LocalFileError: the file has changed since it was hashed, or cannot be read.
        MalformedDocument: what is compressed is damaged, cut short or expands beyond the limits, or
            the file is an archive of another kind.
    """
    with _opened(file.path) as raw:
        _require_unchanged(file.path, file.state, found=os.fstat(raw.fileno()))
        magic = raw.peek(8)
        for start, kind in _FOREIGN.items():
            if magic.startswith(start):
                raise MalformedDocument(
                    f"{file.name} is {kind}; expected text or Parquet, plain or compressed as .gz or .zst",
                    remedy="export the table as CSV, NDJSON or Parquet and hand over that file",
                )
        yield expanded(raw, file.name, size=file.size, limits=limits)
    _require_unchanged(file.path, file.state)


def _readable(path: Path) -> str:
    """Return the base name as text; a name may hold bytes that are no text and would not fit a record."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def _free_name(name: str, *, seen: Counter[str], taken: set[str]) -> str:
    while (free := f"{name}~{seen[name]}") in taken:
        seen[name] += 1
    taken.add(free)
    return free


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """Open a regular file; nothing else is even opened, since opening a device may act on it."""
    try:
        _require_regular(path, os.stat(path).st_mode)
        # Without O_NONBLOCK a pipe put in place of the file just now would hang the program here.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}",
            remedy="name a file that exists and that this user may read",
        ) from error
    with open(descriptor, "rb") as raw:
        _require_regular(path, os.fstat(descriptor).st_mode)
        yield raw


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise LocalFileError(
            f"{path} is a folder; expected a regular file", remedy="name the files inside the folder"
        )
    raise LocalFileError(
        f"{path} is not a regular file (a pipe, a socket or a device)",
        remedy="save the data into a file first: a submission is hashed before it is read",
    )


def _require_unchanged(path: Path, state: _State, *, found: os.stat_result | None = None) -> None:
    """Compare a file with what it was: the one that is open, or the one that has its path now."""
    try:
        same = _State.of(found or os.stat(path)) == state
    except OSError:
        same = False
    if not same:
        raise LocalFileError(
            f"{path} was changed while it was being read",
            remedy="wait until nobody writes to the file, then run the command again",
        )
