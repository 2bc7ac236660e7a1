"""What waits for one platform goes together, and what comes alone at once; a full one keeps no other."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

import pytest

from gateway.errors import Unreachable
from gateway.ports import Answered, OutboxMessage, OutboxTask, PlatformOutcome
from gateway.service.transfers import conveying
from gateway.service.transfers.carrying import Carrier, Heard, Owed
from gateway.service.transfers.conveying import Conveyor
from tests.fakes.claims import At
from tests.fakes.transfers import NOW

NORTH, SOUTH = "cn-000000/north", "cn-000000/south"


class Waiting:
    """An outbox and a carrier in memory; what is heard is noted."""

    def __init__(self, *tasks: OutboxTask) -> None:
        self.outbox = self
        self.clock = At(NOW)
        self.left = list(tasks)
        self.over: list[OutboxTask] = []
        self.together: list[int] = []
        self.waits: Callable[[], None] = lambda: None

    def take(self, *, now: int, lease: int, limit: int, without: Collection[str] = ()) -> list[OutboxTask]:
        del now, lease
        free = [task for task in self.left if task.message.platform not in without][:limit]
        self.left = [task for task in self.left if task not in free]
        return free

    def end(self, tasks: Sequence[OutboxTask]) -> None:
        self.over += tasks

    def look_after(self) -> int:
        return 0

    def owed(self, tasks: Sequence[OutboxTask]) -> list[Owed]:
        return [Owed(task, cast(Any, task.number), cast(Any, None)) for task in tasks if task.number >= 0]

    def heard(self, heard: Sequence[Heard]) -> None:
        self.waits()
        self.together.append(len(heard))
        self.over += [one.owed.task for one in heard]


class Platforms:
    """Notes what is said together; the south answers once it is told to."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []
        self.south = asyncio.Event()

    async def send(self, platform: str, message: object) -> PlatformOutcome:
        return (await self.send_all(platform, [message]))[0]

    async def send_all(self, platform: str, messages: Sequence[object]) -> list[PlatformOutcome]:
        self.said.append((platform, len(messages)))
        if platform == SOUTH:
            await self.south.wait()
        return [Answered(document={})] * len(messages)


def task(number: int, platform: str = NORTH, kind: str = "hold") -> OutboxTask:
    return OutboxTask(number, f"tr_{number}", OutboxMessage(platform, kind), 1)


def _of_the_north(tasks: Sequence[OutboxTask]) -> int:
    return len([one for one in tasks if one.message.platform == NORTH])


def carried(
    waiting: Waiting,
    platforms: Platforms,
    *,
    until: int,
    by_hand: Callable[[], Collection[str]] = tuple,
) -> None:
    north = _of_the_north(waiting.left)
    conveyor = Conveyor(carrier=cast(Carrier, waiting), peers=cast(Any, platforms), by_hand=by_hand)

    async def run() -> None:
        carrying = asyncio.create_task(conveyor.run(stop=lambda: len(waiting.over) >= until))
        while not carrying.done():
            await asyncio.sleep(0.01)
            if _of_the_north(waiting.over) == north:
                platforms.south.set()
        await carrying

    asyncio.run(asyncio.wait_for(run(), 20))


def test_messages_of_one_kind_to_one_platform_go_together() -> None:
    waiting, platforms = Waiting(*(task(n) for n in range(5)), task(5, kind="decision")), Platforms()
    carried(waiting, platforms, until=6)

    assert sorted(platforms.said) == [(NORTH, 1), (NORTH, 5)]


def test_what_is_not_owed_any_more_is_ended_and_not_sent() -> None:
    waiting, platforms = Waiting(task(-1), task(1)), Platforms()
    carried(waiting, platforms, until=2)

    assert platforms.said == [(NORTH, 1)]
    assert {one.number for one in waiting.over} == {-1, 1}


def test_what_is_heard_of_several_requests_meanwhile_is_taken_up_together() -> None:
    kinds = ("hold", "credit", "decision")
    waiting, platforms = Waiting(*(task(n, kind=kind) for n, kind in enumerate(kinds))), Platforms()

    def until_all_were_answered() -> None:
        while len(platforms.said) < len(kinds):
            time.sleep(0.001)
        time.sleep(0.02)  # their answers are handed over meanwhile

    waiting.waits = until_all_were_answered
    carried(waiting, platforms, until=3)

    assert sum(waiting.together) == 3
    assert len(waiting.together) < 3


def test_of_one_kind_for_one_platform_no_more_go_together_than_may(monkeypatch: Any) -> None:
    monkeypatch.setattr(conveying, "TOGETHER", 3)
    waiting, platforms = Waiting(*(task(n) for n in range(7))), Platforms()
    carried(waiting, platforms, until=7)

    assert sorted(platforms.said) == [(NORTH, 1), (NORTH, 3), (NORTH, 3)]


def test_a_platform_that_does_not_answer_keeps_no_other_waiting(monkeypatch: Any) -> None:
    monkeypatch.setattr(conveying, "TOGETHER", 2)
    monkeypatch.setattr(conveying, "AT_ONE_PLATFORM", 1)
    south = [task(n, SOUTH) for n in range(5)]
    waiting, platforms = Waiting(*south, *(task(n) for n in range(5, 42))), Platforms()
    carried(waiting, platforms, until=42)

    before = platforms.said.index((SOUTH, 1))
    assert [one for one in platforms.said[:before] if one[0] == SOUTH] == [(SOUTH, 2), (SOUTH, 2)]
    assert sum(count for name, count in platforms.said[:before] if name == NORTH) == 37


@pytest.mark.parametrize("failing", [(2, 3), (1, 2, 3)], ids=["known", "not known yet"])
def test_nothing_is_sent_where_files_are_carried_while_the_books_do_not_answer(
    failing: tuple[int, ...], monkeypatch: Any
) -> None:
    monkeypatch.setattr(conveying, "LOOK_SECONDS", 0.02)
    waiting, platforms, looks = Waiting(task(0, SOUTH), task(1)), Platforms(), list[int]()

    def by_hand() -> list[str]:
        looks.append(len(looks) + 1)
        if looks[-1] == 4:
            waiting.left.append(task(2))
        if looks[-1] in failing:
            raise Unreachable("the database does not answer")
        return [SOUTH]

    carried(waiting, platforms, until=2, by_hand=by_hand)

    assert {platform for platform, _ in platforms.said} == {NORTH}
