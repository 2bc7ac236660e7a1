"""Small worlds for the worked examples: one corridor or three, lots of one act each."""

from collections.abc import Iterable
from dataclasses import replace

from tests.oracle.naive_ledger import NaiveLedger
from tests.oracle.operations import (
    NO_LIMIT,
    AddLot,
    AddPlatform,
    Commit,
    OpenCorridor,
    Operation,
    Outcome,
    Part,
    Reserve,
    Worth,
)

__all__ = ["GRAM", "corridor", "lot", "moved", "reserve", "told", "world"]

GRAM = 1000
_OPEN = OpenCorridor(
    source="A",
    destination="B",
    behaviours=("TRV-BIKE",),
    methodologies=("M1",),
    factors=(("device", 1, 1), ("upload", 1, 2)),
    oldest_day=0,
    valid_from=0,
    valid_until=1000,
    minimum_mg=1,
    person_day_mg=NO_LIMIT,
    corridor_day_mg=NO_LIMIT,
    platform_day_mg=NO_LIMIT,
    debit_cap_mg=NO_LIMIT,
    cover_mg=NO_LIMIT,
)
_BIKE = AddLot(
    lot="L",
    platform="A",
    person="zhang",
    act="act of L",
    behaviour="TRV-BIKE",
    methodology="M1",
    grade="device",
    day=10,
    expires=300,
    reduction_mg=250 * GRAM,
    points=250,
    exact_num=250,
    exact_den=1,
    worths=(),
)


def corridor(source: str, destination: str, **changes: object) -> OpenCorridor:
    """Make an agreement that admits everything, but for the changes."""
    # type: any field may be changed, and a test with a wrong one fails
    return replace(_OPEN, source=source, destination=destination, **changes)  # type: ignore[arg-type]


def lot(name: str, *, worths: Iterable[tuple[str, int]] = (), **changes: object) -> AddLot:
    """Make a good lot of zhang's, worth so many grams elsewhere, where each gram is a point."""
    priced = tuple(Worth(place, grams * GRAM, grams * GRAM, grams, 1) for place, grams in worths)
    plain = replace(_BIKE, lot=name, act=f"act of {name}", worths=priced)
    return replace(plain, **changes)  # type: ignore[arg-type]  # any field may be changed


def world(*operations: Operation) -> NaiveLedger:
    """Make a ledger with platforms A, B and C in which the operations were accepted."""
    ledger = NaiveLedger()
    platforms = [AddPlatform(name, 365) for name in "ABC"]
    told(ledger, *platforms, *operations)
    return ledger


def told(ledger: NaiveLedger, *operations: Operation) -> list[Outcome]:
    """Tell a ledger what must be accepted."""
    outcomes = [ledger.apply(operation) for operation in operations]
    refused = [(o, got.code) for o, got in zip(operations, outcomes, strict=True) if not got.accepted]
    if refused:
        raise ValueError(f"refused: {refused}")
    return outcomes


def reserve(transfer: str, *parts: tuple[str, int], way: str = "AB", person: str = "zhang") -> Reserve:
    """Ask for a transfer along the way of parts given as (lot, mg)."""
    return Reserve(
        transfer=transfer,
        source=way[0],
        destination=way[1],
        person=person,
        arriving_person=person,
        parts=tuple(Part(name, mg) for name, mg in parts),
    )


def moved(ledger: NaiveLedger, asked: Reserve) -> Outcome:
    """Reserve and commit, and answer with what moved."""
    return told(ledger, asked, Commit(asked.transfer))[0]
