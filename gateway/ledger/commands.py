"""What changes the books: reservations and their ends, limits, disputes, settlements."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gateway.ledger.lots import Lot, Part, arrived_lot
from gateway.ledger.positions import Pair

__all__ = [
    "Cap",
    "Dispute",
    "Kind",
    "Limit",
    "Refusal",
    "RefusalCode",
    "Reservation",
    "WindowState",
    "WindowStep",
    "returned_key",
]


class Kind(StrEnum):
    """What a reservation is for."""

    MOVE = "move"
    RETURN = "return"
    RETIRE = "retire"


class Cap(NamedTuple):
    """One of the amounts that may move in a day: ``key`` names what is counted, ``code`` refuses more."""

    code: str
    key: str
    limit: int


def returned_key(transfer: str, number: int) -> str:
    """Return the counter of what of a part of a transfer went back."""
    return f"returned/{transfer}/{number}"


class Reservation(NamedTuple):
    """Parts of lots that one transfer sets aside until it is decided.

    ``destination`` and ``unit_in`` (of the points that arrive) are empty where something is retired. ``day``
    is the ordinal number of the day by the gateway's clock. ``original`` is the transfer that a return goes
    back on.
    """

    transfer: str
    kind: Kind
    source: str
    destination: str
    unit_in: str
    day: int
    parts: tuple[Part, ...]
    caps: tuple[Cap, ...] = ()
    original: str = ""

    @property
    def amount(self) -> int:
        """Return what positions and caps count: the recognised reduction."""
        return sum([part.recognised_mg for part in self.parts])

    def arriving(self, part: Part) -> str:
        """Return the name of the lot that a part arrives as."""
        return arrived_lot(part.lot, self.destination, rates=part.rates)

    def lots(self) -> Iterator[str]:
        """Name every lot that the reservation or its end touches."""
        for part in self.parts:
            yield part.lot
            if part.back is not None:
                yield part.back.lot
            elif self.kind is Kind.MOVE:
                yield self.arriving(part)

    def counters(self) -> dict[str, int]:
        """Return what the reservation adds to the day limits and to what of an original went back."""
        amount = self.amount
        added = {key: amount for _, key, _ in self.caps}
        for part in self.parts:
            if part.back is not None:
                key = returned_key(self.original, part.back.number)
                added[key] = added.get(key, 0) + part.mg
        return added


class Limit(NamedTuple):
    """The limits of a position from now on."""

    pair: Pair
    cap: int | None
    cover: int | None
    paused: bool = False


class Dispute(NamedTuple):
    """A lot to be blocked, or to move again; ``facts`` where nothing of it may have been used yet."""

    lot: str
    disputed: bool
    facts: Lot | None = None


class WindowState(StrEnum):
    """How far a window is."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    PENDING = "PENDING"
    SETTLED = "SETTLED"
    ABORTED = "ABORTED"


class WindowStep(NamedTuple):
    """Windows that take a step together."""

    windows: tuple[int, ...]
    state: WindowState


class RefusalCode(StrEnum):
    """Why the ledger does not reserve; the codes of caps come with the caps."""

    NOT_HELD = "lot-not-held"
    DIFFERS = "quote-differs"
    DISPUTED = "lot-disputed"
    EXPIRED = "lot-expired"
    RETIRED = "lot-retired"
    SPENT = "lot-spent"
    IN_TRANSIT = "lot-in-transit"
    EXCEEDS = "return-exceeds-original"
    NOT_COMMITTED = "not-committed"
    NO_AGREEMENT = "agreement-not-in-force"
    PAUSED = "corridor-paused"
    INACTIVE = "platform-not-active"
    POSITION = "position-limit"


class Refusal(NamedTuple):
    """A reservation that was not made: a stable code, and what it is about (a lot, a cap or a platform)."""

    code: str
    about: str
    asked: int = 0
    left: int = 0
