"""Join the parts of transfers: what starts and shows them, and what carries them out."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.mappings import Versions
from gateway.app.transfers.quoting import quoting
from gateway.model.shape import Shape
from gateway.peers import HttpPlatforms, LineLimits, LineParts
from gateway.ports import Clock, PlatformEndpoint, Way, Working, unwatched
from gateway.recognition import day_of
from gateway.resources import schema
from gateway.service.agreements.book import AgreementBook
from gateway.service.transfers.answering import Answering
from gateway.service.transfers.carrying import Carrier
from gateway.service.transfers.conveying import Conveyor
from gateway.service.transfers.transferring import Transferring
from gateway.settings import read_settings
from gateway.store.ledger.books import SqlLedger, SqlLedgerReader
from gateway.store.ledger.moves import LedgerLotBook, SqlAddresses, SqlDialects, SqlMoveIndex, day_keys
from gateway.store.ledger.outbox import SqlOutbox
from gateway.store.ledger.requests import SqlRequests
from gateway.store.serving.platforms import SqlPlatforms

__all__ = ["answering", "carrier", "convey", "conveyor", "transferring"]

QUICK = LineLimits(request_seconds=4, message_seconds=9)  # the outbox repeats what is not answered by then


def transferring(
    opened: OpenHome, ledger: SqlLedger, *, versions: Versions, clock: Clock | None = None
) -> Transferring:
    """Return what starts and shows transfers."""
    database = opened.database
    return Transferring(
        quoting=quoting(
            opened,
            book=LedgerLotBook(
                SqlLedgerReader(database),
                SqlMoveIndex(database),
                central_day_mg=read_settings().central_day_mg,
            ),
            versions=versions,
            clock=clock,
        ),
        ledger=ledger,
        reader=SqlLedgerReader(database),
        requests=SqlRequests(database),
        index=SqlMoveIndex(database),
        platforms=SqlPlatforms(database),
        names=opened.index(),
        ring=lambda: (opened.trust.ring(), opened.log.size),
        shape=Shape(schema("quote")),
        clock=clock or opened.clock,
        dialects=SqlDialects(database),
    )


def carrier(opened: OpenHome, ledger: SqlLedger, *, clock: Clock | None = None) -> Carrier:
    """Return what takes the steps of transfers."""
    database = opened.database
    return Carrier(
        ledger=ledger,
        reader=SqlLedgerReader(database),
        outbox=SqlOutbox(database),
        index=SqlMoveIndex(database),
        agreements=AgreementBook(opened.journal.corridors),
        day_keys=lambda person, corridor, now: day_keys(person, corridor, day=day_of(now)),
        central_day_mg=read_settings().central_day_mg,
        signers=opened.record_signers(),
        clock=clock or opened.clock,
        below=secrets.randbelow,
    )


def answering(opened: OpenHome, ledger: SqlLedger, *, clock: Clock | None = None) -> Answering:
    """Return what takes answers that come later than the question."""
    return Answering(carrier=carrier(opened, ledger, clock=clock), dialects=SqlDialects(opened.database))


def convey(root: Path, *, stop: Callable[[], bool], working: Working = unwatched) -> None:
    """Carry transfers out until told to stop."""
    with open_home(root) as opened, conveyor(opened, working=working) as conveying:
        asyncio.run(conveying(stop))


@contextmanager
def conveyor(
    opened: OpenHome, *, clock: Clock | None = None, working: Working = unwatched
) -> Iterator[Callable[[Callable[[], bool]], Coroutine[None, None, None]]]:
    """Give what carries the transfers of a home out, to be run in an event loop."""
    with SqlLedger(opened.database) as ledger:
        carrying = carrier(opened, ledger, clock=clock)
        by_hand = partial(SqlDialects(opened.database).by, Way.FILE)

        async def run(stop: Callable[[], bool]) -> None:
            parts = LineParts(
                signer=opened.http_signer(),
                clock=clock or opened.clock,
                new_nonce=lambda: secrets.token_urlsafe(18),
                below=secrets.randbelow,
                private=read_settings().private_webhooks,
                limits=QUICK,
            )
            async with HttpPlatforms(_endpoints(opened), parts) as peers:
                await Conveyor(carrier=carrying, peers=peers, working=working, by_hand=by_hand).run(stop=stop)

        yield run


def _endpoints(opened: OpenHome) -> Callable[[str], PlatformEndpoint | None]:
    addresses, platforms = SqlAddresses(opened.database), SqlPlatforms(opened.database)

    def endpoint(platform: str) -> PlatformEndpoint | None:
        url = addresses.url(platform)
        if url is None:
            return None
        keys = {key.id: key.public for key in platforms.keys(platform) if key.revoked is None}
        return PlatformEndpoint(platform, url, keys)

    return endpoint
