"""Caps leave of an award what they have room for, and count what was granted; points lapse on a day."""

from datetime import date
from typing import Any

import pytest

from gateway.convert.caps import CapKey, CapMeter, Granted, period_label
from gateway.convert.expiry import expires_on
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Cap, Expiry
from gateway.convert.roles import Roles
from gateway.model.codes import Rejection
from tests.fakes.mappings import make_cap, yunxi

DAY = date(2025, 3, 16)  # a Sunday, the last day of week 11
Usage = dict[CapKey, int]


def meter(*caps: Cap) -> CapMeter:
    """Make a meter for a program with these caps."""
    return CapMeter(yunxi(caps=caps))


def roles(**changes: Any) -> Roles:
    """Make the roles of a metro trip of person a in household h on the day."""
    made = Roles(("e",), "a", "h", 0, None, DAY.toordinal(), "TRV-METRO", "device", "personal", None, None)
    return made._replace(**changes)


def award(points: int = 100, co2e_mg: int = 1000, exact: tuple[int, int] | None = None) -> Converted:
    """Make a conversion; exact points are the points unless told otherwise."""
    return Converted({}, co2e_mg, points, exact or (points, 1))


def grant(
    caps: tuple[Cap, ...], converted: Converted, *, used: int | tuple[int, ...] = 0
) -> tuple[Granted | Refusal, Usage]:
    """Grant one act after so much use of each cap, on its own day."""
    made = meter(*caps)
    keys = made.keys(roles(), DAY)
    assert not isinstance(keys, Refusal)
    before = used if isinstance(used, tuple) else (used,) * len(caps)
    usage = {key: count for key, count in zip(keys, before, strict=True) if count}
    bulk_usage = dict(usage)
    bulk = made.points(converted, keys, usage=bulk_usage)
    found = made.grant(converted, keys, usage=usage)
    assert bulk == (found if isinstance(found, Refusal) else found.points)
    assert bulk_usage == usage
    return found, usage


def points_of(found: Granted | Refusal) -> int | Rejection:
    """Give the points granted, or the reason."""
    return found.points if isinstance(found, Granted) else found.code


@pytest.mark.parametrize(
    ("used", "points", "after"),
    [
        (0, 100, 100),
        (99, 100, 199),
        (100, 100, 200),
        (101, 99, 200),
        (199, 1, 200),
        (200, 0, 200),
        (250, 0, 250),
    ],
)
def test_a_cap_of_points_grants_what_is_left(used: int, points: int, after: int) -> None:
    found, usage = grant((make_cap(),), award(), used=used)

    assert points_of(found) == points
    assert list(usage.values()) == [after]
    assert isinstance(found, Granted)
    use = found.caps[0]
    assert (use.used, use.maximum, use.asked, use.granted, use.counted) == (used, 200, 100, points, points)


@pytest.mark.parametrize(("points", "granted"), [(199, 199), (200, 200), (201, 200)])
def test_a_first_act_may_take_the_whole_cap_and_no_more(points: int, granted: int) -> None:
    found, usage = grant((make_cap(),), award(points))

    assert points_of(found) == granted
    assert list(usage.values()) == [granted]


@pytest.mark.parametrize(("used", "points", "after"), [(0, 100, 1), (1, 100, 2), (2, 0, 2), (3, 0, 3)])
def test_a_cap_of_acts_counts_acts(used: int, points: int, after: int) -> None:
    found, usage = grant((make_cap(of="acts", maximum=2),), award(), used=used)

    assert points_of(found) == points
    assert list(usage.values()) == [after]


@pytest.mark.parametrize(
    ("used", "points", "after"),
    [(0, 101, 1000), (500, 101, 1500), (501, 100, 1500), (750, 75, 1500), (1499, 0, 1500), (1500, 0, 1500)],
)
def test_a_cap_of_reduction_grants_the_exact_points_of_the_rest_rounded_down(
    used: int, points: int, after: int
) -> None:
    rounded_up = award(101, 1000, (1003, 10))
    found, usage = grant((make_cap(of="reduction", maximum=1500),), rounded_up, used=used)

    assert points_of(found) == points
    assert list(usage.values()) == [after]


