"""What has become of lots, and what was moved today: kept by the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from gateway.ledger import Lot
from gateway.ports.stores import BatchRow, PrivateRow
from gateway.recognition import UNUSED, DayUse, Moved, Used

__all__ = ["ArrivedLot", "Corridor", "KeptRecord", "LotBook", "LotState", "PersonRecords"]


class Corridor(NamedTuple):
    """From which platform to which."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotState:
    """What has become of a lot. ``moved`` is by destination and the name of its rates, `Worth.rates`.

    ``in_transit``: a part of it is on its way, and nobody knows yet whether it arrives.
    """

    used: Used = UNUSED
    moved: Mapping[tuple[str, str], Moved] = field(default_factory=dict)
    retired: bool = False
    disputed: bool = False
    in_transit: bool = False


class ArrivedLot(NamedTuple):
    """A lot that has come by transfers: its name, itself, and the rates of all its moves in their order."""

    name: str
    lot: Lot
    rates: tuple[str, ...]


class KeptRecord(NamedTuple):
    """A record's row and its batch; ``arrived``: what of it is meant that came to another platform."""

    row: PrivateRow
    batch: BatchRow
    arrived: ArrivedLot | None = None

    @property
    def lot(self) -> str:
        """Return the name of its lot."""
        return self.row.id if self.arrived is None else self.arrived.name


class PersonRecords(Protocol):
    """The records of accounts, found without looking through those of all others."""

    def of(
        self, platform: str, accounts: Mapping[bytes, Collection[str] | None]
    ) -> dict[bytes, list[KeptRecord]]:
        """Return the records of accounts, by their pseudonyms in the platform: of some days, or of all."""
        ...


class LotBook(Protocol):
    """What is known of lots that were touched; of all others nothing is kept."""

    def states(self, lots: Sequence[str]) -> dict[str, LotState]:
        """Return the states of those lots that were ever touched, by name; a record's is its id."""
        ...

    def arrived(self, wanted: Collection[tuple[bytes, str]]) -> dict[tuple[bytes, str], list[ArrivedLot]]:
        """Return what platforms hold of persons' records by transfers, whatever is left of it.

        Wanted are persons at platforms; those of whom nothing is there are left out.
        """
        ...

    def day_uses(
        self, moves: Collection[tuple[bytes, Corridor]], *, day: date
    ) -> dict[tuple[bytes, Corridor], DayUse]:
        """Return what was recognised, or is reserved, on a day for persons over corridors."""
        ...
