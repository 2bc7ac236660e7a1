"""The outbox of events and the courier that empties it, on a real database and a real endpoint."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.peers import Poster
from gateway.ports import (
    Delivery,
    DeliveryState,
    EventType,
    NewOperation,
    OperationKind,
    OperationState,
    Webhook,
)
from gateway.service.webhooks.delivering import SCHEDULE_SECONDS, Courier
from gateway.store.serving.operations import SqlOperations
from gateway.store.serving.platforms import SqlPlatforms
from gateway.store.serving.webhooks import SqlWebhooks
from gateway.store.sql.database import Database
from gateway.store.sql.group_commit import GroupCommit
from tests.fakes.receiving import receiving
from tests.fakes.serving import WUHAN_PLATFORM, PlatformSigner

NOW = "2026-11-22T05:00:00Z"
LATER = "2026-12-31T00:00:00Z"


@dataclass
class FixedClock:
    """A clock that a test sets."""

    moment: datetime = datetime(2026, 11, 22, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """A database with one platform."""

    platforms: SqlPlatforms
    operations: SqlOperations
    webhooks: SqlWebhooks

    def finish(
        self,
        number: int,
        state: OperationState = OperationState.DONE,
        *,
        result: str = "{}",
        log_size: int = 0,
    ) -> None:
        """Submit an operation and finish it."""
        name = f"{number:032x}"
        self.operations.receive(
            NewOperation(
                id=name,
                kind=OperationKind.ROWS,
                platform=WUHAN_PLATFORM,
                key=name,
                content_sha256=b"",
                mapping="m",
                adapter="a",
                name="",
                rows=1,
                content=b"{}\n",
                created=NOW,
            )
        )
        self.operations.finish([(name, state, result)], now=NOW, log_size=log_size)

    def add(self, url: str, *events: EventType, name: str = "w") -> Webhook:
        wanted = events or tuple(EventType)
        webhook = Webhook(name, WUHAN_PLATFORM, url, wanted, "", b"s" * 32, NOW, "", "")
        assert self.webhooks.add(webhook, most=10)
        return webhook

    def deliveries(self, name: str = "w") -> list[Delivery]:
        return self.webhooks.deliveries(name, before=None, limit=100)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    database = Database(tmp_path / "home.db")
    platforms = SqlPlatforms(database)
    platforms.invite(WUHAN_PLATFORM, code_hash=b"", expires=NOW, now=NOW)
    with GroupCommit(database) as writes:
        yield Outbox(
            platforms=platforms,
            operations=SqlOperations(database, writes),
            webhooks=SqlWebhooks(database, writes),
        )
    database.close()


def send(outbox: Outbox, until: Callable[[], bool], *, schedule: tuple[int, ...], clock: FixedClock) -> None:
    """Run a courier until something is so."""
    deadline = time.monotonic() + 30

    async def run() -> None:
        async with Poster(private=True) as post:
            courier = Courier(
                webhooks=outbox.webhooks,
                post=post,
                signer=PlatformSigner(),
                clock=clock,
                below=lambda most: most - 1,
                schedule=schedule,
            )
            await courier.run(stop=lambda: until() or time.monotonic() > deadline)

    asyncio.run(run())


def test_an_event_is_there_as_soon_as_the_operation_is_finished(outbox: Outbox) -> None:
    outbox.add("http://127.0.0.1:9/", EventType.OPERATION_DONE)
    outbox.finish(1)
    outbox.finish(2, OperationState.FAILED)

    (delivery,) = outbox.deliveries()

    assert (delivery.event, delivery.state) == (f"operation-done-{1:032x}", DeliveryState.WAITING)


def test_an_event_that_cannot_be_queued_leaves_the_operation_unfinished(outbox: Outbox) -> None:
    """Both or neither: an operation that counts as done was announced."""
    outbox.add("http://127.0.0.1:9/")
    outbox.finish(1)
    outbox.finish(2)

    with pytest.raises(Exception, match="UNIQUE"):
        outbox.operations.finish(
            [(f"{2:032x}", OperationState.DONE, "changed"), (f"{1:032x}", OperationState.DONE, "changed")],
            now=NOW,
            log_size=0,
        )

    found = outbox.operations.operation(f"{2:032x}")
    assert found is not None
    assert found.result == "{}"


def test_nothing_is_queued_for_platforms_without_webhooks(outbox: Outbox) -> None:
    outbox.finish(1)
    webhook = outbox.add("http://127.0.0.1:9/")

    assert outbox.webhooks.replay(webhook, f"operation-done-{1:032x}", now=0) is None


def test_after_the_last_attempt_it_is_given_up_and_can_be_replayed(outbox: Outbox) -> None:
    with receiving(lambda before: 503 if before < 3 else 200) as receiver:
        webhook = outbox.add(receiver.url)
        outbox.finish(1)
        failed = DeliveryState.FAILED
        send(outbox, lambda: outbox.deliveries()[0].state == failed, schedule=(0, 0), clock=FixedClock())
        given_up = outbox.deliveries()[0]
        outbox.webhooks.replay(webhook, given_up.event, now=0)
        done = DeliveryState.DELIVERED
        send(outbox, lambda: outbox.deliveries()[0].state == done, schedule=(0, 0), clock=FixedClock())

    assert (given_up.attempts, given_up.status, given_up.next_at) == (3, 503, 0)
    assert (outbox.deliveries()[0].attempts, len(receiver.arrived)) == (1, 4)


def test_each_failure_makes_the_next_attempt_later_by_the_schedule(outbox: Outbox) -> None:
    clock = FixedClock()
    pauses = []
    outbox.add("http://127.0.0.1:9/")  # nothing listens there
    outbox.finish(1)
    for attempt in range(1, len(SCHEDULE_SECONDS) + 2):
        send(
            outbox,
            lambda attempt=attempt: outbox.deliveries()[0].attempts == attempt,
            schedule=SCHEDULE_SECONDS,
            clock=clock,
        )
        delivery = outbox.deliveries()[0]
        pauses.append(delivery.next_at - int(clock.moment.timestamp()) if delivery.next_at else 0)
        clock.moment = datetime.fromtimestamp(delivery.next_at, UTC)

    assert pauses[:-1] == [pause + pause // 10 for pause in SCHEDULE_SECONDS]
    assert delivery.state is DeliveryState.FAILED
    assert 3 * 86400 < sum(pauses) < 4 * 86400


def test_many_events_reach_an_endpoint_once_each(outbox: Outbox) -> None:
    with receiving() as receiver:
        outbox.add(receiver.url)
        for number in range(40):
            outbox.finish(number)
        send(outbox, lambda: len(receiver.arrived) >= 40, schedule=(60,), clock=FixedClock())

    assert len({one.headers["webhook-id"] for one in receiver.arrived}) == len(receiver.arrived) == 40


def test_a_failing_endpoint_is_tried_with_one_event_at_a_time(outbox: Outbox) -> None:
    with receiving(lambda _: 500) as receiver:
        outbox.add(receiver.url)
        for number in range(20):
            outbox.finish(number)
        webhook = replace_failing(outbox)
        asyncio.run(one_round(outbox, webhook))

    assert len(receiver.arrived) == 1


def replace_failing(outbox: Outbox) -> Webhook:
    (webhook,) = outbox.webhooks.of_platform(WUHAN_PLATFORM)
    return webhook._replace(failing=NOW)


async def one_round(outbox: Outbox, webhook: Webhook) -> None:
    async with Poster(private=True) as post:
        courier = Courier(
            webhooks=outbox.webhooks,
            post=post,
            signer=PlatformSigner(),
            clock=FixedClock(),
            below=lambda _: 0,
        )
        await replace(courier, schedule=(60,)).serve(webhook)


def test_a_suspended_platform_is_told_nothing(outbox: Outbox) -> None:
    outbox.add("http://127.0.0.1:9/")
    outbox.finish(1)
    now = int(FixedClock().now().timestamp())
    assert outbox.webhooks.ready(now)

    outbox.platforms.suspend(WUHAN_PLATFORM, "keys lost")

    assert not outbox.webhooks.ready(now)


def test_old_events_are_forgotten_but_for_those_that_wait(outbox: Outbox) -> None:
    with receiving() as receiver:
        outbox.add(receiver.url)
        outbox.finish(1)
        done = DeliveryState.DELIVERED
        send(outbox, lambda: outbox.deliveries()[0].state == done, schedule=(60,), clock=FixedClock())
        outbox.finish(2)

    outbox.webhooks.forget(NOW)
    assert len(outbox.deliveries()) == 2
    outbox.webhooks.forget(LATER)
    assert [one.event for one in outbox.deliveries()] == [f"operation-done-{2:032x}"]


def test_a_removed_endpoint_leaves_nothing_waiting(outbox: Outbox) -> None:
    outbox.add("http://127.0.0.1:9/")
    outbox.finish(1)

    outbox.webhooks.remove("w")

    assert not outbox.deliveries()
    assert not outbox.webhooks.ready(int(FixedClock().now().timestamp()))


ACCEPTED = '{"outcomes": [{"row": 1, "outcome": "accepted", "record": "r", "batch": 0}]}'
REFUSED = '{"outcomes": [{"row": 1, "outcome": "rejected", "code": "unknown-code", "field": ""}]}'


def told_witnessed(outbox: Outbox, size: int) -> list[str]:
    """Say at which size the log has its quorum; return the operations that were told of so far."""
    outbox.webhooks.tell_witnessed(size, now=NOW)
    kind = EventType.RECEIPT_WITNESSED
    found = (one.event for one in reversed(outbox.deliveries()) if one.type is kind)
    return [event.removeprefix("receipt-witnessed-").lstrip("0") for event in found]


def test_receipts_are_told_of_once_the_log_has_its_quorum_at_their_size(outbox: Outbox) -> None:
    outbox.add("https://example.com/")
    for number, log_size in ((1, 5), (2, 7), (3, 9)):
        outbox.finish(number, result=ACCEPTED, log_size=log_size)

    assert told_witnessed(outbox, 4) == []
    assert told_witnessed(outbox, 7) == ["1", "2"]
    assert told_witnessed(outbox, 7) == ["1", "2"]
    assert told_witnessed(outbox, 100) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("state", "result", "told"),
    [
        (OperationState.DONE, ACCEPTED, ["1"]),
        (OperationState.DONE, '{"summary": {"accepted": 0, "duplicates": 2}}', ["1"]),
        (OperationState.DONE, REFUSED, []),
        (OperationState.DONE, '{"summary": {"accepted": 0, "duplicates": 0}}', []),
        (OperationState.DONE, '{"result": {"link": "ab", "linked": true}}', []),
        (OperationState.FAILED, '{"code": "not-converted"}', []),
    ],
)
def test_what_has_no_receipts_is_not_told_of(
    outbox: Outbox, state: OperationState, result: str, told: list[str]
) -> None:
    outbox.add("https://example.com/")
    outbox.finish(1, state, result=result, log_size=1)

    assert told_witnessed(outbox, 1) == told


def test_who_does_not_ask_for_receipts_is_not_told_of_them(outbox: Outbox) -> None:
    outbox.add("https://example.com/", EventType.OPERATION_DONE)
    outbox.finish(1, result=ACCEPTED, log_size=1)
    outbox.add("https://example.com/", EventType.RECEIPT_WITNESSED, name="later")

    outbox.webhooks.tell_witnessed(1, now=NOW)

    assert [one.type for one in outbox.deliveries()] == [EventType.OPERATION_DONE]
    assert outbox.deliveries("later") == []