def test_a_cap_of_reduction_never_grants_more_than_the_rounded_points() -> None:
    found, _ = grant((make_cap(of="reduction", maximum=999),), award(10, 1000, (1999, 100)))

    assert points_of(found) == 10


@pytest.mark.parametrize("of", ["points", "acts", "reduction"])
@pytest.mark.parametrize(("when_full", "points"), [("grant_zero", 0), ("reject", Rejection.CAPPED_OUT)])
def test_a_full_cap_grants_nothing_or_refuses_as_told(
    of: str, when_full: str, points: int | Rejection
) -> None:
    found, usage = grant((make_cap(of=of, maximum=5, when_full=when_full),), award(), used=5)

    assert points_of(found) == points
    assert list(usage.values()) == [5]


def test_a_refusing_cap_with_room_for_one_still_grants() -> None:
    found, usage = grant((make_cap(when_full="reject"),), award(), used=199)

    assert points_of(found) == 1
    assert list(usage.values()) == [200]


def test_several_caps_apply_in_their_order_and_count_what_was_finally_granted() -> None:
    caps = (make_cap("daily"), make_cap("monthly", period="month", maximum=500))

    found, usage = grant(caps, award(), used=(120, 470))

    assert isinstance(found, Granted)
    assert [(use.asked, use.granted, use.counted) for use in found.caps] == [(100, 80, 30), (80, 30, 30)]
    assert list(usage.values()) == [150, 500]


@pytest.mark.parametrize("full", [(3, 100, 20), (1, 9000, 20), (1, 100, 200)])
@pytest.mark.parametrize("turn", range(3))
def test_an_act_that_meets_a_full_cap_uses_up_nothing_of_any(full: tuple[int, ...], turn: int) -> None:
    caps = (
        make_cap("trips", of="acts", maximum=3),
        make_cap("weight", of="reduction", maximum=9000),
        make_cap("daily"),
    )
    used = full[turn:] + full[:turn]

    found, usage = grant(caps[turn:] + caps[:turn], award(), used=used)

    assert points_of(found) == 0
    assert tuple(usage.values()) == used


def test_a_refusal_of_a_later_cap_leaves_the_usage_of_earlier_ones() -> None:
    caps = (make_cap("daily"), make_cap("trips", of="acts", maximum=3, when_full="reject"))

    found, usage = grant(caps, award(), used=(20, 3))

    assert isinstance(found, Refusal)
    assert (found.code, found.field) == (Rejection.CAPPED_OUT, "trips")
    assert list(usage.values()) == [20, 3]


def test_an_act_of_no_points_counts_as_an_act_and_leaves_a_full_cap_as_it_is() -> None:
    caps = (make_cap("trips", of="acts", maximum=3), make_cap("daily"))

    found, usage = grant(caps, award(0, 400, (2, 5)), used=(1, 200))

    assert points_of(found) == 0
    assert list(usage.values()) == [2, 200]


def test_acts_of_a_day_together_never_exceed_the_cap() -> None:
    made = meter(make_cap())
    usage: Usage = {}
    keys = made.keys(roles(), DAY)
    assert not isinstance(keys, Refusal)

    granted = [points_of(made.grant(award(points), keys, usage=usage)) for points in (60, 60, 60, 60, 60)]

    assert granted == [60, 60, 60, 20, 0]


@pytest.mark.parametrize(
    ("whom", "expected"), [("person", "a"), ("household", "h"), ("platform", "")],
)  # fmt: skip
def test_a_cap_is_counted_for_whom_it_says(whom: str, expected: str) -> None:
    assert meter(make_cap(whom=whom)).keys(roles(), DAY) == (CapKey("daily", expected, "2025-03-16"),)


@pytest.mark.parametrize("whom", ["person", "household"])
def test_an_act_of_nobody_under_a_cap_per_person_lacks_a_field(whom: str) -> None:
    found = meter(make_cap(whom=whom)).keys(roles(person=None, household=None), DAY)

    assert isinstance(found, Refusal)
    assert (found.code, found.field) == (Rejection.MISSING_FIELD, whom)
    assert meter(make_cap(whom="platform")).keys(roles(person=None), DAY) == (
        CapKey("daily", "", "2025-03-16"),
    )


