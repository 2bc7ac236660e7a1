"""What goes wrong on the way or at a city: nothing is lost or done twice, nothing false is believed."""

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from gateway.model.canonical import canonical_bytes
from gateway.peers import HttpPlatforms, LineLimits
from gateway.ports import Answered, Declined, PlatformMessage, PlatformOutcome, Resource, Unknown, Why
from gateway.signing import Message, content_digest
from tests.fakes.cities import (
    QUICK,
    SandboxCity,
    credit,
    decision,
    hold,
    signed,
    speaking,
    told,
)
from tests.fakes.messages import altered
from tests.unit.signing.signers import SeededSigner

pytestmark = pytest.mark.xdist_group("cities")
ONCE = replace(QUICK, message_seconds=0.5, pause_seconds=60)  # no repetition


def say(city: SandboxCity, message: PlatformMessage, *, limits: LineLimits = QUICK) -> PlatformOutcome:
    return told(city, talk=lambda platforms: platforms.send(city.platform, message), limits=limits)


def moves(city: SandboxCity, transfer: str) -> list[str]:
    """Return the states of what the city has of a transfer."""
    return city.column("SELECT state FROM moves WHERE transfer = ?", transfer)


@pytest.mark.parametrize("fault", ["lost", "deaf", "error", "broken", "cut", "duplicate"])
def test_a_message_is_done_once_whatever_becomes_of_its_first_answers(
    qinglan: SandboxCity, fault: str
) -> None:
    before = qinglan.points()
    held = hold(qinglan)
    qinglan.fault(fault, times=2)
    outcome = say(qinglan, held)
    qinglan.fault(fault, times=1)
    captured = say(qinglan, decision(held, qinglan))

    assert isinstance(outcome, Answered)
    assert isinstance(captured, Answered)
    assert moves(qinglan, held.transfer) == ["captured"]
    assert qinglan.points() == before - 1


@pytest.mark.parametrize(
    ("fault", "why", "kept"),
    [
        ("lost", Why.LOST, ["held"]),
        ("cut", Why.LOST, ["held"]),
        ("deaf", Why.LOST, []),
        ("broken", Why.BUSY, ["held"]),
        ("error", Why.BUSY, []),
        ("unsigned", Why.NOT_SIGNED, ["held"]),
        ("wrong-signature", Why.NOT_SIGNED, ["held"]),
        ("wrong-key", Why.NOT_SIGNED, ["held"]),
        ("skewed", Why.NOT_SIGNED, ["held"]),
    ],
)
def test_without_a_good_answer_nothing_is_known_until_it_is_asked(
    qinglan: SandboxCity, fault: str, why: Why, kept: list[str]
) -> None:
    held = hold(qinglan)
    qinglan.fault(fault)
    outcome = say(qinglan, held, limits=ONCE)
    asked = told(qinglan, talk=lambda peers: peers.ask(qinglan.platform, Resource.HOLDS, key=held.id))

    assert isinstance(outcome, Unknown)
    assert outcome.why is why
    assert moves(qinglan, held.transfer) == kept
    assert isinstance(asked, Answered if kept else Declined)


