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


def in_order(last_day: date | None, record: str) -> tuple[date, str]:
    """Return what lots are picked by: the last day of their points, then the record's id."""
    return last_day or _NEVER, record


def pick(lots: Iterable[Lot], points: int | None) -> Iterator[Picked]:
    """Yield lots, in the order given, until so many points are found; None: all.

    The last one is used in part; a lot of whose points none can be used is left out. No lot is looked at
    that is not needed.
    """
    wanted = points
    for lot in lots:
        taken = lot.points_left if wanted is None else min(wanted, lot.points_left)
        part_mg = mg_for_points(lot.value, lot.used, points=taken)
        if part_mg:
            yield Picked(lot, part_mg)
            if wanted is not None:
                wanted -= taken
                if not wanted:
                    return
