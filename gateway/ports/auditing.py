"""What an audit of transfers reads: books rebuilt from their journal, and all that is kept of transfers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from gateway.ledger import Decision, Lot, Reservation
from gateway.ports.ledger import Transfer

__all__ = ["BooksAudit", "KeptRequest", "KeptTransfer", "MovedPart", "TransferRows"]


class MovedPart(NamedTuple):
    """A part of a record, or of what had come of it, that was set aside to move.

    It is the part ``line`` of the entry ``number``; ``held`` is the lot that it was taken of, after that.
    """

    number: int
    reservation: Reservation
    line: int
    held: Lot


class KeptRequest(NamedTuple):
    """The request that began a transfer. ``body`` and ``answer`` are empty where none is kept."""

    digest: str
    body: str
    answer: str


class KeptTransfer(NamedTuple):
    """A transfer, and what is kept of it elsewhere."""

    transfer: Transfer
    decision: Decision | None
    reservation: Reservation | None
    ends: frozenset[str]
    request: KeptRequest | None


class BooksAudit(Protocol):
    """Books that are rebuilt from their journal, apart from those that are kept."""

    def replay(self) -> Iterator[Sequence[str]]:
        """Take every command of the journal again; yields what differs, for each entry."""
        ...

    def differing(self) -> Iterator[str]:
        """Yield where what is kept is not what the journal gives."""
        ...

    def moved_records(self, records: Sequence[str]) -> dict[str, list[MovedPart]]:
        """Return every part of some records that was ever set aside to move, in the order of the journal."""
        ...

    def records_left(self) -> int:
        """Return how many records have moved parts that were not looked at."""
        ...

    def looked_at(self, records: Iterable[str]) -> None:
        """Note that the moved parts of records were looked at."""
        ...


class TransferRows(Protocol):
    """All transfers."""

    def all(self) -> Iterator[KeptTransfer]:
        """Yield all transfers as of one moment, by their ids."""
        ...

    def orphans(self) -> Iterator[str]:
        """Yield transfers that were reserved or decided, and are not there."""
        ...
