"""The journal rebuilds the books."""

from gateway.ledger import Replay, require_chain, require_whole
from gateway.store.ledger import SqlLedgerReader


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
