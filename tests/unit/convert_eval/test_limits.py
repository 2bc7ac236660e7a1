"""What acts are held to before and after the formula, rule by rule: time, overlap and claims."""

from dataclasses import replace
from fractions import Fraction
from typing import Literal

import pytest

from gateway.convert.guard import SECONDS_MAX, TimeReader, compiled_guard
from gateway.convert.instants import InstantReader
from gateway.convert.limit_text import exact_text, limit_text
from gateway.convert.outcome import ActFinding, Converted, Refusal
from gateway.convert.own_acts import OwnActs
from gateway.convert.plausible import (
    claim_findings,
    claimed_outcome,
    overlap_finding,
    then_of,
    with_finding,
)
from gateway.convert.program import Limit, Overlap, Program
from gateway.convert.roles import Roles
from gateway.model.codes import Rejection
from tests.fakes.mappings import make_field, yunxi

LIMIT = Limit(
    name="l",
    of=None,
    unit="h",
    unit_seconds=3600,
    low=None,
    high=Fraction(1),
    then="finding",
    behaviours=None,
)
METRO = frozenset({"TRV-METRO"})
OVERLAP = Overlap(tolerance_s=60, remember_days=30, then="finding", behaviours=METRO)
CONVERTED = Converted({}, 1000, 10, (10, 1))


def held(**changes: object) -> Program:
    """Make a program whose source has these members."""
    program = yunxi()
    return replace(program, source=replace(program.source, **changes))  # type: ignore[arg-type]  # of a source


def roles(behaviour: str = "TRV-METRO", **changes: object) -> Roles:
    made = Roles(
        ("e",), "p", None, start=0, end=100, day=1, behaviour=behaviour, evidence="", ownership="",
        claimed_mg=None, claimed_points=None,
    )  # fmt: skip
    return made._replace(**changes)


def test_acts_that_nothing_limits_have_no_guard() -> None:
    limited = held(limits=(replace(LIMIT, behaviours=METRO),))

    assert compiled_guard(yunxi(), "TRV-BUS") is None
    assert compiled_guard(limited, "TRV-BUS") is None
    assert compiled_guard(limited, "TRV-METRO") is not None


def test_acts_that_may_not_overlap_need_their_time_though_nothing_limits_it() -> None:
    guard = compiled_guard(held(overlap=OVERLAP), "TRV-METRO")

    assert guard is not None
    assert guard.guard.checks == ()
    assert compiled_guard(held(overlap=OVERLAP), "TRV-BUS") is None


def test_no_act_takes_longer_than_a_guard_reckons_with() -> None:
    read = InstantReader("start", None)
    first, last = read("1970-01-01T00:00:00Z"), read("2199-12-31T23:59:59Z")

    assert isinstance(first, int)
    assert isinstance(last, int)
    assert last - first <= SECONDS_MAX


def test_the_time_of_an_act_lacks_where_its_start_or_its_end_does() -> None:
    fields = (make_field("start", role="start"), make_field("end", role="end"))
    reader = TimeReader(held(fields=fields))

    assert reader.read(5, 12) == 7
    for start, end, name in ((None, 12, "start"), (5, None, "end"), (None, None, "start")):
        found = reader.read(start, end)
        assert isinstance(found, Refusal)
        assert (found.code, found.field) == (Rejection.MISSING_FIELD, name)


@pytest.mark.parametrize(
    ("value", "text"),
    [("7", "7"), ("1/2", "0.5"), ("1/5", "0.2"), ("3/8", "0.375"), ("7/50", "0.14"), ("1/3", "1/3"),
     ("7/6", "7/6"), ("36", "36"), ("0", "0")],
)  # fmt: skip
def test_a_fraction_is_written_as_a_decimal_where_it_has_an_end(value: str, text: str) -> None:
    assert exact_text(Fraction(value)) == text


def test_a_limit_says_what_it_allows() -> None:
    assert limit_text(LIMIT) == "at most 1 h"
    assert limit_text(replace(LIMIT, low=Fraction(1, 4), unit="1")) == "0.25 to 1"


