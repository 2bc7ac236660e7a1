"""Lots and how much of them is used, part by part: nothing is spent twice.

A lot is what one record gave one person, or what arrived of it by one transfer. Its usage is kept from the
first time it is touched; what was never touched is held by its platform and costs nothing here.
"""

from typing import Final, NamedTuple

__all__ = ["AMOUNT_MAX", "Back", "Lot", "Part", "arrived_lot"]

AMOUNT_MAX: Final = 2**50  # a million tonnes in mg: thousands of such lots still add up within 64 bits


class Lot(NamedTuple):
    """What a lot holds and where that went.

    ``mg`` is the whole reduction and ``movable_mg`` what of it points were paid for. ``expires`` is the last
    day, as an ordinal number, on which its points are good; None for no end. ``disputed``: nothing of it
    moves. ``returned_mg`` went back to the lot that it came from. What is none of these is free.
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
    def held_mg(self) -> int:
        """Return what of the reduction is held, movable or not."""
        return self.mg - self.transit_mg - self.moved_mg - self.retired_mg - self.returned_mg

    @property
    def new(self) -> "Lot":
        """Return the lot as it was before anything of it was used."""
        return Lot(*self[:7])

    def take(self, mg: int, points: int) -> "Lot":
        """Return the lot with a part, or less by a part, in transit."""
        return self._replace(transit_mg=self.transit_mg + mg, transit_points=self.transit_points + points)

    def move(self, mg: int, points: int) -> "Lot":
        """Return the lot after a part in transit has moved to another platform."""
        taken = self.take(-mg, -points)
        return taken._replace(moved_mg=self.moved_mg + mg, moved_points=self.moved_points + points)

    def retire(self, mg: int, points: int) -> "Lot":
        """Return the lot after a part in transit was used up for good."""
        taken = self.take(-mg, -points)
        return taken._replace(retired_mg=self.retired_mg + mg, retired_points=self.retired_points + points)

    def give_back(self, mg: int, points: int) -> "Lot":
        """Return the lot after a part in transit went back to where it came from."""
        taken = self.take(-mg, -points)
        return taken._replace(
            returned_mg=self.returned_mg + mg, returned_points=self.returned_points + points
        )

    def get_back(self, mg: int, points: int) -> "Lot":
        """Return the lot after a part that had moved has come back."""
        return self._replace(moved_mg=self.moved_mg - mg, moved_points=self.moved_points - points)


class Back(NamedTuple):
    """What a lot gets back by a return: of its ``mg`` only a part may have been recognised."""

    lot: str
    mg: int


class Part(NamedTuple):
    """A part of a lot that is to move, go back or be retired.

    ``points`` go at the source with its ``mg``; of these ``recognised_mg`` and ``points_in`` arrive, good
    until ``expires``. ``dust`` is what rounding left of the points, as an exact fraction. ``facts`` is the
    lot as it is before its first use; None for a lot that arrived by a transfer. ``back`` stands in returns.
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


def arrived_lot(transfer: str, number: int) -> str:
    """Return the name of the lot that a part of a transfer becomes where it arrives."""
    return f"{transfer}/{number}"
