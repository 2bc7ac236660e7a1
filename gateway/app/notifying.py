"""Join the parts of webhooks: the desk that platforms speak to, and the courier that sends events."""

import asyncio
import secrets
from collections.abc import Callable

from gateway.app.home import OpenHome, open_home
from gateway.app.serve import Serving
from gateway.peers import Poster
from gateway.service.delivering import Courier
from gateway.settings import read_settings
from gateway.store.group_commit import GroupCommit
from gateway.store.webhooks import SqlWebhooks

__all__ = ["notify"]


def notify(serving: Serving, *, stop: Callable[[], bool]) -> None:
    """Send events to the endpoints of platforms until told to stop."""
    with open_home(serving.root) as opened, GroupCommit(opened.database) as writes:
        asyncio.run(_notify(opened, writes, stop=stop))


async def _notify(opened: OpenHome, writes: GroupCommit, *, stop: Callable[[], bool]) -> None:
    async with Poster(private=read_settings().private_webhooks) as post:
        courier = Courier(
            webhooks=SqlWebhooks(opened.database, writes),
            post=post,
            signer=opened.http_signer(),
            clock=opened.clock,
            below=secrets.randbelow,
        )
        await courier.run(stop=stop)
