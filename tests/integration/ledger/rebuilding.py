"""The journal rebuilds the books."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.ledger import Replay, require_chain, require_whole
from gateway.store.ledger.books import SqlLedgerReader
from gateway.store.ledger.rebuild import RebuiltBooks
from gateway.store.sql.database import Database


def require_rebuilt_apart(database: Database, *, entries: int) -> None:
    """Rebuild the books in another database, some entries in one transaction, and compare every row (I12)."""
    with (
        TemporaryDirectory() as folder,
        closing(Database(Path(folder) / "scratch.db")) as scratch,
        RebuiltBooks(database, scratch, entries=entries) as rebuilt,
    ):
        assert [found for found in rebuilt.replay() if found] == []
        assert list(rebuilt.differing()) == []


def require_rebuilt(reader: SqlLedgerReader) -> None:
    """Rebuild every balance, lot usage, position, day limit and window from the journal (I12)."""
    head, book, windows = reader.standing()
    replay = Replay()
    for entry in reader.journal(head.number):
        assert replay.apply(entry.event) == entry.postings
    assert replay.book == book
    assert replay.windows == windows
    require_whole(book)
    assert require_chain(reader.decisions(after=0, limit=10**6)) == head.decision
