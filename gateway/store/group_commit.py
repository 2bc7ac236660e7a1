"""Many small writes, one commit: what arrives while the disk is busy shares the next transaction.

A commit costs a flush to the disk, some milliseconds; a write costs some tens of microseconds. One that
fails leaves the others untouched. A write may be run twice, the first time without effect.

On PostgreSQL the transactions of several workers run at once. What is written here must bear that: unique
keys keep such writes apart, and one that a deadlock has ended is made once more, in a transaction of its own.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection

from gateway.store.database import Database
from gateway.store.dialects import is_conflict

__all__ = ["GroupCommit"]

W = TypeVar("W")  # what is written
T = TypeVar("T")
TOGETHER_MAX: Final = 500  # writes of one transaction: none waits for more than so many others

_Answer = tuple[Any, Exception | None]


class _Work(NamedTuple):
    write: Callable[[Connection, Sequence[Any]], list[Any]]
    item: Any
    future: "Future[Any]"


class GroupCommit:
    """Runs writes in a thread of its own, those that wait together in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def __enter__(self) -> "GroupCommit":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Have something written; the result is there once it is on the disk."""
        return self.submit_item(lambda connection, _: [work(connection)], None)

    def submit_item(self, write: Callable[[Connection, Sequence[W]], list[T]], item: W) -> "Future[T]":
        """Have an item written by one call with the others that wait for the same ``write``.

        ``write`` returns a result for each item it is given, in their order.
        """
        future: Future[T] = Future()
        self._queue.put(_Work(write, item, future))
        return future

    def close(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            together, ended = self._waiting(first)
            self._commit(together)
            if ended:
                return

    def _waiting(self, first: _Work) -> tuple[list[_Work], bool]:
        together = [first]
        while len(together) < TOGETHER_MAX:
            try:
                work = self._queue.get_nowait()
            except Empty:
                break
            if work is None:
                return together, True
            together.append(work)
        return together, False

    def _commit(self, together: list[_Work]) -> None:
        """Commit some writes; if one of them fails, all are tried again, each in a savepoint of its own."""
        alike = _alike(together)
        try:
            answers = self._tried(alike, apart=False)
        except Exception:  # noqa: BLE001 - whose fault it was shows when each stands alone
            answers = self._apart(alike)
        for work, (result, failure) in zip(alike, answers, strict=True):
            if failure is None:
                work.future.set_result(result)
            elif len(alike) > 1 and is_conflict(failure):
                self._commit([work])
            else:
                work.future.set_exception(failure)

    def _apart(self, alike: list[_Work]) -> list[_Answer]:
        try:
            return self._tried(alike, apart=True)
        except Exception as error:  # noqa: BLE001 - the transaction itself failed: so did each write of it
            return [(None, error)] * len(alike)

    def _tried(self, alike: list[_Work], *, apart: bool) -> list[_Answer]:
        with self._database.write(alone=False) as connection:
            if apart:
                return [self._in_savepoint(connection, work) for work in alike]
            return [
                (result, None)
                for write, some in groupby(alike, key=attrgetter("write"))
                for result in write(connection, [work.item for work in some])
            ]

    def _in_savepoint(self, connection: Connection, work: _Work) -> _Answer:
        try:
            with self._database.told(), connection.begin_nested():
                (result,) = work.write(connection, [work.item])
        except Exception as error:  # noqa: BLE001 - it is the answer to whoever asked for this write
            return None, error
        return result, None


def _alike(together: list[_Work]) -> list[_Work]:
    """Bring those of the same write together; within each, who came first stays first."""
    by_write: dict[object, list[_Work]] = {}
    for work in together:
        by_write.setdefault(work.write, []).append(work)
    return [work for some in by_write.values() for work in some]
