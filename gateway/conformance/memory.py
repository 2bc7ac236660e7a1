"""How much memory an adapter takes for a row that seems never to end."""

import io
import tracemalloc
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from gateway.conformance.sample import Sample
from gateway.conformance.trial import Trial
from gateway.contract import PlatformAdapter

__all__ = ["little_memory"]

MEMORY_MAX: Final = 64 * 1024 * 1024
_LONG_BYTES: Final = 96 * 1024 * 1024
_ROWS_MAX: Final = 1 << 17  # more than a sample has bytes


def little_memory(trial: Trial) -> Iterator[str]:
    """Check that a document with a row of 96 MiB is read, or refused, in at most 64 MiB."""
    for sample in trial.samples[:1]:
        if sample.source.kind != "parquet":  # whose footer tells beforehand what has to be held
            peak = _peak(trial.adapter, sample)
            wrong = (
                f"{sample.file} with a row of {_LONG_BYTES} bytes: expected {MEMORY_MAX} at most, got {peak}"
            )
            yield wrong if peak > MEMORY_MAX else ""


def _peak(adapter: PlatformAdapter, sample: Sample) -> int:
    """Return the most memory that was held while a long document was read and its rows thrown away."""
    outer = tracemalloc.is_tracing()
    if not outer:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    with suppress(Exception):  # what comes out is asked by another check
        stream = io.BufferedReader(_Long(sample.document + b'\n"'))
        rows = adapter.rows(stream, sample.file, source=sample.source)
        deque(islice(rows, _ROWS_MAX), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1] - before
    if not outer:
        tracemalloc.stop()
    return peak


class _Long(io.RawIOBase):
    """A document, then bytes without a line end, of which none are held."""

    def __init__(self, head: bytes) -> None:
        self._head = memoryview(head)
        self._left = _LONG_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub's Buffer has no len
        part = self._head[: len(buffer)] or b"x" * min(len(buffer), self._left)
        self._left -= 0 if self._head else len(part)
        self._head = self._head[len(part) :]
        buffer[: len(part)] = part
        return len(part)
