"""Numbers of the outbox are used once."""

from pathlib import Path

from gateway.ledger import Verdict
from gateway.ports import Decide, OutboxMessage, TransferChange, TransferStep
from gateway.store.ledger.books import SqlLedger
from gateway.store.ledger.outbox import SqlOutbox
from gateway.store.sql.database import Database


def test_a_message_that_is_ended_late_does_not_end_a_newer_one(tmp_path: Path) -> None:
    database = Database(tmp_path / "tanqiao.db")
    outbox, message = SqlOutbox(database), (OutboxMessage("cn-000000/yunxi", "decision"),)
    with SqlLedger(database) as ledger:
        change = TransferChange("ABORTING", messages=message)
        ledger.run([TransferStep("t-1", 0, 0, change, Decide(Verdict.ABORT, "timed-out"))])
        first = outbox.take(now=0, lease=1, limit=9)
        again = outbox.take(now=2, lease=1, limit=9)
        outbox.end(first)
        ledger.run([TransferStep("t-2", 0, 0, change, Decide(Verdict.ABORT, "timed-out"))])
        outbox.end(again)

        left = outbox.take(now=0, lease=1, limit=9)

    database.close()
    assert [one.transfer for one in left] == ["t-2"]
