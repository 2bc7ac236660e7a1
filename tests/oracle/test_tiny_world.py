"""Walks through a world so small that every rounding matters: whatever the order, nothing is gained."""

from dataclasses import replace
from random import Random

import pytest

from tests.oracle.examples import corridor, lot, reserve, world
from tests.oracle.naive_ledger import NaiveLedger
from tests.oracle.operations import Abort, Commit, Operation, Part, Redeem, Return, Worth

STEPS = 25
# A's points for the six mg, what B recognises of them, B's exact points for them.
WORLDS = [(3, 3, (3, 2)), (1, 6, (1, 1)), (6, 4, (2, 3)), (5, 5, (7, 1))]


def tiny(points_at_home: int, basis_mg: int, points: tuple[int, int]) -> NaiveLedger:
    """Make one lot of six mg, which can go to B and back."""
    worths = (Worth("B", basis_mg, 6, *points), Worth("A", 6, 6, points_at_home, 1))
    ways = (corridor("A", "B"), corridor("B", "A"))
    six = lot("L", reduction_mg=6, points=points_at_home, exact_num=points_at_home)
    return world(*ways, replace(six, worths=worths))


def step(rng: Random, ledger: NaiveLedger, number: int) -> Operation:
    """Draw a move of a few mg, a decision, a return or a use."""
    pending = sorted({move.transfer for move in ledger.history.open_moves()})
    committed = ledger.history.committed_moves()
    choices: list[Operation] = [
        reserve(f"t{number}", ("L", rng.randint(1, 3))),
        reserve(f"t{number}", ("L>B", rng.randint(1, 2)), way="BA"),
        Redeem(f"s{number}", rng.choice(("L", "L>B")), 1),
    ]
    choices += [decide(rng.choice(pending)) for decide in (Commit, Commit, Abort) if pending]
    if committed:
        sent = rng.choice(committed)
        choices += [Return(f"r{number}", sent.transfer, (Part(sent.lot, rng.randint(1, 2)),))] * 2
    return rng.choice(choices)


@pytest.mark.parametrize("figures", WORLDS, ids=str)
@pytest.mark.parametrize("seed", range(12))
def test_no_walk_gains_by_rounding(figures: tuple[int, int, tuple[int, int]], seed: int) -> None:
    """The invariants hold after each step; what is everywhere in the end is no more than the start paid."""
    rng, ledger = Random(seed), tiny(*figures)
    for number in range(STEPS):
        ledger.apply(step(rng, ledger, number))
    for transfer in sorted({move.transfer for move in ledger.history.open_moves()}):
        ledger.apply(Abort(transfer))
    state = ledger.state()

    assert sum(amount for word, amount in state.balances.items() if word.startswith("mg ")) == 6
    assert state.balances.get("points held A", 0) <= figures[0]