def test_a_cap_of_some_behaviours_leaves_the_others_alone() -> None:
    made = meter(make_cap(behaviours=frozenset({"TRV-BUS"})))

    assert made.keys(roles(), DAY) == ()
    assert made.keys(roles(behaviour="TRV-BUS"), DAY) == (CapKey("daily", "a", "2025-03-16"),)
    assert made.grant(award(), (), usage={}) == Granted(100, ())


@pytest.mark.parametrize(
    ("period", "day", "label"),
    [
        ("local_day", date(2025, 3, 16), "2025-03-16"),
        ("week", date(2025, 3, 16), "2025-W11"),
        ("week", date(2025, 3, 17), "2025-W12"),
        ("week", date(2024, 12, 30), "2025-W01"),
        ("week", date(2021, 1, 3), "2020-W53"),
        ("month", date(2025, 3, 31), "2025-03"),
        ("year", date(2025, 12, 31), "2025"),
        ("ever", date(2025, 12, 31), "ever"),
    ],
)
def test_a_day_lies_in_its_period(period: Any, day: date, label: str) -> None:
    assert period_label(period, day) == label


LATE = [
    ("local_day", date(2025, 3, 16), False), ("local_day", date(2025, 3, 17), True),
    ("local_day", date(2025, 3, 15), False),
    ("week", date(2025, 3, 16), False), ("week", date(2025, 3, 17), True), ("week", date(2025, 3, 9), False),
    ("month", date(2025, 3, 31), False), ("month", date(2025, 4, 1), True),
    ("year", date(2025, 12, 31), False), ("year", date(2026, 1, 1), True),
    ("ever", date(2199, 1, 1), False),
]  # fmt: skip


@pytest.mark.parametrize(("period", "accepted", "late"), LATE)
def test_an_act_is_late_once_its_period_is_over(period: Any, accepted: date, late: bool) -> None:
    own = (CapKey("daily", "a", period_label(period, DAY)),)
    moved = (CapKey("daily", "a", period_label(period, accepted)),)

    def keys(policy: str) -> object:
        return meter(make_cap(period=period, late=policy)).keys(roles(), accepted)

    assert keys("counts_on_activity_day") == own
    assert keys("counts_on_acceptance_day") == (moved if late else own)
    rejected = keys("reject")
    if late:
        assert isinstance(rejected, Refusal)
        assert (rejected.code, rejected.field) == (Rejection.LATE, "daily")
    else:
        assert rejected == own


def test_the_order_key_of_any_cap_asks_for_sorting() -> None:
    assert not meter(make_cap()).needs_start_order
    assert not meter().needs_start_order
    assert meter(make_cap(), make_cap("other", order="activity_start")).needs_start_order


@pytest.mark.parametrize(
    ("day", "months", "days", "last"),
    [
        (date(2025, 3, 16), 12, 0, date(2026, 3, 16)),
        (date(2025, 1, 31), 1, 0, date(2025, 2, 28)),
        (date(2024, 1, 31), 1, 0, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, 0, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, 0, date(2028, 2, 29)),
        (date(2025, 11, 30), 3, 0, date(2026, 2, 28)),
        (date(2025, 11, 30), 1, 0, date(2025, 12, 30)),
        (date(2025, 12, 31), 12, 0, date(2026, 12, 31)),
        (date(2025, 1, 31), 1, 1, date(2025, 3, 1)),
        (date(2025, 3, 16), 0, 90, date(2025, 6, 14)),
    ],
)
def test_points_lapse_after_months_and_then_days(day: date, months: int, days: int, last: date) -> None:
    assert expires_on(Expiry(months=months, days=days), day) == last


def test_points_without_an_expiry_never_lapse() -> None:
    assert expires_on(None, DAY) is None


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({}, 200),
        ({"maximum": 7}, 7),
        ({"when_full": "reject"}, None),
        ({"of": "acts"}, None),
        ({"of": "reduction"}, None),
    ],
)
def test_only_a_cap_that_takes_points_away_is_a_mere_limit(
    changes: dict[str, Any], limit: int | None
) -> None:
    assert CapMeter(yunxi(caps=(make_cap(**changes),))).limit("daily") == limit
