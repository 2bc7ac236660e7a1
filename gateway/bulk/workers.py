"""Run a function over jobs in worker processes and give the results back in the order of the jobs.

The function and the jobs are sent to fresh processes, which hold nothing of this one: no database, no
lock, no key that the function does not carry. A worker whose parent is killed ends by itself.
"""

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any, Final, TypeVar

__all__ = ["in_processes", "in_this_process"]

Job = TypeVar("Job")
Result = TypeVar("Result")

AHEAD: Final = 1  # jobs that wait beside those being worked on; more would only fill the memory

_installed: list[Callable[[Any], Any]] = []  # of a worker process: what it was started for


def in_this_process(function: Callable[[Job], Result], jobs: Iterator[Job]) -> Iterator[tuple[Job, Result]]:
    """Yield each job with its result; for work that is too small for another process."""
    for job in jobs:
        yield job, function(job)


def in_processes(
    function: Callable[[Job], Result], jobs: Iterator[Job], *, workers: int
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with its result, in order, while workers go ahead of the consumer."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_install, initargs=(function,)) as pool:
        waiting: deque[tuple[Job, Future[Result]]] = deque()
        try:
            for job in jobs:
                waiting.append((job, pool.submit(_run, job)))
                if len(waiting) > workers + AHEAD:
                    done, result = waiting.popleft()
                    yield done, result.result()
            while waiting:
                done, result = waiting.popleft()
                yield done, result.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _install(function: Callable[[Any], Any]) -> None:
    gc.disable()  # columns make no cycles; the collector would walk them again and again
    _installed.append(function)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _run(job: Any) -> Any:  # noqa: ANN401 - the pool knows no types
    return _installed[0](job)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
