"""Join the parts of webhooks: the desk that platforms speak to, and the courier that sends events."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

from gateway.app.base.home import OpenHome, open_home
from gateway.app.log.cosigning import cosigned_of
from gateway.app.serving.serve import Serving
from gateway.peers import Poster
from gateway.service.moments import instant_text
from gateway.service.webhooks.delivering import Courier
from gateway.service.witnesses.quorum import is_witnessed
from gateway.settings import read_settings
from gateway.store.serving.webhooks import SqlWebhooks
from gateway.store.sql.group_commit import GroupCommit
from gateway.transparency import BadSignature, read_checkpoint, read_note, read_policy

__all__ = ["notify"]

ASKED_SECONDS: Final = 0.5


def notify(serving: Serving, *, stop: Callable[[], bool]) -> None:
    """Send events to the endpoints of platforms until told to stop."""
    with open_home(serving.root) as opened, GroupCommit(opened.database) as writes:
        asyncio.run(_notify(opened, writes, stop=stop))


async def _notify(opened: OpenHome, writes: GroupCommit, *, stop: Callable[[], bool]) -> None:
    webhooks = SqlWebhooks(opened.database, writes)
    async with Poster(private=read_settings().private_webhooks) as post, asyncio.TaskGroup() as group:
        courier = Courier(
            webhooks=webhooks,
            post=post,
            signer=opened.http_signer(),
            clock=opened.clock,
            below=secrets.randbelow,
        )
        group.create_task(courier.run(stop=stop))
        group.create_task(_tell_of_receipts(opened, webhooks, stop=stop))


async def _tell_of_receipts(opened: OpenHome, webhooks: SqlWebhooks, *, stop: Callable[[], bool]) -> None:
    def step() -> None:
        webhooks.tell_witnessed(_witnessed_size(opened), now=instant_text(opened.clock.now()))

    while not stop():
        await asyncio.to_thread(step)
        await asyncio.sleep(ASKED_SECONDS)


def _witnessed_size(opened: OpenHome) -> int:
    """Return at which size the log has its quorum of witnesses, 0 where it never had."""
    policy = read_policy(opened.trust.policy())
    for note in (opened.log.checkpoint, cosigned_of(opened).witnessed()):
        try:
            if note and is_witnessed(policy, note):
                return read_checkpoint(read_note(note).text).tree_size
        except BadSignature:
            continue  # the file was altered; whoever gathers cosignatures writes it anew
    return 0
