"""Which decisions on transfers stand in the log."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

__all__ = ["DecisionBatch", "DecisionLog"]


class DecisionBatch(NamedTuple):
    """Decisions that share an entry of the log: those after the batch before, up to a journal's number.

    ``root`` is over their canonical bytes, ``chain`` the digest of the last one.
    """

    sequence: int
    through: int
    size: int
    root: bytes
    chain: str
    entry_digest: str
    issued: str
    position: int = -1


class DecisionLog(Protocol):
    """The batches of decisions, in their order."""

    def last(self) -> DecisionBatch | None:
        """Return the newest batch."""
        ...

    def all(self) -> Iterator[DecisionBatch]:
        """Return all batches in order."""
        ...

    def holding(self, number: int) -> DecisionBatch | None:
        """Return the batch of the decision with a number of the journal; None where it waits."""
        ...

    def through(self, sequence: int) -> int:
        """Return the number of the last decision of a batch; 0 before the first one."""
        ...

    def add(self, batch: DecisionBatch, entry: bytes) -> None:
        """Store a batch and queue its log entry in one transaction; its position is given out there."""
        ...
