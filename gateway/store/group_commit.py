"""Many small writes, one commit: what arrives while the disk is busy shares the next transaction.

A commit costs a flush to the disk, some milliseconds; a write costs some tens of microseconds. One that
fails leaves the others untouched. A write may be run twice, the first time without effect.

On PostgreSQL the transactions of several workers run at once. What is written here must bear that: unique
keys keep such writes apart, and one that a deadlock has ended is made once more, in a transaction of its own.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection

from gateway.store.database import Database
from gateway.store.dialects import is_conflict
from gateway.store.gathering import Gathering

__all__ = ["GroupCommit"]

T = TypeVar("T")

_Answer = tuple[Any, Exception | None]
_Write = Callable[[Connection], Any]
_Work = tuple[_Write, "Future[Any]"]


class GroupCommit(Gathering[_Write, Any]):
    """Runs writes in a thread of its own, those that wait together in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        super().__init__(self._commit, name="group-commit")

    def __enter__(self) -> "GroupCommit":
        return self

    def submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Have something written; the result is there once it is on the disk."""
        return self._put(work)

    def _commit(self, together: list[_Work]) -> None:
        """Commit some writes; if one of them fails, all are tried again, each in a savepoint of its own."""
        try:
            answers = self._tried(together, apart=False)
        except Exception:  # noqa: BLE001 - whose fault it was shows when each stands alone
            answers = self._apart(together)
        for (work, future), (result, failure) in zip(together, answers, strict=True):
            if failure is None:
                future.set_result(result)
            elif len(together) > 1 and is_conflict(failure):
                self._commit([(work, future)])
            else:
                future.set_exception(failure)

    def _apart(self, together: list[_Work]) -> list[_Answer]:
        try:
            return self._tried(together, apart=True)
        except Exception as error:  # noqa: BLE001 - the transaction itself failed: so did each write of it
            return [(None, error)] * len(together)

    def _tried(self, together: list[_Work], *, apart: bool) -> list[_Answer]:
        with self._database.write(alone=False) as connection:
            if not apart:
                return [(work(connection), None) for work, _ in together]
            return [self._in_savepoint(connection, work) for work, _ in together]

    def _in_savepoint(self, connection: Connection, work: Callable[[Connection], Any]) -> _Answer:
        try:
            with self._database.told(), connection.begin_nested():
                return work(connection), None
        except Exception as error:  # noqa: BLE001 - it is the answer to whoever asked for this write
            return None, error
