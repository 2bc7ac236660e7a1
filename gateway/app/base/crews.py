"""Who prepares and finishes the parts of a conversion: this process alone, or others beside it."""

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from gateway.bulk.workers import beside, in_another_process
from gateway.errors import InvariantBroken
from gateway.service.acts.preparing import Asked, Part, Prepared
from gateway.service.converting.finishing import Finished, Finisher
from gateway.service.converting.part import Verdict
from gateway.service.converting.parts import Crew

__all__ = ["here", "in_processes"]

AHEAD: Final = 2  # parts that are being finished while the next are judged


@contextmanager
def here() -> Iterator[Crew]:
    """Give the crew that needs no other process: it does one part after the other."""
    yield _HereCrew()


@contextmanager
def in_processes(finishers: int) -> Iterator[Crew]:
    """Give a crew of one process that prepares and so many that finish."""
    with beside(finishers) as pool:
        yield _ProcessCrew(pool)


class _HereCrew:
    ahead = 0

    def prepare(self, make: Callable[[], Iterator[Part]]) -> Iterator[tuple[Asked, "_Unpacked"]]:
        for asked, prepared in make():
            yield asked, _Unpacked(prepared)


@dataclass(frozen=True, slots=True)
class _Unpacked:
    prepared: Prepared

    def finish(self, finisher: Finisher, *, verdict: Verdict, accepted: datetime) -> "Future[Finished]":
        finished: Future[Finished] = Future()
        finished.set_result(finisher.finish(self.prepared, verdict, accepted=accepted))
        return finished


@dataclass(frozen=True, slots=True)
class _ProcessCrew:
    pool: ProcessPoolExecutor
    ahead: int = AHEAD

    def prepare(self, make: Callable[[], Iterator[Part]]) -> Iterator[tuple[Asked, "_Packed"]]:
        for asked, packed in in_another_process(partial(_packed, make)):
            yield asked, _Packed(self.pool, packed)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A part that was packed where it was made, and is unpacked where it is finished."""

    pool: ProcessPoolExecutor
    packed: bytes

    def finish(self, finisher: Finisher, *, verdict: Verdict, accepted: datetime) -> "_Elsewhere":
        with _naming_broken():
            told = verdict.to_finish()
            work = self.pool.submit(_finish, finisher, self.packed, verdict=told, accepted=accepted)
        return _Elsewhere(work)


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A part that another process finishes."""

    future: "Future[Finished]"

    def done(self) -> bool:
        return self.future.done()

    def result(self) -> Finished:
        with _naming_broken():
            return self.future.result()


@contextmanager
def _naming_broken() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise InvariantBroken("the process that finishes parts ended without a word") from error


def _packed(make: Callable[[], Iterator[Part]]) -> Iterator[tuple[Asked, bytes]]:
    for asked, prepared in make():
        yield asked, pickle.dumps(prepared, pickle.HIGHEST_PROTOCOL)


def _finish(finisher: Finisher, packed: bytes, *, verdict: Verdict, accepted: datetime) -> Finished:
    prepared: Prepared = pickle.loads(packed)  # noqa: S301 - from our own process
    return finisher.finish(prepared, verdict, accepted=accepted)
