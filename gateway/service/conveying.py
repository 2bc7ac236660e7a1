"""Send what waits in the outbox of transfers, platform beside platform, until told to stop."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError
from gateway.ports import OutboxTask, PlatformPeers
from gateway.service.carrying import Carrier

__all__ = ["Conveyor"]

LEASE_SECONDS: Final = 30  # longer than a platform may take to answer
AT_ONCE: Final = 64
POLL_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.5
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conveyor:
    """One worker of the outbox; any number of them may share it. A slow platform keeps no other waiting."""

    carrier: Carrier
    peers: PlatformPeers

    async def run(self, *, stop: Callable[[], bool]) -> None:
        """Send and look after what is due until told to stop; what is on its way then is waited for."""
        under_way: set[asyncio.Task[None]] = set()
        loop, look_at = asyncio.get_running_loop(), 0.0
        while not stop():
            if loop.time() >= look_at:
                await asyncio.to_thread(self._look_after)
                look_at = loop.time() + LOOK_SECONDS
            tasks = await asyncio.to_thread(self._take, AT_ONCE - len(under_way))
            for task in tasks:
                sending = asyncio.create_task(self._send(task))
                under_way.add(sending)
                sending.add_done_callback(under_way.discard)
            if not tasks:
                await asyncio.sleep(POLL_SECONDS)
        if under_way:
            await asyncio.wait(under_way)

    def _take(self, limit: int) -> list[OutboxTask]:
        if limit <= 0:
            return []
        now = int(self.carrier.clock.now().timestamp())
        return self.carrier.outbox.take(now=now, lease=LEASE_SECONDS, limit=limit)

    def _look_after(self) -> None:
        try:
            self.carrier.look_after()
        except GatewayError:
            _logger.exception("transfers that are due could not be looked after")

    async def _send(self, task: OutboxTask) -> None:
        """Send one message; whatever goes wrong, it stays in the outbox until it is answered."""
        try:
            message = await asyncio.to_thread(self.carrier.message, task)
            if message is None:
                await asyncio.to_thread(self.carrier.outbox.end, [task])
                return
            outcome = await self.peers.send(task.message.platform, message)
            await asyncio.to_thread(lambda: self.carrier.heard(task, message, outcome=outcome))
        except GatewayError:
            _logger.exception("a message is sent again later", extra={"transfer": task.transfer})