@pytest.mark.parametrize(
    ("claimed", "found"),
    [
        ((None, None), []),
        ((1000, 10), []), ((1000, 8), []), ((1500, None), []), ((500, None), []),
        ((1501, None), [("claimed_reduction", (1501, 1000))]),
        ((499, None), [("claimed_reduction", (499, 1000))]),
        ((None, 9), [("claimed_points", (9, 8))]),
        ((0, 0), [("claimed_reduction", (0, 1000)), ("claimed_points", (0, 8))]),
    ],
)  # fmt: skip
def test_a_claim_may_be_off_by_the_tolerance_and_its_points_before_or_after_the_caps(
    claimed: tuple[int | None, int | None], found: list[tuple[str, tuple[int, ...]]]
) -> None:
    source = held(claim_tolerance_mg=500).source

    assert list(claim_findings(source, claimed, co2e_mg=1000, points=(10, 8))) == found


@pytest.mark.parametrize(("start", "seconds"), [(40, None), (39, 61), (0, 100), (100, None), (200, None)])
def test_an_act_overlaps_another_by_more_than_is_tolerated_or_not_at_all(
    start: int, seconds: int | None
) -> None:
    program, acts = held(overlap=OVERLAP), OwnActs([(start, start + 100)])

    found = overlap_finding(program, roles(), acts=acts)

    assert found == (None if seconds is None else ActFinding("overlap", (seconds,)))


def test_only_acts_with_both_times_that_a_rule_concerns_are_held_against_others() -> None:
    program, acts = held(overlap=OVERLAP), OwnActs([(0, 100)])

    assert overlap_finding(program, roles(), acts=acts) is not None
    assert overlap_finding(program, roles(), acts=OwnActs()) is None
    assert overlap_finding(program, roles("TRV-BUS"), acts=acts) is None
    assert overlap_finding(program, roles(start=None), acts=acts) is None
    assert overlap_finding(program, roles(end=None), acts=acts) is None
    assert overlap_finding(yunxi(), roles(), acts=acts) is None


@pytest.mark.parametrize("strict", ["l", "overlap", "claims"])
def test_each_rule_has_its_own_consequence(strict: str) -> None:
    def then(rule: str) -> Literal["reject", "finding"]:
        return "reject" if rule == strict else "finding"

    source = held(
        limits=(replace(LIMIT, name="other"), replace(LIMIT, then=then("l"))),
        overlap=replace(OVERLAP, then=then("overlap")),
        claim_then=then("claims"),
    ).source

    assert [then_of(source, rule) for rule in ("other", "l", "overlap", "claimed_points")] == [
        "finding", then("l"), then("overlap"), then("claims")
    ]  # fmt: skip


def test_a_limit_may_bear_the_name_of_a_rule_that_is_not_declared() -> None:
    source = held(limits=(replace(LIMIT, name="overlap", then="finding"),), claim_then="reject").source

    assert then_of(source, "overlap") == "finding"


def test_a_finding_is_noted_beside_a_result_or_refuses_the_act() -> None:
    finding = ActFinding("l", (3601,))

    noted = with_finding(held(limits=(LIMIT,)), CONVERTED, finding=finding)
    refused = with_finding(held(limits=(replace(LIMIT, then="reject"),)), CONVERTED, finding=finding)

    assert noted == CONVERTED._replace(findings=(finding,))
    assert refused == Refusal(Rejection.IMPLAUSIBLE, "l", "expected ≤ 1 h, not 3601 s")


def test_claims_are_held_against_the_points_that_the_caps_left() -> None:
    claims = roles(claimed_mg=1000, claimed_points=8)

    assert claimed_outcome(yunxi(), CONVERTED, roles=claims, points=8) == CONVERTED
    noted = claimed_outcome(yunxi(), CONVERTED, roles=claims, points=7)
    assert noted == CONVERTED._replace(findings=(ActFinding("claimed_points", (8, 7)),))


def test_the_first_claim_that_refuses_an_act_is_named() -> None:
    both = roles(claimed_mg=0, claimed_points=0)

    refused = claimed_outcome(held(claim_then="reject"), CONVERTED, roles=both, points=8)

    assert isinstance(refused, Refusal)
    assert refused.field == "claimed_reduction"
