"""Wait for results: one question for all who wait, not one for each."""

import asyncio
from typing import Final

from starlette.concurrency import run_in_threadpool

from gateway.ports import Operation, Operations

__all__ = ["Waiting"]

POLL_SECONDS: Final = 0.02


class Waiting:
    """Those who wait for operations, in one worker."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._waiting: dict[str, list[asyncio.Future[Operation]]] = {}
        self._watching: asyncio.Task[None] | None = None

    async def result(self, operation: Operation, *, seconds: float) -> Operation:
        """Return an operation once it is done or has failed, or as it is after so many seconds."""
        future: asyncio.Future[Operation] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(operation.id, []).append(future)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return operation
        finally:
            self._leave(operation.id, future)

    def _leave(self, operation_id: str, future: "asyncio.Future[Operation]") -> None:
        others = self._waiting.get(operation_id, [])
        if future in others:
            others.remove(future)
        if not others:
            self._waiting.pop(operation_id, None)

    async def _watch(self) -> None:
        while self._waiting:
            await asyncio.sleep(POLL_SECONDS)
            for operation in await run_in_threadpool(self._operations.finished, list(self._waiting)):
                for future in self._waiting.pop(operation.id, []):
                    if not future.done():
                        future.set_result(operation)
