"""Limits of what may be recognised in a day: the lowest wins."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.model.transfer import TransferRefusal
from gateway.recognition.agreement import Agreement

__all__ = ["DayUse", "Room", "rooms", "too_little", "too_much"]


class DayUse(NamedTuple):
    """What has been recognised, or is reserved, so far today; ``central_cap_mg`` None: there is none."""

    person_mg: int = 0
    corridor_mg: int = 0
    platform_mg: int = 0
    central_mg: int = 0
    central_cap_mg: int | None = None


class Room(NamedTuple):
    """What one limit leaves for today."""

    code: TransferRefusal
    left_mg: int


def rooms(agreement: Agreement, use: DayUse) -> Iterator[Room]:
    """Yield what each limit leaves, in the order of the checks."""
    caps = agreement.caps
    yield Room(TransferRefusal.PERSON_LIMIT, max(0, caps.person_mg - use.person_mg))
    yield Room(TransferRefusal.CORRIDOR_LIMIT, max(0, caps.corridor_mg - use.corridor_mg))
    yield Room(TransferRefusal.PLATFORM_LIMIT, max(0, caps.platform_mg - use.platform_mg))
    if use.central_cap_mg is not None:
        yield Room(TransferRefusal.CENTRAL_LIMIT, max(0, use.central_cap_mg - use.central_mg))


def too_little(agreement: Agreement, recognised_mg: int) -> bool:
    """Tell whether a move is below the agreed minimum, or comes to nothing at all."""
    return recognised_mg < max(1, agreement.minimum_mg)


def too_much(agreement: Agreement, use: DayUse, *, recognised_mg: int) -> Room | None:
    """Return the limit that a move breaks, the lowest if there are several; None if it is within all."""
    broken = [room for room in rooms(agreement, use) if recognised_mg > room.left_mg]
    return min(broken, key=lambda room: room.left_mg, default=None)
