"""Returns: parts that arrived by a transfer go back at its rate, to the lots that they came from."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.errors import InvariantBroken
from gateway.ledger.commands import Kind, Reservation
from gateway.ledger.lots import Back, Lot, Part

__all__ = ["Wanted", "returning"]


class Wanted(NamedTuple):
    """How much of what a part of the original became is to go back."""

    number: int
    mg: int


def returning(
    original: Reservation,
    wanted: Iterable[Wanted],
    *,
    transfer: str,
    unit: str,
    day: int,
    lots: Mapping[str, Lot],
) -> Reservation:
    """Return the reservation of a return; ``unit`` is that of the points at the original's source.

    A share is rounded against whoever asks: up where points go, though never more than ``lots`` have left,
    down where they come back. So what goes back in pieces is never more than what goes back at once, and all
    of it at once is exactly the original.
    """
    parts = []
    for number, mg in wanted:
        part = original.parts[number]
        if original.kind is not Kind.MOVE or not 0 < mg <= part.recognised_mg:
            raise InvariantBroken(f"I9: {mg} mg of part {number} of {original.transfer} cannot go back")
        lot = original.arriving(part)
        gone = -(-part.points_in * mg // part.recognised_mg)  # up: what goes
        back_mg = part.mg * mg // part.recognised_mg  # down: what comes back
        back_points = part.points * mg // part.recognised_mg  # down: what comes back
        parts.append(
            Part(
                lot,
                mg,
                min(gone, lots[lot].free_points),
                recognised_mg=mg,
                points_in=back_points,
                back=Back(part.lot, back_mg, number),
            )
        )
    return Reservation(
        transfer,
        Kind.RETURN,
        original.destination,
        original.source,
        unit,
        day,
        tuple(parts),
        original=original.transfer,
    )
