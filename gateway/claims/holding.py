"""Which acts of a person hold their claim: the earliest start first, unless it is one that holds already.

Whether two acts are one is not transitive, so there is an order, the same whatever came first. It begins
with the day, so that what is closed day after day never depends on a later day.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.claims.kinds import Kinds

__all__ = ["Act", "Change", "changes", "holding"]


class Act(NamedTuple):
    """An act of a person on some platform. Acts in the order of their members are in the order of claims.

    ``day`` is the act's local day as an ordinal number, ``start`` and ``end`` are seconds since 1970.
    ``rank`` is the place of its evidence, the strongest first. ``digest`` is a keyed name of its event, so
    the order is total and nobody can choose a place in it. ``whole``: it has no times and stands for its day.
    """

    day: int
    start: int
    end: int
    rank: int
    digest: bytes
    kind: int
    platform: int
    whole: bool
    record: bytes


class Change(NamedTuple):
    """An act whose record holds its claim from now on, or no longer, because of the act ``by``."""

    act: Act
    holds: bool
    by: Act | None


def holding(acts: Iterable[Act], kinds: Kinds) -> dict[Act, Act | None]:
    """Tell of each act whether it holds its claim: then None, else the act that holds it instead."""
    held: list[Act] = []
    found: dict[Act, Act | None] = {}
    for act in sorted(acts):
        by = next((other for other in held if _one_act(act, other, kinds=kinds)), None)
        found[act] = by
        if by is None:
            held.append(act)
    return found


def changes(known: Sequence[Act], now: Sequence[Act], *, kinds: Kinds) -> list[Change]:
    """Tell what changes for records when ``now`` are a person's acts, after they were the ``known``.

    An act that is not among the known has a new record, which counts unless it is said here that it does
    not hold. An act that is not there any more holds nothing, and nothing is said of it.
    """
    if len(now) == 2 and len(known) < 2:  # nearly always: the later one holds no longer, or not at all
        first, later = sorted(now)
        return [Change(later, False, first)] if _one_act(first, later, kinds=kinds) else []
    before, after = holding(known, kinds), holding(now, kinds)
    return [
        Change(act, by is None, by) for act, by in after.items() if (by is None) != (before.get(act) is None)
    ]


def _one_act(one: Act, other: Act, *, kinds: Kinds) -> bool:
    """Tell whether two acts are one that was recorded twice."""
    if not kinds.comparable(one.kind, other.kind):
        return False
    if one.whole or other.whole:
        return one.day == other.day and one.platform != other.platform
    overlap = min(one.end, other.end) - max(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    if shorter == 0:  # a moment: it is part of what lasts from before it until after it
        return overlap == 0
    # two short acts could never overlap by a long tolerance: half of the shorter is enough
    return overlap > min(kinds.tolerance(one.kind, other.kind), shorter // 2)
