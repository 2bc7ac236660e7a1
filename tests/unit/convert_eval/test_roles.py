"""Every act has roles; what lacks or is wrong is refused in the order of the document."""

from typing import Any

import pytest

from gateway.convert.outcome import Refusal
from gateway.convert.program import Program
from gateway.convert.roles import Roles, SourceReader
from gateway.model.codes import Rejection
from gateway.model.source import SourceFormat
from tests.fakes.mappings import SHANGHAI, act, make_field, role_fields, yunxi


def reader(*extra: Any, drop: str = "", **roles: Any) -> SourceReader:
    """Read with the usual roles, more of them, or others in their place."""
    fields = tuple(field for field in role_fields(**roles) if field.name != drop)
    return SourceReader(yunxi(roles=(*fields, *extra)))


def refusal(found: Roles | Refusal) -> tuple[Rejection, str]:
    """Give the reason and the field."""
    assert isinstance(found, Refusal), found
    return found.code, found.field


def claim(role: str, scale: int = 3, unit: str = "gCO2e") -> Any:
    """Make a column of what the platform claims."""
    return make_field(role, role=role, type="decimal", unit=unit, scale=scale, low=0, high=10**9)


def test_a_row_gives_its_roles() -> None:
    found = reader().read(act())

    assert found == Roles(
        event=("e-1",),
        person="a",
        household=None,
        start=1_742_079_600,
        end=None,
        day=739_326,
        behaviour="TRV-METRO",
        evidence="operator-record",
        ownership="personal",
        claimed_mg=None,
        claimed_points=None,
    )


def test_an_event_may_need_several_columns_and_all_of_them() -> None:
    several = reader(event=make_field("event", role="event", keys=("card", "time")))

    found = several.read(act(card="c", time="t"))
    assert isinstance(found, Roles)
    assert found.event == ("c", "t")
    assert refusal(several.read(act(card="c"))) == (Rejection.MISSING_FIELD, "event")
    assert refusal(several.read(act(card="", time="t"))) == (Rejection.MISSING_FIELD, "event")


@pytest.mark.parametrize("name", ["event", "person", "behaviour", "start"])
def test_a_needed_role_that_is_absent_is_a_missing_field(name: str) -> None:
    assert refusal(reader().read(act(**{name: ""}))) == (Rejection.MISSING_FIELD, name)


def test_the_texts_that_stand_for_absence_are_the_mappings_own() -> None:
    program: Program = yunxi(format=SourceFormat(missing=frozenset({"-"})))

    assert refusal(SourceReader(program).read(act(event="-"))) == (Rejection.MISSING_FIELD, "event")
    found = SourceReader(program).read(act(event=""))
    assert isinstance(found, Roles)
    assert found.event == ("",)


def test_an_unknown_code_is_refused_and_quoted() -> None:
    found = reader().read(act(behaviour="99"))

    assert refusal(found) == (Rejection.UNKNOWN_CODE, "behaviour")
    assert isinstance(found, Refusal)
    assert found.detail == "expected one of the 3 codes of mode, not '99'"


@pytest.mark.parametrize(("role", "good"), [("evidence", "device"), ("ownership", "pooled")])
def test_evidence_and_ownership_come_from_closed_sets(role: str, good: str) -> None:
    by_row = reader(**{role: make_field(role, role=role)})  # type: ignore[arg-type]  # drop is not among them

    found = by_row.read(act(**{role: good}))
    assert isinstance(found, Roles)
    assert getattr(found, role) == good
    assert refusal(by_row.read(act(**{role: "best"}))) == (Rejection.UNKNOWN_CODE, role)
    assert refusal(by_row.read(act())) == (Rejection.MISSING_FIELD, role)


def test_the_first_refusal_in_the_order_of_the_document_stands() -> None:
    assert refusal(reader().read(act(behaviour="99", start="never"))) == (Rejection.UNKNOWN_CODE, "behaviour")
    assert refusal(reader().read(act(event="", behaviour="99"))) == (Rejection.MISSING_FIELD, "event")
    assert refusal(reader().read(act(start="", person=""))) == (Rejection.MISSING_FIELD, "start")


def test_nothing_personal_enters_a_refusal() -> None:
    found = reader(make_field("claimed_points", role="claimed_points", type="decimal")).read(
        {"event": "", "behaviour": "01", "start": "2025-03-16T07:00:00+08:00", "person": "Wang Wu"}
    )

    assert isinstance(found, Refusal)
    assert "Wang" not in found.detail


def test_the_day_is_the_local_day_of_the_start() -> None:
    late = reader().read(act(start="2025-03-16T15:59:59Z"))
    next_day = reader().read(act(start="2025-03-16T16:00:00Z"))

    assert isinstance(late, Roles)
    assert isinstance(next_day, Roles)
    assert (late.day, next_day.day) == (739_326, 739_327)


def test_a_declared_day_is_the_day_and_needs_no_start() -> None:
    days = reader(make_field("day", role="day", type="date"), drop="start")

    found = days.read(act(day="2025-03-17"))
    assert isinstance(found, Roles)
    assert (found.day, found.start) == (739_327, None)
    assert refusal(days.read(act(day=""))) == (Rejection.MISSING_FIELD, "day")
    assert refusal(days.read(act(day="17.3.2025"))) == (Rejection.MALFORMED_ROW, "day")


