"""Acts of a part are judged in their order: what is new is kept, and caps leave of it what they can."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from gateway.convert import Program, Refusal
from gateway.model.codes import Rejection
from gateway.model.source import Place
from gateway.ports import EventMark, NewEvent, PrivateColumns
from gateway.service.part import PartJudge, PartResult
from gateway.service.preparing import Origin, Origins, Prepared, Rejected
from gateway.service.scheme import Scheme, SchemeEvaluator
from gateway.signing import KeyedIndex
from tests.fakes.mappings import make_cap, yunxi

INDEX = KeyedIndex(bytes(32))
DIGEST = "sha256:" + "00" * 32
DAILY = ("daily", "a", "2025-03-16")
SCHEME = "cn-000000/yunxi/travel"


class Stated(NamedTuple):
    """One act: its event, what was said of it, its points, and what it counts against."""

    key: bytes
    content: bytes = b"said"
    points: int = 100
    caps: tuple[tuple[str, str, str], ...] | Refusal = (DAILY,)


@dataclass
class PlainMemory:
    """Remembers events and the use of caps in two dicts."""

    events: dict[bytes, bytes]
    usage: dict[bytes, int]

    def known_events(self, keys: Sequence[bytes]) -> dict[bytes, EventMark]:
        return {key: EventMark(self.events[key], 0, 0) for key in keys if key in self.events}

    def cap_usage(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        return {key: self.usage[key] for key in keys if key in self.usage}

    def note(self, events: Sequence[NewEvent], usage: Mapping[bytes, int]) -> None:
        self.events |= {event.key: event.content for event in events}
        self.usage |= usage


def prepared(acts: Sequence[Stated], **changes: Any) -> Prepared:
    """Make a part of acts of one person on one day, each in a row of its own."""
    count = len(acts)
    columns = {name: [None] * count for name in PrivateColumns._fields} | {
        "day": ["2025-03-16"] * count,
        "mapping": [DIGEST] * count,
        "co2e_mg": [1000] * count,
        "points": [act.points for act in acts],
    }
    made = Prepared(
        number=0,
        accepted=datetime(2025, 3, 16, tzinfo=UTC),
        rows=count,
        merged=0,
        repeated=0,
        rejected=[],
        origins=Origins(["a.csv"] * count, list(range(1, count + 1)), [b"{}"] * count, {}),
        keys=[act.key for act in acts],
        contents=[act.content for act in acts],
        caps=[act.caps for act in acts],
        exact=([act.points for act in acts], [1] * count),
        records=PrivateColumns(**columns),  # type: ignore[arg-type]  # members by name, of any type
    )
    return made._replace(**changes)


def judge(
    *acts: Stated,
    program: Program | None = None,
    events: Mapping[bytes, bytes] | None = None,
    used: Mapping[tuple[str, str, str], int] | None = None,
    **changes: Any,
) -> PartResult:
    """Judge a part under a daily cap of 200 points, after some events and some use of it.

    What is looked up stays as it was.
    """
    scheme = Scheme(SCHEME, (yunxi(caps=(make_cap(),)) if program is None else program,))
    usage = {INDEX.cap(SCHEME, *key): count for key, count in (used or {}).items()}
    evaluator = SchemeEvaluator(scheme, lambda _program: lambda _rows, _roles: [])
    memory = PlainMemory(dict(events or {}), dict(usage))
    result = PartJudge(evaluator=evaluator, index=INDEX, memory=memory).judge(prepared(acts, **changes))
    assert memory == PlainMemory(dict(events or {}), usage)
    return result


def test_new_acts_are_kept_in_their_order_with_what_the_caps_leave() -> None:
    result = judge(Stated(b"1"), Stated(b"2", points=30), Stated(b"3"), Stated(b"4"))

    assert (result.kept, result.points) == ([0, 1, 2, 3], [100, 30, 70, 0])
    assert result.events == [NewEvent(str(n + 1).encode(), b"said", n) for n in range(4)]
    assert result.cap_usage == {INDEX.cap(SCHEME, *DAILY): 200}
    assert (result.duplicates, result.rejected) == (0, [])


def test_what_was_used_before_counts() -> None:
    result = judge(Stated(b"1"), used={DAILY: 150})

    assert result.points == [50]
    assert result.cap_usage == {INDEX.cap(SCHEME, *DAILY): 200}


def test_an_act_without_caps_has_all_its_points_and_uses_nothing() -> None:
    result = judge(Stated(b"1", points=900, caps=()))

    assert (result.points, result.cap_usage) == ([900], {})


def test_a_cap_that_nothing_was_used_of_is_not_remembered() -> None:
    assert judge(Stated(b"1", points=0)).cap_usage == {}
    assert judge(Stated(b"1", points=1)).cap_usage == {INDEX.cap(SCHEME, *DAILY): 1}


@pytest.mark.parametrize("events", [{b"1": b"said"}, {}])
def test_an_event_that_says_the_same_again_is_a_duplicate(events: dict[bytes, bytes]) -> None:
    result = judge(Stated(b"1"), Stated(b"1"), events=events)

    assert result.kept == ([] if events else [0])
    assert result.duplicates == (2 if events else 1)
    assert result.rejected == []


@pytest.mark.parametrize("events", [{b"1": b"other"}, {}])
def test_an_event_that_says_something_else_is_rejected(events: dict[bytes, bytes]) -> None:
    acts = (Stated(b"1", b"said"),) if events else (Stated(b"1", b"other"), Stated(b"1", b"said"))
    result = judge(*acts, events=events)

    assert result.kept == ([] if events else [0])
    assert result.duplicates == 0
    rejected = result.rejected[0]
    assert (rejected.code, rejected.field, rejected.day) == ("duplicate-event", "event", "2025-03-16")
    assert rejected.origin.place == Place("a.csv", len(acts))


def test_a_place_in_the_batch_counts_only_what_is_kept() -> None:
    result = judge(Stated(b"1"), Stated(b"1"), Stated(b"2"))

    assert result.kept == [0, 2]
    assert [event.leaf_index for event in result.events] == [0, 1]


def test_an_act_that_a_full_cap_rejects_leaves_no_trace() -> None:
    rejecting = yunxi(caps=(make_cap(when_full="reject"),))
    result = judge(Stated(b"1"), Stated(b"2"), Stated(b"1", b"other"), program=rejecting, used={DAILY: 199})

    assert (result.kept, result.points, result.duplicates) == ([0], [1], 0)
    assert [rejected.code for rejected in result.rejected] == ["capped-out", "duplicate-event"]
    assert [event.key for event in result.events] == [b"1"]
    assert result.cap_usage == {INDEX.cap(SCHEME, *DAILY): 200}


def test_an_act_that_its_caps_refuse_is_rejected_and_may_come_again() -> None:
    refusal = Refusal(Rejection.LATE, "daily", "expected acceptance on the day")
    result = judge(Stated(b"1", caps=refusal), Stated(b"1"))

    assert (result.kept, result.duplicates) == ([1], 0)
    assert [(rejected.code, rejected.field) for rejected in result.rejected] == [("late", "daily")]


def test_caps_of_two_persons_are_counted_apart() -> None:
    other = ("daily", "b", "2025-03-16")
    result = judge(Stated(b"1", points=150), Stated(b"2", points=150, caps=(other,)), used={other: 180})

    assert result.points == [150, 20]
    assert result.cap_usage == {INDEX.cap(SCHEME, *DAILY): 150, INDEX.cap(SCHEME, *other): 200}


def test_every_outcome_of_a_part_has_one_fate_and_rejections_come_in_the_order_of_the_files() -> None:
    before = Rejected(Origin(Place("a.csv", 1), (), b"{}"), "no-figure", "act", "expected a figure", None)
    after = before._replace(origin=Origin(Place("b.csv", 1), (), b"{}"))
    acts = (Stated(b"1"), Stated(b"1"), Stated(b"1", b"other"))

    result = judge(*acts, rejected=[after, before], repeated=5)

    assert [rejected.origin.place for rejected in result.rejected] == [
        Place("a.csv", 1),
        Place("a.csv", 3),
        Place("b.csv", 1),
    ]
    assert (len(result.kept), result.duplicates) == (1, 6)
    assert result.rejected_by_day() == Counter({(None, "no-figure"): 2, ("2025-03-16", "duplicate-event"): 1})
