"""Repeating, a platform's side, times and the numbered checks."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.canonical import canonical_bytes, digest
from gateway.model.transfer import (
    CHECKS,
    Party,
    PlaceHold,
    TransferKind,
    TransferRefusal,
    TransferState,
    Verdict,
    is_id,
)
from gateway.protocol import (
    ABSENT,
    CLOSED_BEFORE,
    Answer,
    Asked,
    Conflict,
    Decided,
    Deed,
    Kept,
    LetGo,
    New,
    Overdue,
    Repeat,
    Same,
    ShareState,
    judge,
    judge_batch,
    retry_delay,
    share_step,
    times_of,
)
from tests.fakes.transfers import TERMS

BODY: Any = {"id": "tr_1", "to": {"platform": "b", "account": "1"}, "lots": ["x", "y"]}
ASKED = Asked(PlaceHold(TERMS.id, "a-1", 100, TERMS.lots, 30), "hd_1")


def kept(body: Any = BODY) -> Kept:
    return Kept(digest(canonical_bytes(BODY)), body, b"the answer")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**BODY, "to": {"platform": "b", "account": "2"}}, "/to/account"),
        ({**BODY, "to": {"platform": "b"}}, "/to/account"),
        ({**BODY, "lots": ["x", "z"]}, "/lots/1"),
        ({**BODY, "lots": ["x"]}, "/lots/1"),
        ({**BODY, "a/b~": "1"}, "/a~1b~0"),
        ({**BODY, "lots": "x"}, "/lots"),
        ("text", ""),
    ],
)
def test_another_body_under_the_same_id_names_the_first_difference(body: Any, field: str) -> None:
    assert judge(kept(), body) == Conflict(field)
    assert judge(kept(body=None), body) == Conflict("")


def test_the_same_body_gets_the_same_answer_however_its_members_are_ordered() -> None:
    again = dict(reversed(BODY.items()))

    assert judge(kept(), again) == Same(b"the answer")
    assert judge(None, BODY) == New(digest(canonical_bytes(BODY)))


def test_one_and_true_are_two_bodies() -> None:
    one = Kept(digest(canonical_bytes({"n": 1})), {"n": 1}, b"")

    assert judge(one, {"n": True}) == Conflict("/n")


def test_an_id_that_stands_twice_in_a_batch_is_one() -> None:
    other = {**BODY, "lots": []}
    judged = judge_batch(
        {"tr_1": kept()}, [("tr_1", BODY), ("tr_2", BODY), ("tr_2", BODY), ("tr_2", other), ("tr_1", other)]
    )

    fresh = New(digest(canonical_bytes(BODY)))
    assert judged == [Same(b"the answer"), fresh, Repeat(1), Conflict("/lots/0"), Conflict("/lots/0")]


def test_a_platform_keeps_what_it_is_asked_for_until_the_decision() -> None:
    share, deed, answer = share_step(ABSENT, ASKED)

    assert (share.state, deed, answer) == (ShareState.KEPT, Deed.KEEP, Answer.KEPT)
    assert share_step(share, LetGo()) == (share, Deed.NOTHING, Answer.NOT_ALLOWED)
    assert share_step(share, Overdue()) == (share, Deed.NOTHING, Answer.QUERY)
    assert share_step(share, Decided(Verdict.ABORT))[1:] == (Deed.GIVE_BACK, Answer.DROPPED)


def test_a_platform_does_nothing_twice() -> None:
    share = share_step(ABSENT, ASKED).share
    later = ASKED._replace(id="hd_2", message=ASKED.message._replace(expected_in_s=7))
    done = share_step(share, Decided(Verdict.COMMIT))

    assert share_step(share, later) == (share, Deed.NOTHING, Answer.KEPT)
    assert done[1:] == (Deed.FINISH, Answer.DONE)
    assert share_step(done.share, Decided(Verdict.COMMIT)) == (done.share, Deed.NOTHING, Answer.DONE)
    assert share_step(done.share, Decided(Verdict.ABORT)).answer is Answer.CONTRADICTION


def test_another_question_under_the_same_id_is_a_conflict() -> None:
    share = share_step(ABSENT, ASKED).share
    other = ASKED._replace(message=ASKED.message._replace(points=101))

    assert share_step(share, other) == (share, Deed.NOTHING, Answer.CONFLICT)


def test_an_abort_that_overtakes_the_question_closes_the_transfer() -> None:
    closed = share_step(ABSENT, Decided(Verdict.ABORT)).share
    asked = share_step(closed, ASKED)

    assert (asked.deed, asked.answer, asked.share.reason) == (Deed.NOTHING, Answer.REFUSED, CLOSED_BEFORE)
    assert share_step(asked.share, ASKED).answer is Answer.REFUSED
    assert share_step(ABSENT, Decided(Verdict.COMMIT)).answer is Answer.CONTRADICTION


def test_a_refusal_is_for_good() -> None:
    refused = share_step(ABSENT, ASKED._replace(refusal="no-points")).share

    assert share_step(refused, ASKED) == (refused, Deed.NOTHING, Answer.REFUSED)
    assert share_step(refused, Decided(Verdict.ABORT)).answer is Answer.DROPPED
    assert share_step(refused, Decided(Verdict.COMMIT)).answer is Answer.CONTRADICTION
    assert share_step(refused, Overdue()).answer is Answer.NOTHING


@settings(deadline=None)
@given(attempts=st.integers(1, 10**6), seed=st.integers(0, 2**63))
def test_waiting_doubles_up_to_five_minutes_and_is_spread_over_half(attempts: int, seed: int) -> None:
    most = min(timedelta(milliseconds=500) * 2 ** min(attempts - 1, 20), timedelta(minutes=5))

    assert most / 2 <= retry_delay(attempts, seed) <= most


def test_the_destination_has_twenty_of_thirty_seconds() -> None:
    hold, credit, whole = times_of(TransferKind.INTERACTIVE)

    assert (hold.seconds, credit.seconds, whole.seconds) == (10, 20, 30)
    assert times_of(TransferKind.FILE).whole == timedelta(hours=24)


def test_each_check_has_its_number_and_they_are_made_in_their_order() -> None:
    answered = {"hold-refused", "hold-differs", "credit-refused", "credit-differs", "timed-out"}

    assert list(CHECKS.values()) == sorted(set(CHECKS.values()))
    assert {refusal.value for refusal in TransferRefusal if refusal not in CHECKS} == answered


def test_ids_are_of_one_form() -> None:
    assert is_id(TERMS.id, "tr")
    assert not any(is_id(TERMS.id, prefix) for prefix in ("qt", "hd", "cr", ""))
    assert not any(
        is_id(text, "tr") for text in ("tr_", TERMS.id.lower(), TERMS.id + "\n", TERMS.id[:-1] + "U")
    )


def test_the_platforms_of_a_transfer_are_known_by_their_part() -> None:
    assert [TERMS.platform(party) for party in Party] == [TERMS.source, TERMS.destination]


def test_the_checks_stand_in_the_documents_as_they_are_made() -> None:
    pages = [Path(f"docs/reference/{name}.md").read_text("utf-8") for name in ("transfer", "transfer-checks")]
    stated = re.findall(r"^\| (T\d\d) \| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$", pages[1], re.MULTILINE)

    assert stated == [(number, code.value) for code, number in CHECKS.items()]
    assert [state for state in TransferState if state not in pages[0]] == []
