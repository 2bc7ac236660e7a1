"""Put decisions on transfers into the public log: a root over some of them, and where their chain is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.ledger import FIRST_PREVIOUS, Decision, require_chain
from gateway.model.canonical import canonical_bytes, digest
from gateway.model.statement import TransfersStatement
from gateway.ports import Clock, DecisionBatch, DecisionLog, Journal, LedgerReader, Log
from gateway.service.moments import instant_text
from gateway.service.publishing import PublishingRings, publish_queue
from gateway.signing import Signer, seal
from gateway.transparency import leaf_hash, root_of

__all__ = ["DECISIONS_MAX", "LoggingDecisions", "decision_leaf", "is_due", "log_decisions"]

DECISIONS_MAX: Final = 4096  # of one entry: as many are held at a time
WAIT_SECONDS: Final = 10  # an entry costs a checkpoint and the home's lock, whatever it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingDecisions:
    """What logging decisions needs; joined by ``gateway.app``, which has the home open for writing."""

    issuer: str
    reader: LedgerReader
    batches: DecisionLog
    journal: Journal
    log: Log
    signers: Sequence[Signer]
    rings: Callable[[], PublishingRings]
    clock: Clock


def is_due(reader: LedgerReader, batches: DecisionLog, *, now: datetime) -> bool:
    """Tell whether a decision has waited for its entry long enough."""
    last = batches.last()
    waiting = reader.decisions(after=0 if last is None else last.through, limit=1)
    return any((now - datetime.fromisoformat(one.decided)).total_seconds() >= WAIT_SECONDS for one in waiting)


def log_decisions(parts: LoggingDecisions) -> int:
    """Publish every decision that the log does not have yet; returns how many.

    Raises:
        IntegrityBroken: one does not name the one before it. What the log has signed cannot be taken back,
            so a changed decision stops here.
    """
    logged = 0
    last = parts.batches.last()
    while decisions := parts.reader.decisions(after=last.through if last else 0, limit=DECISIONS_MAX):
        last, entry = _batch(parts, decisions, last=last)
        parts.batches.add(last, entry)
        logged += last.size
    if logged:
        publish_queue(parts.journal, parts.log, rings=parts.rings)
    return logged


def decision_leaf(decision: Decision) -> bytes:
    """Return the leaf of a decision.

    It needs no salt: its document names the digest of the lots, whose names are random, and of the decision
    before it, so that nobody finds it by trying.
    """
    return leaf_hash(canonical_bytes(decision.document()))


def _batch(
    parts: LoggingDecisions, decisions: Sequence[Decision], *, last: DecisionBatch | None
) -> tuple[DecisionBatch, bytes]:
    chain = require_chain(decisions, previous=FIRST_PREVIOUS if last is None else last.chain)
    sequence, previous = (0, "") if last is None else (last.sequence + 1, last.entry_digest)
    root, issued = root_of(map(decision_leaf, decisions)), instant_text(parts.clock.now())
    statement = TransfersStatement(
        parts.issuer, sequence, previous, root.hex(), len(decisions), chain, issued
    )
    entry = seal(statement.body(), parts.signers)
    number = decisions[-1].number
    return DecisionBatch(sequence, number, len(decisions), root, chain, digest(entry), issued), entry
