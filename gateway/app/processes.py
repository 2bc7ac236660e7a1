"""The processes of the service: workers, a sequencer, one that asks witnesses; what ends is started again."""

import logging
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from typing import Final

import uvicorn

from gateway.api import application
from gateway.app.cosigning import gather
from gateway.app.listening import listening
from gateway.app.serve import Serving, api_parts, sequence

__all__ = ["serve"]

RESTART_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 0.2
GRACE_SECONDS: Final = 20
_logger = logging.getLogger(__name__)

_Jobs = dict[str, Callable[[], None]]


def serve(serving: Serving) -> None:
    """Serve a home until interrupted.

    Raises:
        LocalFileError: there is no home, or the port is taken.
        IntegrityBroken: the home contradicts itself; nothing listens then.
    """
    with api_parts(serving):  # what is wrong with the home is told before anything listens
        pass
    with listening(serving.host, serving.port) as opened:
        jobs: _Jobs = {
            "sequencer": partial(_run_sequencer, serving),
            "witnesses": partial(_run_gathering, serving),
        }
        for number in range(serving.workers):
            jobs[f"worker-{number}"] = partial(_run_worker, serving, opened)
        _supervise(jobs, stopped=_until_told())


def _until_told() -> Callable[[], bool]:
    """Return what tells whether a signal asked this process to stop."""
    told = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal told
        told = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return lambda: told


def _supervise(jobs: _Jobs, *, stopped: Callable[[], bool]) -> None:
    running = {name: _started(name, job) for name, job in jobs.items()}
    try:
        while not stopped():
            time.sleep(WATCH_SECONDS)
            for name in [name for name, process in running.items() if not process.is_alive()]:
                _logger.error("%s ended with %s and is started again", name, running[name].exitcode)
                time.sleep(RESTART_SECONDS)
                running[name] = _started(name, jobs[name])
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join(GRACE_SECONDS)


def _started(name: str, job: Callable[[], None]) -> SpawnProcess:
    process = get_context("spawn").Process(target=job, name=name)
    process.start()
    return process


def _run_worker(serving: Serving, opened: socket.socket) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's interrupt is the supervisor's to pass on
    with api_parts(serving) as parts:
        config = uvicorn.Config(
            application(parts),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=GRACE_SECONDS // 2,
            limit_concurrency=4000,
        )
        uvicorn.Server(config).run(sockets=[opened])


def _run_sequencer(serving: Serving) -> None:
    stopped = _until_told()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sequence(serving, stop=stopped)


def _run_gathering(serving: Serving) -> None:
    stopped = _until_told()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gather(serving.root, stop=stopped)
