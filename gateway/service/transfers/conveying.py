"""Send what waits in the outbox of transfers, platform beside platform, until told to stop.

Messages of one kind that wait for one platform at the same time go together in one request. None waits for
company: while nothing is under way to a platform, what is due is sent at once; while much is, more gathers.
Answers that come while others are taken up are taken up together, those of both platforms of a transfer too.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gateway.errors import GatewayError
from gateway.ports import OutboxTask, PlatformMessage, PlatformOutcome, PlatformPeers, Working, unwatched
from gateway.service.transfers.carrying import Carrier, Heard, Owed

__all__ = ["Conveyor"]

LEASE_SECONDS: Final = 30  # longer than a platform may take to answer
TOGETHER: Final = 200  # messages of one request: with the most lots that a quote has, they are just taken
TAKEN: Final = 2  # times as many are taken and looked up at once: a decision goes to two platforms
AT_ONCE: Final = 256  # requests of all platforms
AT_ONE_PLATFORM: Final = 4  # then no more is taken for it
POLL_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.5
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conveyor:
    """One worker of the outbox; any number of them may share it. A slow platform keeps no other waiting.

    ``by_hand`` names the platforms to which files are carried instead: nothing is sent to them.
    """

    carrier: Carrier
    peers: PlatformPeers
    working: Working = unwatched
    by_hand: Callable[[], Collection[str]] = tuple
    _heard: list[Heard] = field(default_factory=list)
    _hearing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, *, stop: Callable[[], bool]) -> None:
        """Send and look after what is due until told to stop; what is on its way then is waited for."""
        under_way: set[asyncio.Task[None]] = set()
        busy: Counter[str] = Counter()
        heard = asyncio.Event()
        loop, look_at = asyncio.get_running_loop(), 0.0
        by_hand: Collection[str] | None = None

        def ended(platform: str, sending: asyncio.Task[None]) -> None:
            under_way.discard(sending)
            busy[platform] -= 1
            heard.set()

        while not stop():
            if loop.time() >= look_at:
                by_hand = await asyncio.to_thread(self._look_after, by_hand)
                look_at = loop.time() + LOOK_SECONDS
            heard.clear()
            full = [platform for platform, requests in busy.items() if requests >= AT_ONE_PLATFORM]
            wanted = by_hand is not None and len(under_way) < AT_ONCE
            tasks = await asyncio.to_thread(self._take, [*full, *(by_hand or ())]) if wanted else []
            if not tasks:
                await _until(heard, seconds=POLL_SECONDS)
                continue
            made = asyncio.create_task(asyncio.to_thread(self._made, tasks))
            for platform, together in _together(tasks):
                sending = asyncio.create_task(self._send(platform, together, made=made))
                under_way.add(sending)
                busy[platform] += 1
                sending.add_done_callback(partial(ended, platform))
        if under_way:
            await asyncio.wait(under_way)

    def _take(self, without: Sequence[str]) -> list[OutboxTask]:
        now = int(self.carrier.clock.now().timestamp())
        return self.carrier.outbox.take(now=now, lease=LEASE_SECONDS, limit=TAKEN * TOGETHER, without=without)

    def _made(self, tasks: Sequence[OutboxTask]) -> dict[OutboxTask, Owed]:
        """Make the messages; what is not owed any more is ended."""
        owed = {one.task: one for one in self.carrier.owed(tasks)}
        past = set(tasks) - owed.keys()
        if past:
            self.carrier.outbox.end(sorted(past))
        return owed

    def _look_after(self, known: Collection[str] | None) -> Collection[str] | None:
        """Look after what is due; returns to whom nothing is sent for now: who was known where all fails."""
        try:
            known = self.by_hand()
            self.carrier.look_after()
        except GatewayError:
            _logger.exception("transfers that are due could not be looked after")
        return known

    async def _send(
        self, platform: str, tasks: Sequence[OutboxTask], *, made: "asyncio.Future[dict[OutboxTask, Owed]]"
    ) -> None:
        """Send messages of one kind; whatever goes wrong, they stay in the outbox until answered."""
        try:
            messages = await made
            owed = [messages[task] for task in tasks if task in messages]
            if not owed:
                return
            facts: dict[str, str | int] = {"platform": platform, "messages": len(owed)}
            transfers = [one.task.transfer for one in owed]
            with self.working(f"carry {tasks[0].message.kind}", facts=facts, transfers=transfers):
                outcomes = await self._said(platform, [one.message for one in owed])
                self._heard.extend(map(Heard, owed, outcomes))
                await self._take_up()
        except GatewayError:
            _logger.exception("messages are sent again later", extra={"platform": platform})

    async def _take_up(self) -> None:
        """Take up what was heard, unless somebody else has with what they had heard."""
        async with self._hearing:
            heard = self._heard.copy()
            self._heard.clear()
            if heard:
                await asyncio.to_thread(self.carrier.heard, heard)

    async def _said(self, platform: str, messages: Sequence[PlatformMessage]) -> list[PlatformOutcome]:
        if len(messages) == 1:
            return [await self.peers.send(platform, messages[0])]
        return await self.peers.send_all(platform, messages)


def _together(tasks: Sequence[OutboxTask]) -> list[tuple[str, list[OutboxTask]]]:
    """Return what goes together: messages of one kind to one platform, so many at most."""
    found: defaultdict[tuple[str, str], list[OutboxTask]] = defaultdict(list)
    for task in tasks:
        found[task.message.platform, task.message.kind].append(task)
    return [
        (platform, together[first : first + TOGETHER])
        for (platform, _), together in found.items()
        for first in range(0, len(together), TOGETHER)
    ]


async def _until(event: asyncio.Event, *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
