"""Transfers through a bad network, crashes and wrong clocks: nothing is lost, doubled or left undecided.

``TANQIAO_SIMULATION_SEEDS`` says how many runs, ``python -m tests.simulation`` plays many and counts.
"""

import os
import re
from collections import Counter

import pytest

from gateway.protocol import Answer, Remark
from tests.simulation.bugs import BUGS
from tests.simulation.gateway import Rules
from tests.simulation.run import Ways, simulate
from tests.simulation.world import Faults, Violation

SEEDS = int(os.environ.get("TANQIAO_SIMULATION_SEEDS", "300"))
FOUND_WITHIN = 300
HAPPENS = (
    *[
        "LAPSED",
        "REJECTED",
        "ABORTED",
        "COMPLETED",
        "SETTLED",
        "RETURNED",
        "RETURNING",
        "DISPUTED",
        "UPHELD",
        "DENIED",
    ],
    *("lot-spent", "position-limit", "conflict"),
    *(Remark.NOT_DUE, Remark.TOO_LATE, Remark.NOT_COMMITTED),
    *(Answer.QUERY, Answer.REFUSED, Answer.NOT_ALLOWED),
    *("json", "callback", "file"),
    *[f"file {state}" for state in ("COMPLETED", "SETTLED", "ABORTED", "RETURNED", "REJECTED")],
)


def found_by(rules: Rules) -> str:
    """Return the first violation under some rules, empty if there is none."""
    for seed in range(FOUND_WITHIN):
        try:
            simulate(seed, rules=rules)
        except Violation as violation:
            return str(violation)
    return ""


def test_no_trouble_loses_doubles_or_divides_a_transfer() -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        seen += simulate(seed).seen

    assert SEEDS < 300 or [name for name in HAPPENS if not seen[name]] == []


@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_a_crash_at_any_write_or_send_changes_no_end(seed: int) -> None:
    crash_everywhere(seed, ways=("json", "json"))


@pytest.mark.parametrize("ways", [("callback", "json"), ("file", "json"), ("callback", "file")], ids="+".join)
def test_a_crash_changes_no_end_where_answers_come_later(ways: Ways) -> None:
    crash_everywhere(3, ways=ways)


def crash_everywhere(seed: int, *, ways: Ways) -> None:
    calm = Faults()
    points = simulate(seed, faults=calm, ways=ways).points

    for point in range(1, points + 1):
        assert simulate(seed, faults=calm, ways=ways, crash_at=point).crashes == 1


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    assert re.match(r"seed \d+: ", found_by(BUGS[bug]))


def test_a_run_is_the_same_for_the_same_seed() -> None:
    first, second = simulate(7), simulate(7)

    assert first == second


def test_a_violation_tells_its_seed() -> None:
    found = found_by(Rules(compare_and_set=False))
    told = int(found.split()[1].rstrip(":"))

    with pytest.raises(Violation) as again:
        simulate(told, rules=Rules(compare_and_set=False))

    assert str(again.value) == found
