"""Many small writes, one commit: what arrives while the disk is busy shares the next transaction.

A commit costs a flush to the disk, some milliseconds; a write costs some tens of microseconds. One that
fails leaves the others untouched. A write may be run twice, the first time without effect.

On PostgreSQL the transactions of several workers run at once. What is written here must bear that: unique
keys keep such writes apart, and one that a deadlock has ended is made once more, in a transaction of its own.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from gateway.store.sql.database import Database
from gateway.store.sql.dialects import is_conflict
from gateway.store.sql.gathering import Gathering

__all__ = ["GroupCommit"]

W = TypeVar("W")  # what is written
T = TypeVar("T")

_Answer = tuple[Any, Exception | None]


class _Item(NamedTuple):
    write: Callable[[Connection, Sequence[Any]], list[Any]]
    item: Any


_Work = tuple[_Item, "Future[Any]"]


class GroupCommit(Gathering[_Item, Any]):
    """Runs writes in a thread of its own, those that wait together in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        super().__init__(self._commit, name="group-commit")

    def __enter__(self) -> "GroupCommit":
        return self

    def submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Have something written; the result is there once it is on the disk."""
        return self.submit_item(lambda connection, _: [work(connection)], None)

    def submit_item(self, write: Callable[[Connection, Sequence[W]], list[T]], item: W) -> "Future[T]":
        """Have an item written by one call with the others that wait for the same ``write``.

        ``write`` returns a result for each item it is given, in their order.
        """
        return self._put(_Item(write, item))

    def _commit(self, together: list[_Work]) -> None:
        """Commit some writes; if one of them fails, all are tried again, each in a savepoint of its own."""
        alike = _alike(together)
        try:
            answers = self._tried(alike, apart=False)
        except Exception:  # noqa: BLE001 - whose fault it was shows when each stands alone
            answers = self._apart(alike)
        for (item, future), (result, failure) in zip(alike, answers, strict=True):
            if failure is None:
                future.set_result(result)
            elif len(alike) > 1 and is_conflict(failure):
                self._commit([(item, future)])
            else:
                future.set_exception(failure)

    def _apart(self, alike: list[_Work]) -> list[_Answer]:
        try:
            return self._tried(alike, apart=True)
        except Exception as error:  # noqa: BLE001 - the transaction itself failed: so did each write of it
            return [(None, error)] * len(alike)

    def _tried(self, alike: list[_Work], *, apart: bool) -> list[_Answer]:
        items = [item for item, _ in alike]
        with self._database.write(alone=False) as connection:
            if apart:
                return [self._in_savepoint(connection, one) for one in items]
            return [
                (result, None)
                for write, some in groupby(items, key=lambda one: one.write)
                for result in write(connection, [one.item for one in some])
            ]

    def _in_savepoint(self, connection: Connection, one: _Item) -> _Answer:
        try:
            with self._database.told(), connection.begin_nested():
                (result,) = one.write(connection, [one.item])
        except Exception as error:  # noqa: BLE001 - it is the answer to whoever asked for this write
            return None, error
        return result, None


def _alike(together: list[_Work]) -> list[_Work]:
    """Bring those of the same write together; within each, who came first stays first."""
    by_write: dict[object, list[_Work]] = {}
    for work in together:
        by_write.setdefault(work[0].write, []).append(work)
    return [work for some in by_write.values() for work in some]
