"""Bring the log up to the journal: what was decided is published, in the order it was decided."""

from gateway.errors import IntegrityBroken
from gateway.ports import Journal, Log

__all__ = ["publish_queue"]

ENTRIES_PER_APPEND = 4096  # one append holds its entries in memory; an entry has at most 64 KiB


def publish_queue(journal: Journal, log: Log) -> None:
    """Append every queued entry that the log does not have yet.

    Raises:
        IntegrityBroken: the log is longer than the journal: the database is older than the log.
    """
    length = journal.length()
    if log.size > length:
        raise IntegrityBroken(
            f"the log has {log.size} entries, the database knows {length}",
            remedy="an older database was put back: restore the newest tanqiao.db before anything is written",
        )
    while log.size < length:
        log.append(journal.queued(log.size, ENTRIES_PER_APPEND))
