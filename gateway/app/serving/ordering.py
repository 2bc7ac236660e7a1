"""Join the parts of orders: a worker takes them, the sequencer carries them out."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from gateway.app.base.home import OpenHome
from gateway.app.base.mappings import journal_replayer
from gateway.app.records.claims import withdrawing
from gateway.app.records.links import first_epoch, person_keys
from gateway.errors import HomeBusy
from gateway.ports import RequestLimits
from gateway.service.receipts.proving import FoundRecord, find_record
from gateway.service.submitting.ordering import Desk, Orders
from gateway.service.submitting.taking import Submitting

__all__ = ["desk", "make_first_epoch", "orders"]

BUSY_SECONDS: Final = 1.0


def desk(opened: OpenHome, submitting: Submitting, *, link_limits: RequestLimits) -> Desk:
    """Return what takes orders."""
    return Desk(
        submitting=submitting,
        links=opened.journal.claims,
        index=opened.index,
        keys=partial(person_keys, opened),
        link_limits=link_limits,
    )


def orders(opened: OpenHome) -> Orders:
    """Return what carries orders out in a home that is open for writing."""

    def find(record: str, batch: int) -> FoundRecord:
        return find_record(
            record,
            records=opened.records,
            journal=opened.journal,
            replayer=journal_replayer(opened.journal),
            issuer=opened.facts.issuer,
            batch=batch,
        )

    return Orders(
        links=opened.journal.claims,
        find=find,
        withdrawing=partial(withdrawing, opened),
        clock=opened.clock,
    )


def make_first_epoch(root: Path, *, stop: Callable[[], bool]) -> None:
    """Make the first key of persons' pseudonyms as soon as nobody else writes to the home."""
    while not stop():
        try:
            first_epoch(root)
            return
        except HomeBusy:
            time.sleep(BUSY_SECONDS)
