"""Send events to endpoints, each until it is taken or its last attempt has failed.

An attempt is written down after it was made: a courier that is killed in between makes it again, with the
same id, so an event arrives at least once. Every endpoint is served by a task of its own, so one that is
slow or dead keeps no other waiting.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.ports import Clock, Delivery, DeliveryState, Post, Posted, Sent, Webhook, Webhooks
from gateway.service.moments import instant_text
from gateway.signing import Signer, webhook_headers

__all__ = ["SCHEDULE_SECONDS", "Courier"]

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
SCHEDULE_SECONDS: Final = (
    5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""How long to wait after each failed attempt: ten attempts in three days. Up to a tenth is added to each."""

AT_ONCE: Final = 8  # requests to one endpoint; to one that fails, a single one
POLL_SECONDS: Final = 0.2
KEPT: Final = timedelta(days=30)
SWEEP: Final = timedelta(hours=1)
GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Sends what waits in ``webhooks``. ``below`` returns a random number from 0 to below its argument."""

    webhooks: Webhooks
    post: Post
    signer: Signer
    clock: Clock
    below: Callable[[int], int]
    schedule: tuple[int, ...] = SCHEDULE_SECONDS

    async def run(self, *, stop: Callable[[], bool]) -> None:
        """Send until told to stop; what is on its way then is sent again by the next courier."""
        serving: dict[str, asyncio.Task[None]] = {}
        sweep_at = self.clock.now()
        try:
            while not stop():
                for webhook in await asyncio.to_thread(self.webhooks.ready, self._now()):
                    if webhook.id not in serving:
                        serving[webhook.id] = asyncio.create_task(self.serve(webhook))
                if self.clock.now() >= sweep_at:
                    await asyncio.to_thread(self.webhooks.forget, instant_text(self.clock.now() - KEPT))
                    sweep_at = self.clock.now() + SWEEP
                await asyncio.sleep(POLL_SECONDS)
                for name in [name for name, task in serving.items() if task.done()]:
                    serving.pop(name).result()
        finally:
            for task in serving.values():
                task.cancel()
            await asyncio.gather(*serving.values(), return_exceptions=True)

    async def serve(self, webhook: Webhook) -> None:
        """Make one round of attempts at an endpoint: some at once, or a single one where it fails."""
        limit = 1 if webhook.failing else AT_ONCE
        while due := await asyncio.to_thread(self._due, webhook, limit):
            answers = await asyncio.gather(*(self._attempt(webhook, delivery) for delivery in due))
            if webhook.failing or not all(answers):
                return  # read it anew: it may take more at once now, or less

    def _due(self, webhook: Webhook, limit: int) -> list[Delivery]:
        return self.webhooks.due(webhook.id, now=self._now(), limit=limit)

    async def _attempt(self, webhook: Webhook, delivery: Delivery) -> bool:
        """Send a delivery and write down how that went; returns whether it was taken."""
        content = delivery.payload.encode()
        headers = webhook_headers(
            delivery.event, content, timestamp=self._now(), secret=webhook.secret, signer=self.signer
        )
        headers |= {"content-type": "application/json", "user-agent": "tanqiao-webhooks/1"}
        posted = await self.post(webhook.url, content=content, headers=headers)
        sent = self._after(delivery, posted)
        await asyncio.to_thread(self.webhooks.record, sent, now=instant_text(self.clock.now()))
        return sent.delivery.state is DeliveryState.DELIVERED

    def _after(self, delivery: Delivery, posted: Posted) -> Sent:
        """Return a delivery as it is after an attempt."""
        made = delivery.attempts + 1
        tried = delivery._replace(attempts=made, status=posted.status, detail=posted.detail, next_at=0)
        if 200 <= posted.status < 300:
            return Sent(tried._replace(state=DeliveryState.DELIVERED), "")
        if posted.status == GONE:
            gone = f"the endpoint answered {GONE}, it is gone"
            return Sent(tried._replace(state=DeliveryState.FAILED), gone)
        if made > len(self.schedule):
            return Sent(tried._replace(state=DeliveryState.FAILED), "")
        pause = self.schedule[made - 1]
        return Sent(tried._replace(next_at=self._now() + pause + self.below(pause // 10 + 1)), "")

    def _now(self) -> int:
        return int(self.clock.now().timestamp())
