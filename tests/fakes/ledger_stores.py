"""Steps of transfers for tests of the stores of the ledger."""

from gateway.ledger import Reservation, Verdict
from gateway.ports import Decide, OutboxMessage, TransferChange, TransferStep

AT = 1_795_334_400  # 2026-11-22T08:00:00Z
RESERVED = TransferChange("RESERVED", due=AT + 30, messages=(OutboxMessage("to", "credit"),))
COMMITTED = TransferChange(
    "COMMITTED", messages=(OutboxMessage("from", "decision"), OutboxMessage("to", "decision"))
)
ABORTED = TransferChange("ABORTED", messages=(OutboxMessage("from", "decision"),))


def reserve(wanted: Reservation) -> TransferStep:
    return TransferStep(wanted.transfer, 0, AT, RESERVED, wanted, ABORTED)


def commit(transfer: str, *, version: int = 1) -> TransferStep:
    return TransferStep(transfer, version, AT, COMMITTED, Decide(Verdict.COMMIT))


def abort(transfer: str, *, version: int = 1) -> TransferStep:
    return TransferStep(transfer, version, AT, ABORTED, Decide(Verdict.ABORT, "expired"))
