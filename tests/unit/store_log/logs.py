"""A log with its signer and its checkpoint store, made below a folder of the test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.store.log.checkpoints import CheckpointFile
from gateway.store.log.tiles import LogFolder
from gateway.transparency import sign_note
from tests.unit.transparency.signers import log_signer

ORIGIN = "log.example/one"
SIGNER = log_signer(ORIGIN)


def entries(size: int, start: int = 0) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(start, size)]


def sign_checkpoint(text: bytes) -> bytes:
    return bytes(sign_note(text, key=SIGNER.key, sign=SIGNER.sign))


def store_in(root: Path) -> CheckpointFile:
    return CheckpointFile(root / "state" / "checkpoints.db")


def log_in(
    root: Path, *, home: str = "home", after_step: Callable[[str], None] = lambda _: None
) -> LogFolder:
    """Open the log of a home; every home below one root shares the checkpoint store."""
    return LogFolder(
        root / home / "log",
        origin=ORIGIN,
        staging=root / home / "staging",
        store=store_in(root),
        sign_checkpoint=sign_checkpoint,
        after_step=after_step,
    )


def log_of(root: Path, origin: str) -> LogFolder:
    """Open a log of another name, signed by the key that ``log_signer`` makes for it."""
    signer = log_signer(origin)
    return LogFolder(
        root / "home" / "log",
        origin=origin,
        staging=root / "home" / "staging",
        store=store_in(root),
        sign_checkpoint=lambda text: bytes(sign_note(text, key=signer.key, sign=signer.sign)),
    )


def copy_home(root: Path, name: str) -> None:
    shutil.copytree(root / "home", root / name)


def files_of(root: Path, home: str = "home") -> Iterator[Path]:
    return (path for path in sorted((root / home / "log").rglob("*")) if path.is_file())
