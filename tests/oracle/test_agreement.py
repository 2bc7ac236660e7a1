"""The driver finds nothing between equals, and finds each mistake that a ledger is known to make."""

from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from math import floor

import pytest

from tests.oracle.agreement import Difference, disagreement, first_difference, seeds, shortened
from tests.oracle.examples import GRAM, corridor, lot, reserve
from tests.oracle.history import History, Lot, Move
from tests.oracle.naive_ledger import NaiveLedger
from tests.oracle.operations import (
    AddPlatform,
    Batch,
    Commit,
    OpenCorridor,
    Operation,
    Outcome,
    Reserve,
    Return,
)
from tests.oracle.programmes import CORNERS, programme

TRIED = 40
LIMITS = ("person_day_mg", "corridor_day_mg", "platform_day_mg", "debit_cap_mg", "cover_mg")


class _Mistaken(NaiveLedger):
    """Watches no invariant, so that a mistake shows in what it answers."""

    def __init__(self) -> None:
        super().__init__(watchful=False)


class BatchAgainstOneBalance(_Mistaken):
    """Judges all of a batch by the balance before the batch."""

    def apply(self, operation: Operation) -> Outcome:
        """Apply each to a copy of what was, then add up what the copies did."""
        if not isinstance(operation, Batch):
            return super().apply(operation)
        copies = [deepcopy(self) for _ in operation.reserves]
        before = len(self.history.journal)
        outcomes = [copy.apply(one) for copy, one in zip(copies, operation.reserves, strict=True)]
        for copy in copies:
            self.history.journal += copy.history.journal[before:]
        return Outcome(each=tuple(outcomes))


class PartsByThemselves(_Mistaken):
    """Rounds each part down by itself."""

    def _planned(self, asked: Reserve, lot: Lot, *, corridor: OpenCorridor, mg: int) -> Move:
        alone = NaiveLedger()
        alone.history = deepcopy(self.history)
        alone.history.journal = []
        first = alone._planned(asked, lot, corridor=corridor, mg=mg)
        return (
            super()
            ._planned(asked, lot, corridor=corridor, mg=mg)
            ._replace(recognised_mg=first.recognised_mg, points_in=first.points_in)
        )


class PartsAgainstTheWhole(_Mistaken):
    """Compares a part with the worth of the whole act."""

    def _planned(self, asked: Reserve, lot: Lot, *, corridor: OpenCorridor, mg: int) -> Move:
        move = super()._planned(asked, lot, corridor=corridor, mg=mg)
        worth = next(w for w in lot.record.worths if w.destination == corridor.destination)
        factor = next(Fraction(n, d) for grade, n, d in corridor.factors if grade == lot.record.grade)
        return move._replace(recognised_mg=floor(min(mg, worth.basis_mg or 0) * factor))


class _FreeAtClose(History):
    def is_settled(self, transfer: str) -> bool:
        made = self.decision(transfer)
        return made is not None and made.commit and self.window_state(made.window) != "OPEN"


class RoomAtClose(_Mistaken):
    """Gives room back when a window closes."""

    def __init__(self) -> None:
        super().__init__()
        self.history = _FreeAtClose()


class Forgetful(_Mistaken):
    """Carries out a repeated id again."""

    def apply(self, operation: Operation) -> Outcome:
        """Forget all answers first."""
        self._answers.clear()
        return super().apply(operation)


class TooStrict(_Mistaken):
    """Refuses a limit that is met exactly."""

    def apply(self, operation: Operation) -> Outcome:
        """Lower every limit by one."""
        if isinstance(operation, OpenCorridor):
            lower = {name: getattr(operation, name) - 1 for name in LIMITS}
            operation = replace(operation, **lower)
        return super().apply(operation)


class Unreserved(_Mistaken):
    """Counts only what is committed, so that undecided transfers pass a cap together."""

    def __init__(self) -> None:
        super().__init__()
        self.history = _OnlyCommitted()


class _OnlyCommitted(History):
    def position(self, source: str, destination: str) -> int:
        reserved = [m for m in self.open_moves() if (m.source, m.destination) == (source, destination)]
        return super().position(source, destination) - sum(move.recognised_mg for move in reserved)


MISTAKES = (
    BatchAgainstOneBalance,
    PartsByThemselves,
    PartsAgainstTheWhole,
    RoomAtClose,
    Forgetful,
    TooStrict,
    Unreserved,
)


@pytest.mark.parametrize("seed", seeds())
def test_the_naive_ledger_agrees_with_itself_and_keeps_every_invariant(seed: int) -> None:
    """Its own invariants are checked after each operation on the way."""
    assert disagreement(seed, NaiveLedger) is None


