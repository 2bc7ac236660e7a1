"""Join the parts that put decisions on transfers into the log."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.app.base.home import OpenHome, open_home
from gateway.errors import GatewayError, NotFound
from gateway.model.canonical import Json
from gateway.model.shape import Shape
from gateway.resources import schema
from gateway.service.transfers.decision_receipts import DecisionVerifier, make_decision_receipt
from gateway.service.transfers.logging_decisions import LoggingDecisions, is_due, log_decisions
from gateway.signing import KeyRing
from gateway.store.files.inputs import read_small
from gateway.store.ledger.books import SqlLedgerReader
from gateway.store.ledger.decision_log import SqlDecisionLog
from gateway.transparency import read_policy

__all__ = [
    "DecisionDuty",
    "decision_receipt",
    "logging_decisions",
    "publish_decisions",
    "verify_decision",
]

LOOK_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 60.0
_logger = logging.getLogger(__name__)


def logging_decisions(opened: OpenHome) -> LoggingDecisions:
    """Return the parts of logging decisions; the home is open for writing."""
    return LoggingDecisions(
        issuer=opened.facts.issuer,
        reader=SqlLedgerReader(opened.database),
        batches=SqlDecisionLog(opened.database),
        journal=opened.journal,
        log=opened.log,
        signers=opened.record_signers(),
        rings=opened.publishing_rings,
        clock=opened.clock,
    )


def publish_decisions(root: Path) -> dict[str, object]:
    """Publish every decision that does not stand in the log yet."""
    with open_home(root, writing=True) as opened:
        return {"decisions": log_decisions(logging_decisions(opened)), "log_entries": opened.log.size}


def decision_receipt(root: Path, transfer: str) -> bytes:
    """Return what proves the decision on a transfer.

    Raises:
        NotFound: nothing was decided about it, or the decision does not stand in the log yet.
    """
    with open_home(root) as opened:
        reader = SqlLedgerReader(opened.database)
        decision = reader.decision(transfer)
        if decision is None:
            raise NotFound(f"nothing was decided about {transfer}", field=transfer)
        batches = SqlDecisionLog(opened.database)
        return make_decision_receipt(decision, reader=reader, batches=batches, log=opened.log)


def verify_decision(receipt: Path, trust: Path) -> dict[str, Json]:
    """Verify the receipt of a decision under a folder of trust files, and return the decision."""
    verifier = DecisionVerifier(
        policy=read_policy(read_small(trust / "policy")),
        ring=KeyRing.parse(read_small(trust / "keys.json")),
        receipt_shape=Shape(schema("decision-receipt")),
        statement_shape=Shape(schema("statement")),
    )
    return verifier.verify(read_small(receipt).rstrip(b"\n"))


class DecisionDuty:
    """Publishes decisions that have waited long enough, looked for once in a while.

    What is wrong with decisions stops nothing else: it is tried again after a minute, and an audit names it.
    """

    def __init__(self, opened: OpenHome) -> None:
        self._reader = SqlLedgerReader(opened.database)
        self._batches = SqlDecisionLog(opened.database)
        self._clock = opened.clock
        self._look_at = 0.0

    def is_due(self) -> bool:
        """Tell whether there is something to publish."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        with self._later_if_wrong():
            if is_due(self._reader, self._batches, now=self._clock.now()):
                return True
            self._look_at = now + LOOK_SECONDS
        return False

    def publish(self, parts: LoggingDecisions) -> None:
        """Publish what is due."""
        if self.is_due():
            with self._later_if_wrong():
                log_decisions(parts)

    @contextmanager
    def _later_if_wrong(self) -> Iterator[None]:
        try:
            yield
        except GatewayError:
            _logger.exception("decisions on transfers could not be put into the log")
            self._look_at = time.monotonic() + AGAIN_SECONDS
