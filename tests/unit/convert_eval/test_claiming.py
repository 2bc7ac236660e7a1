"""A claim counts from one day of the city's calendar on, up to another one and not on it."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from gateway.convert.claiming import claim_check
from gateway.convert.outcome import Refusal
from gateway.convert.program import Cite, ClaimWindow, Program
from gateway.model.codes import Rejection
from tests.fakes.mappings import yunxi

DAY = date(2025, 3, 16).toordinal()
KEPT = Refusal(Rejection.MALFORMED_ROW, "x", "a refusal that stands")


def claimable(behaviours: frozenset[str] | None = None) -> Program:
    """Make a program whose acts are claimed on one of the two days after their own."""
    program = yunxi()
    window = ClaimWindow(opens=1, closes=3, behaviours=behaviours, cite=Cite(ref="M1"))
    return replace(program, source=replace(program.source, claim_window=window))


def refused(*acts: tuple[int | None, int | None, str | None], program: Program) -> dict[int, Refusal]:
    check, refusals = claim_check(program), {9: KEPT}
    assert check is not None
    check.hold(acts, refusals)
    return refusals


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("claimed", "code"),
    [
        ("2025-03-16T00:00:00+08:00", Rejection.EARLY), ("2025-03-16T23:59:59+08:00", Rejection.EARLY),
        ("2025-03-17T00:00:00+08:00", None), ("2025-03-18T23:59:59+08:00", None),
        ("2025-03-19T00:00:00+08:00", Rejection.LATE), ("2025-03-15T12:00:00+08:00", Rejection.EARLY),
        ("2025-06-01T12:00:00+08:00", Rejection.LATE),
    ],
)  # fmt: skip
def test_a_claim_is_held_to_its_window_by_local_days(claimed: str, code: Rejection | None) -> None:
    found = refused((moment(claimed), DAY, "TRV-METRO"), program=claimable())

    assert [one.code for place, one in found.items() if place == 0] == ([] if code is None else [code])


def test_an_act_that_was_never_claimed_is_refused() -> None:
    assert refused((None, DAY, "TRV-METRO"), program=claimable())[0].code == Rejection.UNCLAIMED


def test_only_acts_that_the_window_concerns_and_that_stand_are_held_to_it() -> None:
    metro = claimable(frozenset({"TRV-METRO"}))
    acts = [(None, DAY, "TRV-BUS"), (None, None, "TRV-METRO"), (None, DAY, None), (None, DAY, "TRV-METRO")]

    found = refused(*acts, *[(None, DAY, "TRV-METRO")] * 6, program=metro)

    assert sorted(found) == [3, 4, 5, 6, 7, 8, 9]
    assert found[9] == KEPT
    assert claim_check(yunxi()) is None
