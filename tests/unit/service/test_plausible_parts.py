"""Acts that overlap others of their person, or claim too much, are rejected or found; caps see none of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.convert import ActFinding, Program, Refusal
from gateway.convert.program import Overlap
from gateway.model.codes import Rejection
from gateway.service.acts.comparing import Claims, Compared, Spans
from gateway.service.acts.preparing import Asked
from gateway.service.converting.part import Verdict
from tests.fakes.mappings import make_cap, yunxi
from tests.unit.service.test_part import DAILY, E1, E2, E3, Stated, asked, cap_name, make_judge, name

A, B = name("a"), name("b")
NO_CLAIMS = Claims([], [], [])


def program(*, then: str = "reject", **changes: Any) -> Program:
    """Make rules of a daily cap of 200, of overlaps by more than a minute, and of claims."""
    made = yunxi(caps=(make_cap(**changes),))
    overlap = Overlap(tolerance_s=60, remember_days=30, then=then, behaviours=None)  # type: ignore[arg-type]  # one of the words
    return replace(made, source=replace(made.source, overlap=overlap, claim_then="reject"))


def timed(acts: list[Stated], *spans: tuple[bytes, int, int], day: int = 16) -> Asked:
    """Ask of acts, each of which has a time."""
    names = b"".join(one for one, _, _ in spans)
    starts, ends = [start for _, start, _ in spans], [end for *_, end in spans]
    times = Spans(list(range(len(spans))), [0] * len(spans), names, starts, ends)
    return asked(acts)._replace(
        compared=Compared(times, NO_CLAIMS), accepted=datetime(2025, 3, day, tzinfo=UTC)
    )


def claiming(acts: list[Stated], **claimed: tuple[int | None, int | None]) -> Asked:
    """Ask of acts, some of which claim mg and points."""
    places = [int(place[1:]) for place in claimed]
    claims = Claims(places, [0] * len(places), list(claimed.values()))
    return asked(acts)._replace(compared=Compared(Spans([], [], b"", [], []), claims))


def rules_of(verdict: Verdict) -> list[tuple[int, str, str]]:
    return [(place, refusal.code, refusal.field) for place, refusal in verdict.refused]


def test_an_act_that_overlaps_an_earlier_one_of_its_person_uses_up_nothing() -> None:
    acts = [Stated(E1), Stated(E2), Stated(E3)]
    result = make_judge(program()).judge(timed(acts, (A, 0, 600), (A, 539, 900), (B, 0, 600)))

    assert (result.kept, rules_of(result)) == ([0, 2], [(1, "implausible", "overlap")])
    assert result.cap_usage == {cap_name(DAILY): 200}
    assert result.points == [100, 100]
    assert [span[:3] for span in result.spans] == [(A, 0, 600), (B, 0, 600)]
    assert {span.last_day for span in result.spans} == {datetime(2025, 4, 15, tzinfo=UTC).toordinal()}


def test_an_act_that_overlaps_as_much_as_is_tolerated_is_kept() -> None:
    result = make_judge(program()).judge(timed([Stated(E1), Stated(E2)], (A, 0, 600), (A, 540, 900)))

    assert (result.kept, result.refused, result.overlaps) == ([0, 1], [], {})


def test_an_overlap_that_is_a_finding_is_kept_and_compared_with_later_ones() -> None:
    judge = make_judge(program(then="finding"))
    result = judge.judge(
        timed([Stated(E1), Stated(E2), Stated(E3)], (A, 0, 100), (A, 20, 200), (A, 110, 300))
    )

    assert result.kept == [0, 1, 2]
    assert result.overlaps == {1: ActFinding("overlap", (80,)), 2: ActFinding("overlap", (90,))}


@pytest.mark.parametrize("settled", [False, True])
def test_the_next_part_is_compared_with_one_that_is_not_yet_written(settled: bool) -> None:
    judge = make_judge(program())
    first = judge.judge(timed([Stated(E1)], (A, 0, 600)))
    if settled:
        judge.memory.note(first.events, first.cap_usage, spans=first.spans)
        judge.settled()

    second = judge.judge(timed([Stated(E2), Stated(E3)], (A, 500, 700), (B, 500, 700)))

    assert (second.kept, rules_of(second)) == ([1], [(0, "implausible", "overlap")])


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(("day", "kept"), [(15, []), (16, [0])])
def test_an_act_is_compared_for_as_many_days_as_the_rule_says(
    settled: bool, day: int, kept: list[int]
) -> None:
    judge = make_judge(program())
    first = judge.judge(timed([Stated(E1)], (A, 0, 600)))
    if settled:
        judge.memory.note(first.events, first.cap_usage, spans=first.spans)
        judge.settled()

    later = timed([Stated(E2)], (A, 500, 700))._replace(accepted=datetime(2025, 4, day, tzinfo=UTC))

    assert judge.judge(later).kept == kept


def test_an_act_that_is_refused_or_repeated_takes_up_no_time() -> None:
    late = Refusal(Rejection.LATE, "daily", "expected acceptance on the day")
    acts = [Stated(E1, caps=late), Stated(E2), Stated(E2), Stated(E3)]
    spans = (A, 0, 600), (A, 10, 100), (A, 10, 100), (A, 200, 300)
    result = make_judge(program()).judge(timed(acts, *spans))

    assert (result.kept, result.duplicates, result.refused) == ([1, 3], 1, [(0, late)])


def test_an_act_that_a_full_cap_rejects_has_no_finding() -> None:
    rejecting = program(then="finding", when_full="reject", maximum=100)
    result = make_judge(rejecting).judge(timed([Stated(E1), Stated(E2)], (A, 0, 600), (A, 0, 600)))

    assert (result.kept, rules_of(result)) == ([0], [(1, "capped-out", "daily")])
    assert (result.overlaps, len(result.spans)) == ({}, 1)


def test_a_claim_that_is_rejected_gives_back_what_the_caps_had_granted() -> None:
    acts = [Stated(E1, points=150), Stated(E2, points=150), Stated(E1, points=150)]
    result = make_judge(program()).judge(claiming(acts, p0=(999, None)))

    assert (result.kept, result.points) == ([1, 2], [150, 50])
    assert rules_of(result) == [(0, "implausible", "claimed_reduction")]
    assert result.cap_usage == {cap_name(DAILY): 200}


@pytest.mark.parametrize(("claimed", "kept"), [(50, [0, 1]), (51, [0]), (150, [0, 1])])
def test_a_claim_of_points_may_be_what_the_caps_leave(claimed: int, kept: list[int]) -> None:
    acts = [Stated(E1, points=150), Stated(E2, points=150)]
    result = make_judge(program()).judge(claiming(acts, p1=(1000, claimed)))

    assert result.kept == kept
    assert result.cap_usage == {cap_name(DAILY): 200 if len(kept) == 2 else 150}
