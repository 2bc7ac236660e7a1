"""Locks on files, which the system lets go of however their holder ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import HomeBusy

__all__ = ["locked"]


@contextmanager
def locked(path: Path, *, told: str) -> Iterator[None]:
    """Hold a lock that one process has at a time.

    Raises:
        HomeBusy: another has it; ``told`` says what it does.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise HomeBusy(told) from error
    try:
        yield
    finally:
        os.close(descriptor)