def test_with_a_day_and_a_start_one_of_them_is_enough() -> None:
    both = reader(make_field("day", role="day", type="date"))

    by_day, by_start = both.read(act(start="", day="2025-03-17")), both.read(act())
    assert isinstance(by_day, Roles)
    assert isinstance(by_start, Roles)
    assert (by_day.day, by_start.day) == (739_327, 739_326)
    assert refusal(both.read(act(start=""))) == (Rejection.MISSING_FIELD, "start")


def test_a_day_may_be_written_as_an_instant() -> None:
    instants = reader(make_field("day", role="day", type="instant", zone=SHANGHAI), drop="start")

    found = instants.read(act(day="2025-03-17 23:59:59"))
    assert isinstance(found, Roles)
    assert found.day == 739_327
    assert refusal(instants.read(act(day="2025-03-17"))) == (Rejection.MALFORMED_ROW, "day")


def test_an_act_may_end_when_it_starts_but_not_before() -> None:
    ends = reader(make_field("end", role="end", type="instant"))

    found = ends.read(act(end="2025-03-16T07:00:00+08:00"))
    assert isinstance(found, Roles)
    assert found.end == found.start
    assert refusal(ends.read(act(end="2025-03-16T06:59:59+08:00"))) == (Rejection.IMPLAUSIBLE, "end")


@pytest.mark.parametrize(
    ("unit", "mg"), [("mgCO2e", 2), ("gCO2e", 2_000), ("kgCO2e", 2_000_000), ("tCO2e", 2 * 10**9)]
)
def test_a_claimed_reduction_is_read_in_milligrams(unit: str, mg: int) -> None:
    found = reader(claim("claimed_reduction", unit=unit)).read(act(claimed_reduction="2.000"))

    assert isinstance(found, Roles)
    assert found.claimed_mg == mg


def test_a_claim_finer_than_whole_milligrams_or_points_is_refused() -> None:
    claims = reader(claim("claimed_reduction", 4), claim("claimed_points", 1, "1"))

    found = claims.read(act(claimed_reduction="1.0010", claimed_points="7.0"))
    assert isinstance(found, Roles)
    assert (found.claimed_mg, found.claimed_points) == (1001, 7)
    fine = claims.read(act(claimed_reduction="1.0001"))
    assert refusal(fine) == (Rejection.EXCESS_DIGITS, "claimed_reduction")
    half = claims.read(act(claimed_points="7.5"))
    assert refusal(half) == (Rejection.EXCESS_DIGITS, "claimed_points")
    assert refusal(claims.read(act(claimed_points="x"))) == (Rejection.NOT_A_DECIMAL, "claimed_points")


def test_a_batch_is_read_as_its_rows_are() -> None:
    rows = [
        act(event=str(n), behaviour=f"{n % 5:02}", start="" if n % 7 == 0 else act()["start"])
        for n in range(50)
    ]
    one = reader()

    assert one.read_batch(rows) == [reader().read(row) for row in rows]
    assert one.read_batch([]) == []


def test_an_event_may_be_made_of_roles_and_then_has_one_name_however_they_are_written() -> None:
    of = make_field("event", role="event", keys=(), of=("person", "day", "start", "behaviour"))

    for text in ("2025-03-16T07:00:00+08:00", "2025-03-15T23:00:00Z"):
        found = reader(event=of).read(act(start=text))
        assert isinstance(found, Roles)
        assert found.event == ("a", "2025-03-16", "2025-03-15T23:00:00Z", "TRV-METRO")


def test_an_event_lacks_what_a_role_of_it_lacks() -> None:
    of = make_field("event", role="event", keys=(), of=("household", "day"))
    household = make_field("household", role="household", type="pseudonym")
    with_household = reader(household, event=of)

    assert refusal(with_household.read(act())) == (Rejection.MISSING_FIELD, "event")
    assert isinstance(with_household.read(act(household="h")), Roles)
    assert refusal(with_household.read(act(household="h", start=""))) == (Rejection.MISSING_FIELD, "start")


def test_a_day_and_a_time_may_stand_apart() -> None:
    start = make_field("start", role="start", type="instant", keys=("day", "time"), zone=SHANGHAI)
    apart = reader(start=start)

    together = reader().read(act(start="2025-03-16T07:00:00+08:00"))
    assert apart.read(act(day="2025-03-16", time="07:00:00")) == together
    assert refusal(apart.read(act(day="2025-03-16"))) == (Rejection.MISSING_FIELD, "start")
    assert refusal(apart.read(act(day="2025-03-16 07:00:00", time="07:00:00"))) == (
        Rejection.MALFORMED_ROW,
        "start",
    )


def test_a_constant_person_is_that_of_every_row() -> None:
    found = reader(person=make_field("person", role="person", keys=(), constant="walker")).read(
        act(person="")
    )

    assert isinstance(found, Roles)
    assert found.person == "walker"


@pytest.mark.parametrize(
    ("event", "taken"),
    [("e", True), ("e" * 512, True), ("e" * 513, False), ("行程" * 256, True), ("行程" * 256 + "x", False),
     ("é", True), ("e\u0301", False), ("e\t1", False), ("\u202ee", False)],
)  # fmt: skip
def test_an_event_that_could_not_stand_in_a_receipt_is_refused_alone(event: str, *, taken: bool) -> None:
    read = SourceReader(yunxi()).read_columns([act(event="e-1"), act(event=event), act(event="e-2")])

    assert sorted(read.refusals) == ([] if taken else [1])
