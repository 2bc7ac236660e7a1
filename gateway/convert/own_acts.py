"""The acts of one person on the line of time: how far another one overlaps them."""

from bisect import bisect_right
from collections.abc import Iterable

__all__ = ["OwnActs"]


class OwnActs:
    """Accepted acts of one person, each from its start up to but without its end, in seconds."""

    __slots__ = ("_ends", "_reach", "_starts")

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._reach: list[int] = []  # the latest end of an act and all that start before it
        for start, end in sorted(spans):
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Remember one more act."""
        at = bisect_right(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)
        self._reach.insert(at, self._reach[at - 1] if at else end)
        while at < len(self._reach) and self._reach[at] <= end:
            self._reach[at] = end
            at += 1

    def overlap(self, start: int, end: int, *, enough: int) -> int | None:
        """Return by how many seconds an act overlaps another, or one that is more than ``enough``.

        It is the largest of all, zero where two acts touch, and negative where all are apart; None where
        there is no other act.
        """
        at = bisect_right(self._starts, start)
        found = min(self._reach[at - 1], end) - start if at else None
        while at < len(self._starts) and (found is None or found <= enough):
            other = min(self._ends[at], end) - self._starts[at]
            found = other if found is None else max(found, other)
            if self._starts[at] >= end:
                break
            at += 1
        return found
