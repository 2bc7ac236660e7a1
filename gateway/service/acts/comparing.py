"""What a mapping has compared of acts beside events and caps: when they took place, and what was claimed.

Where no mapping declares such a rule nothing is collected here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gateway.convert import Program
from gateway.service.acts.recording import ActColumns

__all__ = [
    "Claims",
    "Compared",
    "Spans",
    "claims_to_hold",
    "compared",
    "differing_claims",
    "spans_to_compare",
]

Times = tuple[Sequence[int | None], Sequence[int | None]]
"""Starts and ends of acts, in seconds."""


class Spans(NamedTuple):
    """When acts took place that are compared with others of their person, column by column.

    ``programs`` are numbers of versions in the scheme, ``names`` the 16-byte names of persons, packed.
    """

    places: list[int]
    programs: list[int]
    names: bytes
    starts: list[int]
    ends: list[int]


class Claims(NamedTuple):
    """What was claimed of acts that are rejected if it differs, column by column: mg and points."""

    places: list[int]
    programs: list[int]
    claimed: list[tuple[int | None, int | None]]


class Compared(NamedTuple):
    """What is compared of a part's acts, by their places."""

    spans: Spans
    claims: Claims


def compared(spans: Spans, claims: Claims) -> Compared | None:
    """Put together what is compared; None where that is nothing."""
    return Compared(spans, claims) if spans.places or claims.places else None


def spans_to_compare(
    programs: Sequence[Program],
    numbers: Sequence[int],
    *,
    acts: ActColumns,
    times: Times,
    name: Callable[[Iterable[str]], bytes],
) -> Spans:
    """Collect when acts took place; one that is not longer than the tolerance cannot overlap by more."""
    rules = [program.source.overlap for program in programs]
    found = Spans([], [], b"", [], [])
    for place, (number, behaviour, start, end) in enumerate(
        zip(numbers, acts.behaviour, *times, strict=True)
    ):
        rule = rules[number]
        if rule is None or start is None or end is None or not rule.concerns(behaviour):
            continue
        if end - start > rule.tolerance_s:
            found.places.append(place)
            found.programs.append(number)
            found.starts.append(start)
            found.ends.append(end)
    return found._replace(names=name([acts.person[place].hex() for place in found.places]))


def claims_to_hold(programs: Sequence[Program], numbers: Sequence[int], *, acts: ActColumns) -> Claims:
    """Collect claims that differ before the caps, of acts that a mapping rejects for that.

    Whether a claim of points still differs after the caps is seen when they have spoken.
    """
    rejecting = {number for number, program in enumerate(programs) if program.source.claim_then == "reject"}
    if not rejecting:
        return Claims([], [], [])
    tolerances = {"sha256:" + program.digest: program.source.claim_tolerance_mg for program in programs}
    places = [
        place
        for place in differing_claims(acts, acts.points, tolerances=tolerances)
        if numbers[place] in rejecting
    ]
    claimed = [(acts.claimed_mg[place], acts.claimed_points[place]) for place in places]
    return Claims(places, [numbers[place] for place in places], claimed)


def differing_claims(acts: ActColumns, granted: Sequence[int], *, tolerances: Mapping[str, int]) -> list[int]:
    """Return the places of acts of which more or less is claimed than is tolerated, by mapping digest.

    ``granted`` are the points that the caps leave.
    """
    if set(acts.claimed_mg) | set(acts.claimed_points) <= {None}:
        return []
    columns = (acts.claimed_mg, acts.co2e_mg, acts.mapping, acts.claimed_points, acts.points, granted)
    return [
        place
        for place, (mg, co2e_mg, mapping, points, uncapped, left) in enumerate(zip(*columns, strict=True))
        if (mg is not None and abs(mg - co2e_mg) > tolerances[mapping])
        or (points is not None and points not in (uncapped, left))
    ]