def test_a_platform_that_answers_later_is_asked(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    qinglan.fault("deferred")
    later = say(qinglan, held)
    asked = told(qinglan, talk=lambda peers: peers.ask(qinglan.platform, Resource.HOLDS, key=held.id))

    assert isinstance(later, Unknown)
    assert later.why is Why.WAITING
    assert isinstance(asked, Answered)
    assert say(qinglan, held) == asked


def test_an_answer_to_an_earlier_question_is_not_believed(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    say(qinglan, held)

    async def talk(platforms: HttpPlatforms) -> list[PlatformOutcome]:
        first = await platforms.ask(qinglan.platform, Resource.HOLDS, key=held.id)
        await platforms.send(qinglan.platform, decision(held, qinglan))
        qinglan.fault("stale", times=2)
        await platforms.ask(qinglan.platform, Resource.HOLDS, key=held.id)
        again = await platforms.ask(qinglan.platform, Resource.HOLDS, key=held.id)
        return [first, again]

    first, again = told(qinglan, talk=talk)

    assert isinstance(first, Answered)
    assert isinstance(again, Unknown)
    assert again.why is Why.NOT_SIGNED


def test_a_decision_that_overtakes_is_not_lost_on_the_hold(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    before = qinglan.points()
    qinglan.fault("reorder", times=1, seconds="5", only="holds")

    async def talk(platforms: HttpPlatforms) -> list[PlatformOutcome]:
        late = asyncio.create_task(platforms.send(qinglan.platform, held))
        await asyncio.sleep(0.3)
        abort = await platforms.send(qinglan.platform, decision(held, qinglan, verdict="ABORT"))
        return [await late, abort]

    late, abort = told(qinglan, talk=talk)

    assert isinstance(abort, Answered)
    assert isinstance(late, Declined)
    assert late.code == "transfer-decided"
    assert qinglan.points() == before


def test_a_city_killed_between_writing_and_answering_has_done_it_once(
    qinglan: SandboxCity,
) -> None:
    before = qinglan.points()
    held = hold(qinglan)
    for message in (held, decision(held, qinglan)):
        qinglan.fault("late", times=1, seconds="30")

        async def talk(platforms: HttpPlatforms, message: PlatformMessage = message) -> PlatformOutcome:
            waiting = asyncio.create_task(platforms.send(qinglan.platform, message))
            while not await asyncio.to_thread(qinglan.knows, message.key):
                await asyncio.sleep(0.02)
            await asyncio.to_thread(qinglan.restart)
            return await waiting

        outcome = told(qinglan, talk=talk, limits=replace(QUICK, message_seconds=60, pause_seconds=0.1))
        assert isinstance(outcome, Answered), outcome
        assert say(qinglan, message) == outcome

    assert moves(qinglan, held.transfer) == ["captured"]
    assert qinglan.points() == before - 1


def _parts_altered(city: SandboxCity) -> dict[str, tuple[Message, bytes]]:
    """Return a signed hold with each of its covered parts changed, to something that the city knows."""
    document = hold(city).document()
    content, url = canonical_bytes(document), f"{city.url}/v1/holds"
    message = signed("POST", url, document)
    changed = {name: (one, content) for name, one in altered(message)}
    other_path = signed("POST", f"{city.url}/v1/credits", document)
    return changed | {
        "@method": (replace(signed("PUT", url, document), method="POST"), content),
        "@path": (replace(other_path, url=url), content),
        "@authority": (replace(message, headers={**message.headers, "host": "other.example"}), content),
        "content": (message, canonical_bytes(document | {"points": "2"})),
    }


_ALTERED = ["@method", "@path", "@query", "@authority", "content-digest", "content-type", "idempotency-key"]


@pytest.mark.parametrize("part", [*_ALTERED, "created", "nonce", "content"])
def test_a_request_with_an_altered_part_is_refused(qinglan: SandboxCity, part: str) -> None:
    message, content = _parts_altered(qinglan)[part]
    answer = httpx.request(message.method, message.url, headers=dict(message.headers), content=content)

    assert (answer.status_code, answer.json()["code"]) == (401, "request-not-signed")
    assert not moves(qinglan, json.loads(content)["transfer"])


def test_a_request_is_good_once(qinglan: SandboxCity) -> None:
    held = hold(qinglan)
    message = signed("POST", f"{qinglan.url}/v1/holds", held.document())
    first, again = (
        httpx.post(message.url, headers=dict(message.headers), content=canonical_bytes(held.document()))
        for _ in range(2)
    )

    assert first.status_code == 201
    assert again.json()["code"] == "replayed-request"


@pytest.mark.parametrize("signer", [SeededSigner("a stranger", "http"), SeededSigner("the gateway decides")])
def test_a_request_by_another_key_is_refused(qinglan: SandboxCity, signer: SeededSigner) -> None:
    held = hold(qinglan)
    message = signed("POST", f"{qinglan.url}/v1/holds", held.document(), signer=signer)
    answer = httpx.post(message.url, headers=dict(message.headers), content=canonical_bytes(held.document()))

    assert answer.status_code == 401
    assert not moves(qinglan, held.transfer)


def test_a_city_whose_clock_is_off_takes_nothing_and_is_understood_when_it_is_right(
    qinglan: SandboxCity,
) -> None:
    held = hold(qinglan)
    qinglan.clock(3600)
    off = say(qinglan, held, limits=ONCE)
    qinglan.clock(0)
    right = say(qinglan, held)

    assert isinstance(off, Unknown)
    assert off.why is Why.NOT_SIGNED
    assert isinstance(right, Answered)


def test_a_slow_city_keeps_no_other_waiting(qinglan: SandboxCity, yuewan: SandboxCity) -> None:
    """All places on the line to one city are taken for good; the other one's messages all get through."""
    qinglan.fault("slow", times=0, seconds="30")
    limits = replace(QUICK, at_once=2, waiting=4, request_seconds=25, message_seconds=25)
    due = [credit(yuewan) for _ in range(6)]
    waiting = [hold(qinglan) for _ in range(8)]

    async def talk() -> tuple[list[PlatformOutcome], list[bool], list[PlatformOutcome]]:
        async with speaking(qinglan, yuewan, limits=limits) as platforms:
            slow = [asyncio.create_task(platforms.send(qinglan.platform, one)) for one in waiting]
            await asyncio.sleep(0)
            fast = await asyncio.gather(*(platforms.send(yuewan.platform, one) for one in due))
            done = [task.done() for task in slow]
            refused = [task.result() for task in slow if task.done()]
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            return refused, done, list(fast)

    refused, done, fast = asyncio.run(talk())

    assert [type(one) for one in fast] == [Answered] * 6
    assert done.count(False) == 6  # two on their way, four wait; the others were told so at once
    assert [one.why for one in refused if isinstance(one, Unknown)] == [Why.NOT_SENT] * 2


def test_a_dead_city_is_left_alone_and_tried_again(yuewan: SandboxCity) -> None:
    yuewan.fault("deaf", times=3)
    limits = replace(ONCE, failures=3)

    async def talk() -> list[PlatformOutcome]:
        async with speaking(yuewan, limits=limits) as platforms:
            outcomes = [await platforms.send(yuewan.platform, credit(yuewan)) for _ in range(5)]
            await asyncio.sleep(1.1)
            return [*outcomes, await platforms.send(yuewan.platform, credit(yuewan))]

    outcomes = asyncio.run(talk())

    assert [one.why for one in outcomes if isinstance(one, Unknown)] == [Why.LOST] * 3 + [Why.NOT_SENT] * 2
    assert isinstance(outcomes[-1], Answered)


def test_a_city_whose_address_is_private_is_not_called_unless_allowed(yuewan: SandboxCity) -> None:
    async def talk() -> PlatformOutcome:
        async with speaking(yuewan, limits=ONCE, private=False) as platforms:
            return await platforms.send(yuewan.platform, credit(yuewan))

    outcome = asyncio.run(talk())

    assert isinstance(outcome, Unknown)
    assert outcome.why is Why.NOT_SENT


def test_a_digest_that_fits_another_content_is_refused(qinglan: SandboxCity) -> None:
    document = hold(qinglan).document()
    message = signed("POST", f"{qinglan.url}/v1/holds", document)
    other = canonical_bytes(document | {"points": "2"})
    headers = dict(message.headers) | {"content-digest": content_digest(other)}

    assert httpx.post(message.url, headers=headers, content=other).status_code == 401
