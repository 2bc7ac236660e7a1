"""Every message of the platform API, over real sockets: taken once, known for ever, refused with a reason."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.model.canonical import canonical_bytes
from gateway.peers import HttpPlatforms
from gateway.ports import (
    Answered,
    Consent,
    Credit,
    Declined,
    HoldPoints,
    LinkAccount,
    PlatformMessage,
    PlatformOutcome,
    Resource,
    StatementPart,
)
from gateway.transparency import leaf_hash, root_of
from tests.fakes.cities import SandboxCity, credit, decision, hold, new_id, returned, signed, told
from tests.unit.signing.signers import SeededSigner

pytestmark = pytest.mark.xdist_group("cities")


def say(city: SandboxCity, *messages: PlatformMessage) -> list[PlatformOutcome]:
    """Say things to a city, one after the other."""

    async def talk(platforms: HttpPlatforms) -> list[PlatformOutcome]:
        return [await platforms.send(city.platform, message) for message in messages]

    return told(city, talk=talk)


def ask(city: SandboxCity, resource: Resource, key: str) -> PlatformOutcome:
    return told(city, talk=lambda platforms: platforms.ask(city.platform, resource, key=key))


def state(outcome: PlatformOutcome) -> str:
    assert isinstance(outcome, Answered), outcome
    return str(outcome.document["state"])


def test_points_move_from_one_city_to_the_other(qinglan: SandboxCity, yuewan: SandboxCity) -> None:
    before = qinglan.points(), yuewan.points()
    transfer = new_id("tr")
    held = hold(qinglan, qinglan.lot(2), qinglan.lot(1), transfer=transfer)
    ready = credit(yuewan, transfer=transfer)

    placed, prepared = say(qinglan, held)[0], say(yuewan, ready)[0]
    assert (state(placed), state(prepared)) == ("held", "prepared")
    assert (qinglan.points(), yuewan.points()) == (before[0] - 3, before[1])

    captured, posted = say(qinglan, decision(held, qinglan))[0], say(yuewan, decision(ready, yuewan))[0]
    assert (state(captured), state(posted)) == ("captured", "posted")
    assert (qinglan.points(), yuewan.points()) == (before[0] - 3, before[1] + 5)


def test_an_abort_leaves_everything_as_it_was(qinglan: SandboxCity) -> None:
    before = qinglan.points()
    held, ready = hold(qinglan), credit(qinglan)

    outcomes = say(
        qinglan,
        held,
        ready,
        decision(held, qinglan, verdict="ABORT"),
        decision(ready, qinglan, verdict="ABORT"),
    )

    assert [state(one) for one in outcomes] == ["held", "prepared", "released", "cancelled"]
    assert qinglan.points() == before
    assert state(ask(qinglan, Resource.HOLDS, held.id)) == "released"
    assert state(ask(qinglan, Resource.CREDITS, ready.id)) == "cancelled"
    assert state(ask(qinglan, Resource.DECISIONS, held.transfer)) == "released"


def test_the_same_message_gets_the_same_answer_for_ever(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    first, again = say(qinglan, held, held)
    say(qinglan, decision(held, qinglan))
    (later,) = say(qinglan, held)

    assert first == again == later  # as it was answered then, though it is captured now
    assert state(ask(qinglan, Resource.HOLDS, held.id)) == "captured"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"points": 2}, "/points"),
        ({"account": "ac-other"}, "/account"),
        ({"destination": "cn-000000/bailu"}, "/destination"),
        ({"expected_in_s": 31}, "/expected_in_s"),
        ({"transfer": "tr_00000000000000000000000000"}, "/transfer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_message_under_an_id_is_refused_with_the_field_that_differs(
    qinglan: SandboxCity, changes: dict[str, object], field: str
) -> None:
    held = hold(qinglan)
    _, refused = say(qinglan, held, replace(held, **changes))  # type: ignore[arg-type]  # a table of changes

    assert isinstance(refused, Declined)
    assert (refused.code, refused.field) == ("idempotency-conflict", field)
    assert state(ask(qinglan, Resource.HOLDS, held.id)) == "held"


def test_another_decision_on_a_transfer_is_refused(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    _, _, other = say(qinglan, held, decision(held, qinglan), decision(held, qinglan, verdict="ABORT"))

    assert isinstance(other, Declined)
    assert (other.code, other.field) == ("idempotency-conflict", "/body/decision")


def test_a_hold_that_comes_after_its_abort_is_refused(qinglan: SandboxCity) -> None:
    held, ready = hold(qinglan), credit(qinglan)
    abort, late, second, also_late = say(
        qinglan,
        decision(held, qinglan, verdict="ABORT"),
        held,
        decision(ready, qinglan, verdict="ABORT"),
        ready,
    )

    assert (state(abort), state(second)) == ("none", "none")
    for one in (late, also_late):
        assert isinstance(one, Declined)
        assert one.code == "transfer-decided"


def _unlike(city: SandboxCity, what: str) -> PlatformMessage:
    held = hold(city)
    lot = held.lots[0]
    return {
        "account-unknown": replace(held, account="ac-nobody"),
        "unit-differs": replace(held, unit="cn-000000/other-point"),
        "sum-differs": replace(held, points=2),
        "platform-differs": replace(held, destination=city.platform),
        "lot-unknown": replace(held, lots=(replace(lot, event="no-such-ride"),)),
        "lot-spent": replace(held, points=10**6, lots=(replace(lot, points=10**6),)),
        "original-unknown": returned(city, credit(city)),
        "code-unknown": LinkAccount(id=new_id("lk"), code="NO-SUCH-CODE"),
        "malformed-document": replace(held, id="hd_1"),
    }[what]


@pytest.mark.parametrize(
    "code",
    [
        "account-unknown",
        "unit-differs",
        "sum-differs",
        "platform-differs",
        "lot-unknown",
        "lot-spent",
        "original-unknown",
        "code-unknown",
        "malformed-document",
    ],
)
def test_what_cannot_be_done_is_refused_with_its_code(qinglan: SandboxCity, code: str) -> None:
    before = qinglan.points()
    message = _unlike(qinglan, code)
    first, again = say(qinglan, message, message)

    assert isinstance(first, Declined)
    assert first.code == code
    assert again == first
    assert qinglan.points() == before


def test_a_refusal_sticks_to_its_id_though_it_could_be_done_now(qinglan: SandboxCity) -> None:
    lot = qinglan.lot()
    whole = hold(qinglan, replace(lot, points=qinglan.granted(lot.event)))
    one_more = hold(qinglan, lot)
    _, refused, _, again, anew = say(
        qinglan, whole, one_more, decision(whole, qinglan, verdict="ABORT"), one_more, hold(qinglan, lot)
    )

    assert isinstance(refused, Declined)
    assert refused.code == "lot-spent"
    assert again == refused
    assert ask(qinglan, Resource.HOLDS, one_more.id) == refused
    assert state(anew) == "held"


def test_a_decision_that_the_gateway_did_not_sign_does_nothing(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    forged = decision(held, qinglan, signer=SeededSigner("somebody else"))
    spoken = decision(held, qinglan, signer=SeededSigner("the gateway speaks", "http"))
    right_one = decision(held, qinglan).envelope
    altered = replace(
        decision(held, qinglan),
        envelope=right_one | {"body": decision(held, qinglan, window="8").envelope["body"]},
    )
    _, *refused, right = say(qinglan, held, forged, spoken, altered, decision(held, qinglan))

    for one in refused:
        assert isinstance(one, Declined)
        assert one.code == "decision-not-signed"
    assert state(right) == "captured"  # the refused ones did not stick


@pytest.mark.parametrize(
    "changed",
    [{"points_out": "2"}, {"source": "cn-000000/bailu", "destination": "cn-000000/qinglan"}],
    ids=["amount", "other end"],
)
def test_a_decision_over_another_amount_or_end_does_nothing(
    qinglan: SandboxCity, changed: dict[str, str]
) -> None:
    held = hold(qinglan)
    _, refused, right = say(qinglan, held, decision(held, qinglan, **changed), decision(held, qinglan))

    assert isinstance(refused, Declined)
    assert refused.code == "amount-differs"
    assert state(right) == "captured"


def test_a_commit_of_what_never_came_is_refused_and_does_not_stick(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    lost, placed, right = say(qinglan, decision(held, qinglan), held, decision(held, qinglan))

    assert isinstance(lost, Declined)
    assert lost.code == "move-unknown"
    assert (state(placed), state(right)) == ("held", "captured")


def test_what_is_unspent_comes_back_and_no_more(qinglan: SandboxCity) -> None:
    came = credit(qinglan)
    back = returned(qinglan, came, points=3)
    too_much = returned(qinglan, came, points=3)
    before = qinglan.points()
    *_, placed, refused, captured = say(
        qinglan, came, decision(came, qinglan), back, too_much, decision(back, qinglan)
    )

    assert (state(placed), state(captured)) == ("held", "captured")
    assert isinstance(refused, Declined)
    assert refused.code == "return-exceeds"
    assert qinglan.points() == before + 5 - 3
    assert isinstance(placed, Answered)
    assert placed.document["lots"] == [{"record": came.lots[0].record, "points": "3"}]


def test_the_source_takes_back_no_more_than_it_sent(qinglan: SandboxCity) -> None:
    sent = hold(qinglan, qinglan.lot(2))
    lots = (replace(credit(qinglan).lots[0], points=2),)
    back = credit(qinglan, lots=lots, original=sent.transfer)
    again = credit(qinglan, lots=lots, original=sent.transfer)
    before = qinglan.points()
    *_, posted, refused = say(qinglan, sent, decision(sent, qinglan), back, decision(back, qinglan), again)

    assert state(posted) == "posted"
    assert isinstance(refused, Declined)
    assert refused.code == "return-exceeds"
    assert qinglan.points() == before


def test_points_that_came_by_a_transfer_move_on(qinglan: SandboxCity) -> None:
    came = credit(qinglan)
    lot = replace(came.lots[0], arrived=came.transfer, points=4)
    *_, placed = say(qinglan, came, decision(came, qinglan), hold(qinglan, lot))

    assert state(placed) == "held"


def test_a_link_tells_the_account_once_with_its_identity(yuewan: SandboxCity) -> None:
    resident = yuewan.residents()[1]
    link = LinkAccount(id=new_id("lk"), code=resident["code"])
    first, again, other = say(yuewan, link, link, LinkAccount(id=new_id("lk"), code=resident["code"]))
    asked = ask(yuewan, Resource.LINKS, link.id)

    assert isinstance(first, Answered)
    assert (first.document["account"], first.document["identity"]) == (
        resident["account"],
        "sandbox-person-00002",
    )
    assert again == first
    assert isinstance(other, Declined)
    assert other.code == "code-unknown"
    assert isinstance(asked, Answered)
    assert "identity" not in asked.document


def test_consent_is_to_exactly_one_move(qinglan: SandboxCity) -> None:
    consent = Consent(
        id=new_id("cs"), account=qinglan.account, purpose="move", transfer=new_id("tr"), points=3
    )
    (given,) = say(qinglan, consent)
    _, other = say(qinglan, consent, replace(consent, points=4))

    assert state(given) == "given"
    assert isinstance(other, Declined)
    assert other.code == "idempotency-conflict"


def test_a_batch_gives_each_line_its_own_outcome_in_order(qinglan: SandboxCity) -> None:
    good, other = hold(qinglan), hold(qinglan)
    bad = hold(qinglan, account="ac-nobody")
    conflicting = replace(good, expected_in_s=31)
    lines: list[HoldPoints] = [good, bad, good, conflicting, other]

    async def talk(platforms: HttpPlatforms) -> list[PlatformOutcome]:
        return await platforms.send_all(qinglan.platform, lines)

    outcomes, again = told(qinglan, talk=talk), told(qinglan, talk=talk)

    assert [type(one) for one in outcomes] == [Answered, Declined, Answered, Declined, Answered]
    assert outcomes[0] == outcomes[2]
    assert [one.code for one in outcomes if isinstance(one, Declined)] == [
        "account-unknown",
        "idempotency-conflict",
    ]
    assert again == outcomes
    assert say(qinglan, good) == [outcomes[0]]


def test_a_platform_that_takes_no_batches_is_told_one_by_one(qinglan: SandboxCity) -> None:
    lines = [hold(qinglan), hold(qinglan, account="ac-nobody"), hold(qinglan)]
    qinglan.fault("absent", times=0, only=":batch")

    async def talk(platforms: HttpPlatforms) -> list[PlatformOutcome]:
        first = await platforms.send_all(qinglan.platform, lines)
        qinglan.heal()
        qinglan.fault("error", times=0, only=":batch")
        return [*first, *await platforms.send_all(qinglan.platform, lines)]

    outcomes = told(qinglan, talk=talk)
    qinglan.heal()

    assert [type(one) for one in outcomes] == [Answered, Declined, Answered] * 2


def test_more_than_a_batch_holds_goes_in_several(qinglan: SandboxCity) -> None:
    due = [credit(qinglan) for _ in range(501)]
    outcomes = told(qinglan, talk=lambda platforms: platforms.send_all(qinglan.platform, due))

    assert len(outcomes) == 501
    assert {type(one) for one in outcomes} == {Answered}


def test_the_same_hold_said_by_many_at_once_is_placed_once(qinglan: SandboxCity) -> None:
    held, before = hold(qinglan, qinglan.lot(2)), qinglan.points()

    async def talk(platforms: HttpPlatforms) -> list[PlatformOutcome]:
        alone = [platforms.send(qinglan.platform, held) for _ in range(8)]
        together = platforms.send_all(qinglan.platform, [held] * 5)
        return [*await asyncio.gather(*alone), *await together]

    outcomes = told(qinglan, talk=talk)

    assert len(outcomes) == 13
    assert all(one == outcomes[0] for one in outcomes)
    assert qinglan.points() == before - 2


def test_several_days_are_stated_at_once(qinglan: SandboxCity) -> None:
    document = {"items": [{"day": "2025-01-01"}, {"day": "2025-13-01"}]}
    message = signed("POST", f"{qinglan.url}/v1/statements:batch", document)
    answer = httpx.post(message.url, headers=dict(message.headers), content=canonical_bytes(document))

    assert [(one["id"], one["status"]) for one in answer.json()["outcomes"]] == [
        ("2025-01-01", 200),
        ("2025-13-01", 404),
    ]


def test_a_batch_of_decisions_costs_one_request(qinglan: SandboxCity) -> None:
    holds = [hold(qinglan), hold(qinglan)]
    due: list[Credit] = [credit(qinglan) for _ in range(3)]

    async def talk(platforms: HttpPlatforms) -> list[PlatformOutcome]:
        await platforms.send_all(qinglan.platform, holds)
        await platforms.send_all(qinglan.platform, due)
        return await platforms.send_all(qinglan.platform, [decision(one, qinglan) for one in [*holds, *due]])

    assert [state(one) for one in told(qinglan, talk=talk)] == [*["captured"] * 2, *["posted"] * 3]


def test_a_day_is_stated_as_totals_lots_and_transfers(qinglan: SandboxCity) -> None:
    held, ready = hold(qinglan, qinglan.lot(2)), credit(qinglan)
    say(qinglan, held, ready, decision(held, qinglan), decision(ready, qinglan))

    totals, lots, transfers = (_stated(qinglan, _today(), part) for part in StatementPart)

    lines = {line["transfer"]: line for line in transfers["transfers"]}
    entry = {"record": held.lots[0].record, "transfer": held.transfer, "points": "2", "co2e_mg": "20"}
    came = {"transfer": ready.transfer, "role": "destination", "points": "5", "co2e_mg": "70"}
    assert totals["closed"] is False
    assert lines[held.transfer]["role"] == "source"
    assert lines[ready.transfer] == came
    assert entry in lots["lots"]
    sent = [line for line in lines.values() if line["role"] == "source" and "original" not in line]
    assert totals["sent"] == {
        "transfers": str(len(sent)),
        "points": str(sum(int(line["points"]) for line in sent)),
        "co2e_mg": str(sum(int(line["co2e_mg"]) for line in sent)),
    }
    leaves = [leaf_hash(canonical_bytes(line)) for line in transfers["transfers"]]
    assert totals["transfers_root"] == "sha256:" + root_of(leaves).hex()


def test_a_day_on_which_nothing_was_decided_is_closed_and_empty(qinglan: SandboxCity) -> None:
    totals = _stated(qinglan, "2025-01-01", StatementPart.TOTALS)

    assert (totals["closed"], totals["lots"]) == (True, "0")
    assert totals["received"] == {"transfers": "0", "points": "0", "co2e_mg": "0"}


@pytest.mark.parametrize("day", ["2025-13-01", "20250101", "today"])
def test_what_is_no_day_is_not_found(qinglan: SandboxCity, day: str) -> None:
    outcome = told(qinglan, talk=lambda platforms: platforms.statement(qinglan.platform, day))

    assert isinstance(outcome, Declined)
    assert outcome.code == "not-found"


def _today() -> str:
    return (datetime.now(UTC) + timedelta(hours=8)).date().isoformat()


def _stated(city: SandboxCity, day: str, part: StatementPart) -> dict[str, Any]:
    outcome = told(city, talk=lambda platforms: platforms.statement(city.platform, day, part=part))
    assert isinstance(outcome, Answered), outcome
    return dict(outcome.document)
