"""The log, the quarantine, the clock, and who is told of work done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Protocol

__all__ = ["Clock", "Log", "Quarantine", "Worked", "Working", "untraced", "unwatched"]


class Clock(Protocol):
    """Tell the time, in UTC, whole seconds."""

    def now(self) -> datetime:
        """Return the present moment."""
        ...


class Log(Protocol):
    """The published transparency log of a home."""

    @property
    def size(self) -> int:
        """Return the number of published entries."""
        ...

    @property
    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint."""
        ...

    def append(self, entries: Sequence[bytes]) -> object:
        """Publish entries: stage, swap the checkpoint, publish tiles, publish the checkpoint."""
        ...

    def entry(self, index: int) -> bytes:
        """Return one published entry."""
        ...

    def entries(self, start: int) -> Iterator[bytes]:
        """Return published entries from an index on."""
        ...

    def proof_text(self, index: int) -> str:
        """Return the C2SP tlog-proof of an entry under the newest checkpoint."""
        ...

    def check(self) -> None:
        """Recompute everything up to the checkpoint; raises IntegrityBroken naming the file."""
        ...


class Quarantine(Protocol):
    """Where rejected rows are set aside."""

    def set_aside(self, submission: str, part: int, *, lines: Iterable[bytes]) -> None:
        """Write the rejected rows of one part durably, replacing what a killed run has left."""
        ...


class Worked(Protocol):
    """Is told of each piece of work that has just ended; facts are numbers and names of platforms."""

    def __call__(
        self, what: str, *, seconds: float, facts: Mapping[str, str | int], requests: Sequence[str] = ()
    ) -> None:
        """Note what was done, how long it took, and the spans of the requests that had asked for it."""
        ...


def untraced(
    what: str, *, seconds: float, facts: Mapping[str, str | int], requests: Sequence[str] = ()
) -> None:
    """Note nothing (:class:`Worked`)."""


class Working(Protocol):
    """Stands around a piece of work while it is done; facts are numbers and names of platforms."""

    def __call__(
        self, what: str, *, facts: Mapping[str, str | int], transfers: Sequence[str]
    ) -> AbstractContextManager[None]:
        """Watch work on some transfers from here to its end."""
        ...


class _Unwatched:
    """Watches nothing (:class:`Working`)."""

    def __call__(self, *_: object, **__: object) -> AbstractContextManager[None]:
        return nullcontext()


unwatched: Working = _Unwatched()
