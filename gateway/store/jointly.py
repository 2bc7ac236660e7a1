"""Ask one question for all who wait for its answer; no answer is older than who gets it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["Jointly"]

T = TypeVar("T")


class Jointly(Generic[T]):
    """Asks for all threads that came before the question; who comes while it is asked waits for the next."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._door = threading.Lock()
        self._asking = threading.Lock()
        self._next: Future[T] | None = None

    def __call__(self) -> T:
        """Return the answer to a question that was asked after this call began."""
        with self._door:
            first = self._next is None
            answer = self._next = self._next or Future()
        if first:
            with self._asking:
                self._give(answer)
        return answer.result()

    def _give(self, answer: "Future[T]") -> None:
        with self._door:
            self._next = None
        try:
            answer.set_result(self._ask())
        except BaseException as error:  # noqa: BLE001 - each who waits is told
            answer.set_exception(error)
