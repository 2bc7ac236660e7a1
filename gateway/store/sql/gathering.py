"""A thread that takes together what waits together: one commit for all of it."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Generic, TypeVar

__all__ = ["Gathering", "Works"]

W = TypeVar("W")
A = TypeVar("A")
TOGETHER_MAX: Final = 500  # works of one transaction, save the last ones put together: none waits for more

Works = list[tuple[W, Future[A]]]


class Gathering(Generic[W, A]):
    """Hands works over in the order of their arrival, those that wait at the same time together."""

    def __init__(self, commit: "Callable[[Works[W, A]], None]", *, name: str) -> None:
        """``commit`` gives each future its result or its exception, and itself raises nothing."""
        self._commit_together = commit
        self._queue: SimpleQueue[Works[W, A] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _put(self, work: W) -> "Future[A]":
        return self._put_all([work])[0]

    def _put_all(self, works: Sequence[W]) -> "list[Future[A]]":
        """Queue works that shall be taken together."""
        queued: Works[W, A] = [(work, Future()) for work in works]
        if queued:
            self._queue.put(queued)
        return [future for _, future in queued]

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            together, ended = self._waiting(first)
            self._commit_together(together)
            if ended:
                return

    def _waiting(self, first: "Works[W, A]") -> "tuple[Works[W, A], bool]":
        together = list(first)
        while len(together) < TOGETHER_MAX:
            try:
                work = self._queue.get_nowait()
            except Empty:
                break
            if work is None:
                return together, True
            together += work
        return together, False
