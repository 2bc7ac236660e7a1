"""Join the parts that put decisions on transfers into the log."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.app.home import OpenHome, open_home
from gateway.errors import GatewayError
from gateway.service.logging_decisions import LoggingDecisions, is_due, log_decisions
from gateway.store.decision_log import SqlDecisionLog
from gateway.store.lately import Lately
from gateway.store.ledger import SqlLedgerReader

__all__ = ["decisions_due", "log_due_decisions", "logging_decisions", "publish_decisions"]

LOOKED_SECONDS: Final = 1.0
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


def decisions_due(opened: OpenHome) -> Callable[[], bool]:
    """Return what tells whether decisions wait for the log; it looks once in a while."""
    reader, batches = SqlLedgerReader(opened.database), SqlDecisionLog(opened.database)
    due = Lately[None, bool](
        lambda _: is_due(reader, batches, now=opened.clock.now()), seconds=LOOKED_SECONDS
    )
    return lambda: due(None)


def log_due_decisions(opened: OpenHome) -> Callable[[], int]:
    """Return what publishes decisions that wait long enough, tried once in a while.

    What is wrong with decisions stops nothing else: an audit names it.
    """
    parts = logging_decisions(opened)

    def publish(_: None) -> int:
        try:
            due = is_due(parts.reader, parts.batches, now=parts.clock.now())
            return log_decisions(parts) if due else 0
        except GatewayError:
            _logger.exception("decisions on transfers could not be put into the log")
            return 0

    lately = Lately[None, int](publish, seconds=LOOKED_SECONDS)
    return lambda: lately(None)
