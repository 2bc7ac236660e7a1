"""Lots and how much of them is used, part by part: nothing is spent twice.

A lot is what one record gave one person, or what of it has arrived at another platform: parts that came from
the same lot at the same rates are one lot there, so that nothing depends on how a move was split. Usage is
kept from the first time a lot is touched; what was never touched is held by its platform and costs nothing.
"""

from typing import Final, NamedTuple

__all__ = ["AMOUNT_MAX", "Back", "Lot", "Part", "Seen", "arrived_lot", "way_of"]

AMOUNT_MAX: Final = 2**50  # a million tonnes in mg: thousands of such lots still add up within 64 bits


class Lot(NamedTuple):
    """What a lot holds and where that went.

    ``mg`` is the whole reduction and ``movable_mg`` what of it points were paid for. ``expires`` is the last
    day, as an ordinal number, on which its points are good; None for no end. ``disputed``: nothing of it
    moves. What has arrived names the lot that it came from, at which rates, and how much of that lot it took:
    ``origin``, ``rates`` and ``origin_mg``; ``returned_mg`` of it went back. What is none of these is free.
    """

    platform: str
    record: str
    unit: str
    mg: int
    movable_mg: int
    points: int
    expires: int | None = None
    transit_mg: int = 0
    transit_points: int = 0
    moved_mg: int = 0
    moved_points: int = 0
    retired_mg: int = 0
    retired_points: int = 0
    returned_mg: int = 0
    returned_points: int = 0
    disputed: bool = False
    origin: str = ""
    rates: str = ""
    origin_mg: int = 0

    @property
    def free_mg(self) -> int:
        """Return how much may still be moved or retired."""
        return self.movable_mg - self.mg + self.held_mg

    @property
    def free_points(self) -> int:
        """Return how many points are left."""
        gone = self.moved_points + self.retired_points + self.returned_points
        return self.points - self.transit_points - gone

    @property
    def used_mg(self) -> int:
        """Return how much is used, or in transit, wherever it went."""
        return self.mg - self.held_mg

    @property
    def used_points(self) -> int:
        """Return how many points are used, or in transit."""
        return self.points - self.free_points

    @property
    def held_mg(self) -> int:
        """Return what of the reduction is held, movable or not."""
        return self.mg - self.transit_mg - self.moved_mg - self.retired_mg - self.returned_mg

    @property
    def uses(self) -> tuple[int, ...]:
        """Return how much is in transit, moved, retired and returned, each in mg and in points."""
        return self[7:15]

    @property
    def new(self) -> "Lot":
        """Return the lot as it was before anything of it was used."""
        return Lot(*self[:7])

    @property
    def unused(self) -> bool:
        """Tell whether the lot is a record's, of which nothing was ever used."""
        return self[7:] == _UNUSED

    def take(self, mg: int, points: int) -> "Lot":
        """Return the lot with a part, or less by a part, in transit."""
        transit = (self.transit_mg + mg, self.transit_points + points)
        return Lot._make((*self[:7], *transit, *self[9:]))

    def move(self, mg: int, points: int) -> "Lot":
        """Return the lot after a part in transit has moved to another platform."""
        transit = (self.transit_mg - mg, self.transit_points - points)
        moved = (self.moved_mg + mg, self.moved_points + points)
        return Lot._make((*self[:7], *transit, *moved, *self[11:]))

    def retire(self, mg: int, points: int) -> "Lot":
        """Return the lot after a part in transit was used up for good."""
        taken = self.take(-mg, -points)
        return taken._replace(retired_mg=self.retired_mg + mg, retired_points=self.retired_points + points)

    def give_back(self, mg: int, points: int, *, origin_mg: int) -> "Lot":
        """Return the lot after a part in transit went back to where it came from."""
        taken = self.take(-mg, -points)
        return taken._replace(
            returned_mg=self.returned_mg + mg,
            returned_points=self.returned_points + points,
            origin_mg=self.origin_mg - origin_mg,
        )

    def join(self, arriving: "Lot") -> "Lot":
        """Return the lot with what arrives of the same lot at the same rates; the earlier end counts."""
        ends = [one for one in (self.expires, arriving.expires) if one is not None]
        return self._replace(
            mg=self.mg + arriving.mg,
            movable_mg=self.movable_mg + arriving.movable_mg,
            points=self.points + arriving.points,
            expires=min(ends, default=None),
            origin_mg=self.origin_mg + arriving.origin_mg,
        )

    def get_back(self, mg: int, points: int) -> "Lot":
        """Return the lot after a part that had moved has come back."""
        return self._replace(moved_mg=self.moved_mg - mg, moved_points=self.moved_points - points)


_UNUSED: Final = Lot("", "", "", 0, 0, 0)[7:]


class Back(NamedTuple):
    """What a lot gets back by a return: of its ``mg`` only a part may have been recognised.

    ``number`` is that of the part of the original that goes back.
    """

    lot: str
    mg: int
    number: int


class Seen(NamedTuple):
    """What a quote found used of a lot, and arrived of it at the destination at the same rates."""

    used_mg: int
    used_points: int
    arrived_from_mg: int = 0
    arrived_mg: int = 0
    arrived_points: int = 0


class Part(NamedTuple):
    """A part of a lot that is to move, go back or be retired.

    ``points`` go at the source with its ``mg``; of these ``recognised_mg`` and ``points_in`` arrive, good
    until ``expires``. ``dust`` is what rounding left of the points, as an exact fraction. ``facts`` is the
    lot as it is before its first use; None for a lot that arrived by a transfer. ``back`` stands in returns.
    ``rates`` names what the amounts were computed by; ``seen`` what they were computed from, if that matters.
    """

    lot: str
    mg: int
    points: int
    recognised_mg: int = 0
    points_in: int = 0
    expires: int | None = None
    dust: str = "0/1"
    facts: Lot | None = None
    back: Back | None = None
    rates: str = ""
    seen: Seen | None = None


def arrived_lot(lot: str, destination: str, *, rates: str) -> str:
    """Return the name of the lot that parts of a lot become where they arrive."""
    return f"{lot}>{destination}" + (f" {rates}" if rates else "")


def way_of(lot: str) -> tuple[str, tuple[str, ...]]:
    """Return the record that a lot came from, by its name, and the rates of all its moves in their order."""
    record, *moves = lot.split(">")
    return record, tuple(move.partition(" ")[2] for move in moves)
