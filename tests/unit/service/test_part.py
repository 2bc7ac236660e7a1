"""Acts of a part are judged in their order: what is new is kept, and caps leave of it what they can."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from gateway.bulk.columns import ColumnEvaluator
from gateway.convert import Program, Refusal
from gateway.model.codes import Rejection
from gateway.model.erasure import FORGOTTEN
from gateway.ports import EventMark, NewEvents, NewSpan
from gateway.service.acts.capping import Amounts, CapColumns
from gateway.service.acts.preparing import Asked
from gateway.service.acts.scheme import Scheme, SchemeEvaluator
from gateway.service.converting.part import PartJudge, Verdict
from gateway.signing import KeyedIndex
from tests.fakes.mappings import make_cap, yunxi

INDEX = KeyedIndex(bytes(32))
DAILY = ("daily", "a", "2025-03-16")
SCHEME = "cn-000000/yunxi/travel"


def name(text: str) -> bytes:
    """Make a 16-byte name."""
    return text.encode().ljust(16)


def slices(packed: bytes, size: int) -> list[bytes]:
    """Take packed names apart."""
    return [packed[start : start + size] for start in range(0, len(packed), size)]


E1, E2, E3, E4 = map(name, "1234")
SAID, OTHER = b"said    ", b"other   "


class Stated(NamedTuple):
    """One act: its event, what was said of it, its points, and what it counts against."""

    key: bytes
    content: bytes = SAID
    points: int = 100
    caps: tuple[tuple[str, str, str], ...] | Refusal = (DAILY,)


class DictMemory:
    """Remembers events and the use of caps."""

    def __init__(self, events: Mapping[bytes, bytes], usage: Mapping[bytes, int]) -> None:
        self._events, self._usage = dict(events), dict(usage)
        self._spans: list[NewSpan] = []

    def known_events(self, keys: Sequence[bytes]) -> dict[bytes, EventMark]:
        return {key: EventMark(self._events[key], 0, 0) for key in keys if key in self._events}

    def cap_usage(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        return {key: self._usage[key] for key in keys if key in self._usage}

    def own_spans(
        self, keys: Sequence[bytes], *, day: int, window: tuple[int, int]
    ) -> dict[bytes, list[tuple[int, int]]]:
        found: dict[bytes, list[tuple[int, int]]] = {}
        for span in self._spans:
            within = span.end > window[0] and span.start < window[1]
            if span.key in keys and within and span.last_day >= day:
                found.setdefault(span.key, []).append((span.start, span.end))
        return found

    def note(self, events: NewEvents, usage: Mapping[bytes, int], *, spans: Sequence[NewSpan] = ()) -> None:
        self._spans += spans
        self._events.update(zip(slices(events.keys, 16), slices(events.contents, 8), strict=True))
        self._usage.update(usage)


def asked(acts: Sequence[Stated]) -> Asked:
    """Ask of acts of one day."""
    keys = list(dict.fromkeys(key for act in acts if not isinstance(act.caps, Refusal) for key in act.caps))
    caps = [
        act.caps if isinstance(act.caps, Refusal) else tuple(keys.index(key) for key in act.caps)
        for act in acts
    ]
    points = [act.points for act in acts]
    return Asked(
        number=0,
        accepted=datetime(2025, 3, 16, tzinfo=UTC),
        rows=len(acts),
        merged=0,
        repeated=0,
        keys=b"".join(act.key for act in acts),
        contents=b"".join(act.content for act in acts),
        amounts=Amounts(points, [1000] * len(acts), points, [1] * len(acts)),
        caps=CapColumns([(0, cap, period) for cap, _, period in keys], INDEX.caps(SCHEME, keys), caps),
    )


def cap_name(key: tuple[str, str, str]) -> bytes:
    """Name a key of a cap as the index does."""
    return INDEX.caps(SCHEME, [key])


def make_judge(
    program: Program | None = None,
    *,
    events: Mapping[bytes, bytes] | None = None,
    used: Mapping[tuple[str, str, str], int] | None = None,
) -> PartJudge:
    """Make a judge under a daily cap of 200 points, after some events and some use of it."""
    scheme = Scheme(SCHEME, (yunxi(caps=(make_cap(),)) if program is None else program,))
    usage = {cap_name(key): count for key, count in (used or {}).items()}
    return PartJudge(
        evaluator=SchemeEvaluator(scheme, lambda _program: ColumnEvaluator(scheme.programs[0])),
        memory=DictMemory(events or {}, usage),
    )


def judge(
    *acts: Stated,
    program: Program | None = None,
    events: Mapping[bytes, bytes] | None = None,
    used: Mapping[tuple[str, str, str], int] | None = None,
) -> Verdict:
    """Judge one part."""
    return make_judge(program, events=events, used=used).judge(asked(acts))


def test_new_acts_are_kept_in_their_order_with_what_the_caps_leave() -> None:
    result = judge(Stated(E1), Stated(E2, points=30), Stated(E3), Stated(E4))

    assert (result.kept, result.points) == ([0, 1, 2, 3], [100, 30, 70, 0])
    assert result.events == (E1 + E2 + E3 + E4, SAID * 4)
    assert result.cap_usage == {cap_name(DAILY): 200}
    assert (result.duplicates, result.refused) == (0, [])


def test_what_was_used_before_counts() -> None:
    result = judge(Stated(E1), used={DAILY: 150})

    assert result.points == [50]
    assert result.cap_usage == {cap_name(DAILY): 200}


def test_an_act_without_caps_has_all_its_points_and_uses_nothing() -> None:
    result = judge(Stated(E1, points=900, caps=()))

    assert (result.points, result.cap_usage) == ([900], {})


def test_a_cap_that_nothing_was_used_of_is_not_remembered() -> None:
    assert judge(Stated(E1, points=0)).cap_usage == {}
    assert judge(Stated(E1, points=1)).cap_usage == {cap_name(DAILY): 1}


@pytest.mark.parametrize("events", [{E1: SAID}, {}])
def test_an_event_that_says_the_same_again_is_a_duplicate(events: dict[bytes, bytes]) -> None:
    result = judge(Stated(E1), Stated(E1), events=events)

    assert result.kept == ([] if events else [0])
    assert result.duplicates == (2 if events else 1)
    assert result.refused == []


@pytest.mark.parametrize("events", [{E1: OTHER}, {}])
def test_an_event_that_says_something_else_is_rejected(events: dict[bytes, bytes]) -> None:
    acts = (Stated(E1, SAID),) if events else (Stated(E1, OTHER), Stated(E1, SAID))
    result = judge(*acts, events=events)

    assert result.kept == ([] if events else [0])
    assert result.duplicates == 0
    [(place, refusal)] = result.refused
    assert (place, *refusal[:2]) == (len(acts) - 1, "duplicate-event", "event")


@pytest.mark.parametrize("content", [SAID, OTHER])
def test_an_event_whose_person_was_erased_is_a_duplicate_whatever_it_says(content: bytes) -> None:
    """Also beside acts that a part before has recorded and that are not written down yet."""
    one = make_judge(events={E1: FORGOTTEN})
    one.judge(asked([Stated(E1), Stated(E2, points=150)]))

    result = one.judge(asked([Stated(E1, content), Stated(E1, OTHER), Stated(E2), Stated(E3)]))

    assert (result.kept, result.points, result.duplicates, result.refused) == ([3], [50], 3, [])
    assert result.events.keys == E3


def test_a_place_in_the_batch_counts_only_what_is_kept() -> None:
    result = judge(Stated(E1), Stated(E1), Stated(E2))

    assert result.kept == [0, 2]
    assert result.events == (E1 + E2, SAID + SAID)


def test_an_act_that_a_full_cap_rejects_leaves_no_trace() -> None:
    rejecting = yunxi(caps=(make_cap(when_full="reject"),))
    result = judge(Stated(E1), Stated(E2), Stated(E1, OTHER), program=rejecting, used={DAILY: 199})

    assert (result.kept, result.points, result.duplicates) == ([0], [1], 0)
    assert [refusal.code for _, refusal in result.refused] == ["capped-out", "duplicate-event"]
    assert result.events.keys == E1
    assert result.cap_usage == {cap_name(DAILY): 200}


def test_an_act_that_its_caps_refuse_is_rejected_and_may_come_again() -> None:
    refusal = Refusal(Rejection.LATE, "daily", "expected acceptance on the day")
    result = judge(Stated(E1, caps=refusal), Stated(E1))

    assert (result.kept, result.duplicates) == ([1], 0)
    assert result.refused == [(0, refusal)]


def test_caps_of_two_persons_are_counted_apart() -> None:
    other = ("daily", "b", "2025-03-16")
    result = judge(Stated(E1, points=150), Stated(E2, points=150, caps=(other,)), used={other: 180})

    assert result.points == [150, 20]
    assert result.cap_usage == {cap_name(DAILY): 150, cap_name(other): 200}


@pytest.mark.parametrize("settled", [False, True])
def test_what_was_judged_counts_for_the_next_part_before_and_after_it_is_written(settled: bool) -> None:
    one = make_judge()
    first = one.judge(asked([Stated(E1, points=150)]))
    if settled:
        one.memory.note(first.events, first.cap_usage)
        one.settled()

    second = one.judge(asked([Stated(E1), Stated(E1, OTHER), Stated(E2)]))

    assert (second.kept, second.points, second.duplicates) == ([2], [50], 1)
    assert [place for place, _ in second.refused] == [1]
    assert second.cap_usage == {cap_name(DAILY): 200}


def test_a_cap_that_rejects_and_several_caps_are_applied_as_the_meter_does() -> None:
    monthly = make_cap(name="monthly", period="month", maximum=250)
    program = yunxi(caps=(make_cap(), monthly))
    caps = (DAILY, ("monthly", "a", "2025-03"))
    next_day = (("daily", "a", "2025-03-17"), caps[1])

    result = judge(
        Stated(E1, points=180, caps=caps),
        Stated(E2, points=50, caps=caps),
        Stated(E3, points=90, caps=next_day),
        program=program,
    )

    assert result.points == [180, 20, 50]
    assert result.cap_usage == {cap_name(caps[0]): 200, cap_name(caps[1]): 250, cap_name(next_day[0]): 50}
