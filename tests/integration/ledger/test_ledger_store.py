"""The ledger's store: what the pure books say, kept, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from gateway.ledger import Replay, require_chain, require_whole
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger, SqlLedgerReader
from tests.fakes.ledger_stores import abort, commit, reserve
from tests.fakes.ledgers import A, B, limited, lot, moving

pytestmark = pytest.mark.xdist_group("servers")


@pytest.fixture
def ledger(database: Database) -> Iterator[SqlLedger]:
    with SqlLedger(database) as ledger:
        ledger.limit(limited(100))
        yield ledger


@pytest.fixture
def reader(database: Database) -> SqlLedgerReader:
    return SqlLedgerReader(database)


def require_rebuilt(reader: SqlLedgerReader) -> None:
    """The journal rebuilds every balance, lot usage, position, day limit and window (I12)."""
    head, book, windows = reader.standing()
    replay = Replay()
    for entry in reader.journal(head.number):
        assert replay.apply(entry.event) == entry.postings
    assert replay.book == book
    assert replay.windows == windows
    require_whole(book)
    assert require_chain(reader.decisions(after=0, limit=10**6)) == head.decision


def test_a_transfer_is_reserved_and_committed(ledger: SqlLedger, reader: SqlLedgerReader) -> None:
    wanted = moving("tr_1", 60, of=lot(mg=100), recognised=50)

    reserved = ledger.submit(reserve(wanted)).result()
    assert (reserved.done, reserved.version, reserved.state, reserved.decision) == (True, 1, "RESERVED", None)
    assert reader.reservation("tr_1") == wanted
    assert [one.id for one in reader.due(now=2**40, limit=9)] == ["tr_1"]
    taken = ledger.submit(commit("tr_1")).result()

    assert taken.decision == reader.decision("tr_1")
    assert taken.decision is not None
    assert (taken.decision.verdict, taken.decision.window, taken.decision.decided) == (
        "COMMIT",
        1,
        "2026-11-22T08:00:00Z",
    )
    assert reader.standing().book.lots["tr_1/0"].platform == B
    assert reader.due(now=2**40, limit=9) == []
    require_rebuilt(reader)
