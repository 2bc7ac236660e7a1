"""Choose the lots of a person that move: what lapses first goes first, and never more than was asked for."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from gateway.recognition.amounts import mg_for_points
from gateway.recognition.checks import Lot

__all__ = ["Picked", "in_order", "pick"]

_NEVER: Final = date.max


class Picked(NamedTuple):
    """A lot, and how much of it moves."""

    lot: Lot
    part_mg: int


def in_order(lot: Lot) -> tuple[date, str]:
    """Return what lots are picked by: the day after which their points lapse, then the record's id."""
    return lot.expires or _NEVER, lot.record


def pick(lots: Iterable[Lot], points: int) -> Iterator[Picked]:
    """Yield lots, in the order given, until so many points are found.

    The last one is used in part; a lot of whose points none can be used is left out.
    """
    wanted = points
    for lot in lots:
        if wanted <= 0:
            return
        taken = min(wanted, lot.points_left)
        part_mg = mg_for_points(lot.value, lot.used, points=taken)
        if part_mg:
            wanted -= taken
            yield Picked(lot, part_mg)
