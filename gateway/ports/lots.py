"""What has become of lots, and what was moved today: kept by the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from gateway.ports.stores import BatchRow, PrivateRow
from gateway.recognition import UNUSED, DayUse, Moved, Used

__all__ = ["Corridor", "KeptRecord", "LotBook", "LotState", "PersonRecords"]


class Corridor(NamedTuple):
    """From which platform to which."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotState:
    """What has become of a lot. ``moved`` is by destination and the name of its rates, `Worth.rates`."""

    used: Used = UNUSED
    moved: Mapping[tuple[str, str], Moved] = field(default_factory=dict)
    retired: bool = False
    disputed: bool = False


class KeptRecord(NamedTuple):
    """A record's row and its batch."""

    row: PrivateRow
    batch: BatchRow


class PersonRecords(Protocol):
    """The records of accounts, found without looking through those of all others."""

    def of(
        self, platform: str, accounts: Mapping[bytes, Collection[str] | None]
    ) -> dict[bytes, list[KeptRecord]]:
        """Return the records of accounts, by their pseudonyms in the platform: of some days, or of all."""
        ...


class LotBook(Protocol):
    """What is known of lots that were touched; of all others nothing is kept."""

    def states(self, records: Sequence[str]) -> dict[str, LotState]:
        """Return the states of those lots that were ever touched, by record."""
        ...

    def day_uses(
        self, moves: Collection[tuple[bytes, Corridor]], *, day: date
    ) -> dict[tuple[bytes, Corridor], DayUse]:
        """Return what was recognised, or is reserved, on a day for persons over corridors."""
        ...
