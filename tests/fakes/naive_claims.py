"""A slow and plain way to say which acts count: rides on a line of seconds, without any shortcut."""

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Ride", "naive_holding"]


class Ride(NamedTuple):
    """A ride as a story tells it. Kinds: `public` with `metro` and `bus` in it, and `plate`, a daily one."""

    name: str
    kind: str
    day: int
    start: int
    end: int
    platform: str
    rank: int = 0
    whole: bool = False


def naive_holding(rides: Iterable[Ride], *, tolerance: int) -> set[str]:
    """Let the earliest ride that is left hold, strike out what is the same as it, and begin again."""
    left, held = list(rides), set()
    while left:
        first = min(left, key=lambda ride: (ride.day, ride.start, ride.end, ride.rank, ride.name))
        held.add(first.name)
        left = [ride for ride in left if ride is not first and not _same(first, ride, tolerance)]
    return held


def _same(one: Ride, other: Ride, tolerance: int) -> bool:
    kinds = {one.kind, other.kind}
    if len(kinds) == 2 and ("public" not in kinds or "plate" in kinds):
        return False
    if one.whole or other.whole:
        return one.day == other.day and one.platform != other.platform
    seconds = [s for s in range(one.start, one.end) if other.start <= s < other.end]
    short = min(one.end - one.start, other.end - other.start)
    if not short:
        inside, around = (one, other) if one.start == one.end else (other, one)
        return around.start <= inside.start <= around.end
    return len(seconds) > tolerance or 2 * len(seconds) > short
