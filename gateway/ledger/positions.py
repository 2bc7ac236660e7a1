"""Positions: what a platform owes, to one other platform or to all together, in mg of recognised CO2e."""

from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["ALL", "NOTHING", "Pair", "Position", "pairs_of"]

ALL: Final = ""
"""The other side of a position of a platform towards all others together."""


class Pair(NamedTuple):
    """Who owes, and to whom; ``ALL`` stands for all others together."""

    platform: str
    other: str


class Position(NamedTuple):
    """What moved out and in by decisions that are not settled, and what is reserved to move out.

    ``cap`` (net debit cap) and ``cover`` are None where none was set. ``paused``: nothing goes out.
    """

    committed_out: int = 0
    committed_in: int = 0
    reserved_out: int = 0
    cap: int | None = None
    cover: int | None = None
    paused: bool = False

    @property
    def owed(self) -> int:
        """Return what the platform owes, counting what is reserved; below zero it is owed something."""
        return self.committed_out - self.committed_in + self.reserved_out

    @property
    def limit(self) -> int | None:
        """Return the most that may be owed; None for no limit."""
        if self.cap is None or self.cover is None:
            return self.cap if self.cover is None else self.cover
        return min(self.cap, self.cover)

    def admits(self, amount: int) -> bool:
        """Tell whether so much more may be owed (I4)."""
        return self.limit is None or self.owed + amount <= self.limit

    def reserve(self, amount: int) -> "Position":
        """Return the position with more, or less, of what is reserved to move out."""
        out, into, reserved = self[:3]
        return Position._make((out, into, reserved + amount, *self[3:]))

    def commit(self, amount: int) -> "Position":
        """Return the position after a reserved amount has moved out."""
        out, into, reserved = self[:3]
        return Position._make((out + amount, into, reserved - amount, *self[3:]))

    def receive(self, amount: int) -> "Position":
        """Return the position after an amount has moved in."""
        return Position._make((self[0], self[1] + amount, *self[2:]))

    def settle(self, *, moved_out: int, moved_in: int) -> "Position":
        """Return the position after amounts that had moved were paid for."""
        return self._replace(
            committed_out=self.committed_out - moved_out, committed_in=self.committed_in - moved_in
        )


NOTHING: Final = Position()


@lru_cache(maxsize=4096)
def pairs_of(source: str, destination: str) -> tuple[tuple[Pair, Pair], tuple[Pair, Pair]]:
    """Return the positions that grow by what moves from one platform to another, and those that shrink."""
    return (
        (Pair(source, destination), Pair(source, ALL)),
        (Pair(destination, source), Pair(destination, ALL)),
    )
