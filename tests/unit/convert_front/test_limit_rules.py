"""The sides of a plausibility rule that some row can lie on, and whether a rule sets acts aside."""

from dataclasses import replace
from fractions import Fraction

import pytest

from gateway.convert.limit_rules import claim_grid, limit_sides_of, rejecting
from gateway.convert.program import Limit, Overlap
from tests.unit.convert_front.documents import YUNXI, edited, findings, load, shape

EMPTY = load(YUNXI)
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
OVERLAP = Overlap(tolerance_s=0, remember_days=1, then="finding", behaviours=None)


def sides(limit: Limit, *, low: int = 0, high: int = 10_000, scale: int = 2) -> dict[str, str]:
    """Return the sides of a limit's bounds, of a distance that goes from ``low`` to ``high``."""
    distance = replace(EMPTY.formula.inputs["distance"], low=low, high=high, scale=scale)
    program = replace(
        EMPTY,
        source=replace(EMPTY.source, limits=(limit,)),
        formula=replace(EMPTY.formula, inputs={"distance": distance}),
    )
    found: dict[str, str] = {}
    for _, bound, side in limit_sides_of(program):
        found[bound] = f"{found[bound]} {side}" if bound in found else side
    return found


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("2.5", "under over at"),
        ("1/3600", "under over at"),
        ("1/7200", "under over"),
        ("0.0001", "under over"),
    ],
)
def test_a_duration_is_met_exactly_where_it_is_whole_seconds(hours: str, expected: str) -> None:
    assert sides(replace(LIMIT, high=Fraction(hours))) == {"max": expected}


def test_each_bound_of_a_limit_has_its_sides() -> None:
    assert sides(replace(LIMIT, low=Fraction(1, 7))) == {"max": "under over at", "min": "under over"}


@pytest.mark.parametrize(
    ("speed", "low", "high", "expected"),
    [
        ("36", 0, 10_000, "under over at"),
        ("36", 0, 1, "under over at"),
        ("36", 0, 0, "under"),
        ("36", -5, -1, "under"),
        ("3600/7", 0, 10_000, "under over at"),
        (str(36 * 4001), 0, 4001, "under over at"),
        (str(36 * 4001), 0, 4000, "under over"),
        (str(36 * 4001), 8000, 10_000, "under over at"),
        (str(36 * 4001), 8002, 8002, "under over at"),
        (str(36 * 4001), 8003, 10_000, "under over"),
        (str(36 * 4001), 8003, 12_002, "under over"),
        (str(36 * 4001), 8003, 12_003, "under over at"),
    ],
)
def test_a_speed_is_met_exactly_where_some_distance_takes_whole_seconds(
    speed: str, low: int, *, high: int, expected: str
) -> None:
    """The distance has two decimals, so 36 km/h are one of its units a second."""
    limit = replace(LIMIT, of="distance", high=Fraction(speed))

    assert sides(limit, low=low, high=high) == {"max": expected}


@pytest.mark.parametrize(
    ("tolerance", "expected"),
    [("0", {"over", "at"}), ("0.5", {"over", "at", "under"}), ("0.55", {"over", "under"})],
)
def test_a_claim_can_be_as_far_off_as_tolerated_where_that_is_a_multiple(
    tolerance: str, expected: set[str]
) -> None:
    program = load(edited(shape("claimed_csv"), ('value: "0.5"', f'value: "{tolerance}"')))

    found = set(limit_sides_of(program))

    assert {side for rule, _, side in found if rule == "claimed_reduction"} == expected
    assert {side for rule, _, side in found if rule == "claimed_points"} == {"over", "at"}


def test_an_overlap_has_all_sides_and_what_is_not_stated_none() -> None:
    overlapping = replace(EMPTY, source=replace(EMPTY.source, overlap=OVERLAP))

    assert {side for _, _, side in limit_sides_of(overlapping)} == {"under", "at", "over"}
    assert list(limit_sides_of(EMPTY)) == []


@pytest.mark.parametrize(("scale", "multiple"), [(0, 100), (1, 100), (2, 10), (3, 1)])
def test_claims_differ_by_multiples_of_both_last_decimals(scale: int, multiple: int) -> None:
    """A reduction of the example has one decimal of a gram."""
    program = load(edited(shape("claimed_csv"), ("unit: gCO2e, scale: 1", f"unit: gCO2e, scale: {scale}")))

    assert claim_grid(program) == multiple
    assert claim_grid(EMPTY) == 1


def test_a_rule_that_rejects_is_told_from_one_that_finds() -> None:
    source = EMPTY.source
    claims = load(shape("claimed_csv")).source

    def rejects(**changes: object) -> bool:
        return rejecting(replace(EMPTY, source=replace(source, **changes)))  # type: ignore[arg-type]  # of a source

    assert not rejects()
    assert not rejects(claim_then="reject")
    assert not rejects(limits=(LIMIT,), overlap=OVERLAP)
    assert rejects(limits=(LIMIT, replace(LIMIT, then="reject")))
    assert rejects(overlap=replace(OVERLAP, then="reject"))
    assert not rejects(fields=claims.fields)
    assert rejects(fields=claims.fields, claim_then="reject")


SPEED = 'min: "1.5", max: "36", unit: km/h, then: reject, behaviours: [TRV-BIKE]'


def speed(limits: str) -> str:
    """Return the example of times with other limits of the speed of a ride, and without its tests."""
    head, _, _ = edited(shape("plausible_times"), (SPEED, limits)).partition("\ntests:")
    return head + "\ntests: [{name: none, given: {}, reject: missing-field}]\n"


@pytest.mark.parametrize(("unit", "seconds"), [("s", 1), ("min", 60), ("h", 3600), ("d", 86_400)])
def test_a_speed_is_stated_by_the_second_minute_hour_or_day(unit: str, seconds: int) -> None:
    limit = load(speed(f'max: "36", unit: km/{unit}, then: reject')).source.limits[0]

    assert (limit.name, limit.unit, limit.unit_seconds) == ("ride_speed", f"km/{unit}", seconds)


@pytest.mark.parametrize(
    ("low", "high", "wrong"),
    [("1", "1", None), ("0.5", "0.5", None), ("36", "36", None), ("2", "1", "max"), ("0.5", "0.4", "max"),
     ("0", "1", "min"), ("-1", "1", "min")],
)  # fmt: skip
def test_limits_are_above_zero_and_the_larger_one_is_not_below_the_smaller(
    low: str, high: str, wrong: str | None
) -> None:
    text = speed(f'min: "{low}", max: "{high}", unit: km/h, then: reject')

    if wrong is None:
        assert (load(text).source.limits[0].low, load(text).source.limits[0].high) == (
            Fraction(low),
            Fraction(high),
        )
    else:
        assert [one.pointer for one in findings(text)] == [f"/source/plausibility/speed/0/{wrong}"]


def test_what_has_a_speed_is_never_the_least_bit_negative() -> None:
    text = edited(speed(SPEED), ('scale: 2, min: "0", max: "100"', 'scale: 2, min: "-0.01", max: "100"'))

    assert "/source/plausibility/speed/0/of" in [one.pointer for one in findings(text)]