@pytest.mark.parametrize("mistaken", MISTAKES, ids=lambda kind: kind.__name__)
def test_a_known_mistake_is_found_within_a_few_programmes(mistaken: type[NaiveLedger]) -> None:
    """Some of the first seeds show it."""
    found = (disagreement(seed, mistaken) for seed in range(TRIED))

    assert any(difference is not None for difference in found)


def test_a_difference_is_shortened_to_what_it_needs() -> None:
    """Three platforms, a corridor, lots and decisions that play no part: the batch and its setting stay."""
    lots = [
        lot(f"L{n}", worths=[("B", 60)], reduction_mg=60 * GRAM, points=60, exact_num=60) for n in range(4)
    ]
    asked = [reserve(f"t{n}", (f"L{n}", 60 * GRAM)) for n in range(4)]
    told: tuple[Operation, ...] = (
        *(AddPlatform(name, 365) for name in "ABC"),
        corridor("A", "B", debit_cap_mg=100 * GRAM),
        *lots,
        Commit("t9"),
        Batch(tuple(asked[:3])),
        Commit("t0"),
    )
    found = first_difference(told, BatchAgainstOneBalance)
    assert found is not None

    short = shortened(found, BatchAgainstOneBalance)

    assert short.what == "outcome"
    assert [type(one).__name__ for one in short.programme].count("AddLot") == 2
    assert len(short.programme) == 6
    assert "position-limit" in str(short)


def test_a_difference_in_the_state_names_the_word() -> None:
    """A ledger that keeps nothing is caught by its balances, unless they are not compared."""

    class Hollow(NaiveLedger):
        def state(self) -> object:  # type: ignore[override]  # wrong on purpose: all of it empty
            full = super().state()
            return type(full)(windows=full.windows)

    found = next(f for seed in range(TRIED) if (f := disagreement(seed, Hollow)) is not None)  # type: ignore[arg-type]  # as above

    assert isinstance(found, Difference)
    assert found.what.startswith("balances 'mg held")
    assert found.got == "nothing"
    assert disagreement(0, Hollow, compare=["windows"]) is None  # type: ignore[arg-type]  # as above


def test_a_seed_draws_the_same_programme_for_ever() -> None:
    """And another seed another."""
    assert programme(7) == programme(7)
    assert programme(7) != programme(8)


def test_an_unknown_corner_is_refused() -> None:
    """The error names the known ones."""
    with pytest.raises(ValueError, match="concurrent-parts"):
        programme(0, without=["typo"])


@pytest.mark.parametrize("corner", sorted(CORNERS))
def test_each_corner_can_be_left_out(corner: str) -> None:
    """Leaving one out still draws a programme."""
    assert len(programme(1, without=[corner])) > 10


def test_the_programmes_reach_every_refusal_and_far_places() -> None:
    """Each code of the checks is met, accepted moves abound, and lots travel round the cycle."""
    codes: dict[str, int] = {}
    paths: set[str] = set()
    returned = 0
    for seed in range(60):
        ledger = NaiveLedger(watchful=False)
        for operation in programme(seed):
            outcome = ledger.apply(operation)
            for one in outcome.each or (outcome,):
                codes[one.code] = codes.get(one.code, 0) + 1
            returned += isinstance(operation, Return) and outcome.accepted
        paths |= set(ledger.history.lots())

    assert codes.keys() >= EVERY_CODE
    assert codes[""] > sum(count for code, count in codes.items() if code)
    assert {path.count(">") for path in paths} >= {0, 1, 2, 3}
    assert returned > 20


@pytest.mark.parametrize("seed", seeds())
def test_answers_that_are_kept_are_those_worked_out_anew(seed: int) -> None:
    """A ledger that remembers says after each operation what one says that asks the whole history again."""
    assert disagreement(seed, lambda: NaiveLedger(watchful=False)) is None


EVERY_CODE = frozenset(
    line
    for group in (
        "lot-not-in-log lot-other-person lot-not-personal lot-claim-open lot-spent lot-expired lot-retired",
        "lot-disputed lot-engagement agreement-not-in-force corridor-paused platform-not-active",
        "behaviour-not-admitted methodology-not-admitted evidence-not-admitted vintage-too-old",
        "basis-not-computable already-counted-at-destination below-minimum person-limit corridor-limit",
        "platform-limit central-limit position-limit idempotency-conflict already-claimed malformed",
        "return-above-original return-spent not-returnable unknown-transfer decided-otherwise",
        "window-state unknown-window",
    )
    for line in group.split()
)
