"""Verify many receipts: those of files, of folders, and of files with one receipt a line."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from gateway.errors import GatewayError, LocalFileError
from gateway.service.receipts.proving import RECEIPT_BYTES_MAX, ReceiptVerifier
from gateway.store.files.inputs import read_small
from gateway.transparency import QuorumPending

__all__ = ["Failure", "Verdicts", "is_one_receipt", "verify_receipts"]

FAILURES_NAMED_MAX: Final = 20  # enough to see a pattern; the count says how many there are
_LINES: Final = ".ndjson"
_SUFFIXES: Final = frozenset({".json", _LINES})


class Failure(NamedTuple):
    """A receipt that does not hold, or does not yet: where it stands and why."""

    where: str
    code: str
    message: str


class Verdicts(NamedTuple):
    """How many receipts held, wait for cosignatures, or failed; ``named`` are the first of the last two."""

    verified: int
    pending: int
    failed: int
    named: list[Failure]


def is_one_receipt(path: Path) -> bool:
    """Tell whether a path stands for a single receipt."""
    return path.suffix != _LINES and not path.is_dir()


def verify_receipts(
    paths: Iterable[Path], checks: ReceiptVerifier, *, watch: Callable[[int], None]
) -> Verdicts:
    """Verify every receipt below the paths; one that fails does not stop the others.

    Raises:
        LocalFileError: something cannot be read, or a folder or file has no receipt.
    """
    verified = pending = failed = 0
    named: list[Failure] = []
    for where, data in _receipts(paths):
        try:
            checks.verify(data)
            verified += 1
        except GatewayError as error:
            waits = isinstance(error, QuorumPending)
            pending, failed = pending + waits, failed + (not waits)
            if len(named) < FAILURES_NAMED_MAX:
                named.append(Failure(where, error.code, str(error)))
        watch(verified + pending + failed)
    return Verdicts(verified, pending, failed, named)


def _receipts(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        files = _files_below(path) if path.is_dir() else [path]
        for file in files:
            if file.suffix == _LINES:
                yield from _lines(file)
            else:
                yield str(file), read_small(file).rstrip(b"\n")


def _files_below(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        raise LocalFileError(
            f"there is no receipt below {folder}", remedy=f"receipts are files named *.json or *{_LINES}"
        )
    return files


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            for number, line in enumerate(_bounded_lines(file), 1):
                yield f"{path}:{number}", line
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}", remedy="name a file that this user may read"
        ) from error
    if not number:
        raise LocalFileError(f"there is no receipt in {path}", remedy="a file has one receipt a line")


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Give each line without its end; of one that is too long to be a receipt, only as much as shows it."""
    enough = RECEIPT_BYTES_MAX + 2
    while line := file.readline(enough):
        rest = line
        while len(rest) == enough and not rest.endswith(b"\n"):
            rest = file.readline(enough)
        yield line.rstrip(b"\n")
