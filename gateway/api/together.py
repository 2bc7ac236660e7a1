"""Do for many requests at once, in one thread, what would take a thread of its own for each."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from gateway.errors import LocalFileError, Unreachable

__all__ = ["Together"]

ALL: Final = 1 << 20  # more than a worker has requests
_AWAY: Final = (Unreachable, LocalFileError)
"""A database that does not answer, or not in time: each alone would only wait for the same."""
T = TypeVar("T")
U = TypeVar("U")


class Together(Generic[T, U]):
    """Hands what waits at the same moment to one call; what comes meanwhile waits for the next call.

    ``work`` returns an answer for each item in their order, or the error that this one alone gets; what it
    raises all of them get. ``repeatable`` work is then done again for each alone, so that none pays for
    another, save where a database is away. ``most`` items are handed over at once.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[U | Exception]],
        *,
        repeatable: bool = False,
        most: int = ALL,
    ) -> None:
        self._work = work
        self._repeatable = repeatable
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[U]]] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> U:
        """Return the answer to one item."""
        answer: asyncio.Future[U] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work_off())
        return await answer

    async def _work_off(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            answers = await run_in_threadpool(self._answers, [item for item, _ in together])
            for (_, waits), answer in zip(together, answers, strict=True):
                if waits.done():
                    continue  # whoever asked has left
                if isinstance(answer, Exception):
                    waits.set_exception(answer)
                else:
                    waits.set_result(answer)

    def _answers(self, items: Sequence[T]) -> Sequence[U | Exception]:
        try:
            answers = self._work(items)
        except Exception as error:  # noqa: BLE001 - each who waits is told
            if self._repeatable and len(items) > 1 and not isinstance(error, _AWAY):
                return [answer for item in items for answer in self._answers([item])]
            return [error] * len(items)
        if len(answers) != len(items):
            return [ValueError(f"{len(items)} items have {len(answers)} answers")] * len(items)
        return answers
