"""The processes of the service: workers, a sequencer, one that asks witnesses; what ends is started again."""

import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing import connection, current_process, get_context, parent_process
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

import uvicorn

from gateway.api import application
from gateway.app.base.collecting import collect_seldom
from gateway.app.base.listening import BACKLOG, listening
from gateway.app.log.cosigning import gather
from gateway.app.serving.connections import bounded_connection
from gateway.app.serving.logs import write_logs
from gateway.app.serving.metrics import figures_folder
from gateway.app.serving.notifying import notify
from gateway.app.serving.serve import Serving, api_parts, sequence
from gateway.app.serving.telemetry import require_traces, tracing
from gateway.app.transfers.moving import convey

__all__ = ["end", "serve"]

RESTART_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 0.2
GRACE_SECONDS: Final = 20
SEQUENCER: Final = "sequencer"
SPARE_DESCRIPTORS: Final = 512
_logger = logging.getLogger(__name__)

_Jobs = dict[str, Callable[[], None]]


def serve(serving: Serving) -> None:
    """Serve a home until interrupted.

    Raises:
        LocalFileError: there is no home, the port is taken, or a setting cannot be used.
        IntegrityBroken: the home contradicts itself; nothing listens then.
    """
    require_traces()
    with api_parts(replace(serving, settings=replace(serving.settings, metrics=False))):
        pass  # what is wrong with the home is told before anything listens
    settings = serving.settings
    write_logs(settings.log_level)
    start = partial(_started, log_level=settings.log_level)
    with listening(serving.host, serving.port) as opened, figures_folder(settings.metrics):
        jobs: _Jobs = {
            SEQUENCER: partial(_run_sequencer, serving),
            "courier": partial(_run_courier, serving),
            "transfers": partial(_run_conveying, serving),
            "witnesses": partial(_run_gathering, serving),
        }
        for number in range(serving.workers):
            jobs[f"worker-{number}"] = partial(_run_worker, serving, opened)
        stopped, interrupted = _until_told(signal.SIGTERM), _until_told(signal.SIGINT)
        asked = _Asked(stopped, interrupted)
        _supervise(jobs, start, asked=asked, leave=opened.close, drain_seconds=settings.drain_seconds)


class _Asked(NamedTuple):
    """Whether a process was asked to stop, and whether by an interrupt, that is at once."""

    stop: Callable[[], bool]
    interrupt: Callable[[], bool]


def _until_told(wanted: signal.Signals) -> Callable[[], bool]:
    """Return what tells whether a signal asked this process to stop."""
    told = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal told
        told = True

    signal.signal(wanted, stop)
    return lambda: told


def _supervise(
    jobs: _Jobs,
    start: Callable[[str, Callable[[], None]], SpawnProcess],
    *,
    asked: _Asked,
    leave: Callable[[], None],
    drain_seconds: int,
) -> None:
    """Keep the jobs running until told to stop; the sequencer ends last, so that what waits is answered."""
    running = {name: start(name, job) for name, job in jobs.items()}
    try:
        while not (asked.stop() or asked.interrupt()):
            time.sleep(WATCH_SECONDS)
            for name in [name for name, process in running.items() if not process.is_alive()]:
                _logger.error("%s ended with %s and is started again", name, running[name].exitcode)
                time.sleep(RESTART_SECONDS)
                running[name] = start(name, jobs[name])
    finally:
        leave()
        if asked.interrupt():
            _interrupt(running.values())
        sequencer = running.pop(SEQUENCER, None)
        end(list(running.values()), seconds=drain_seconds + GRACE_SECONDS)
        end([] if sequencer is None else [sequencer], seconds=GRACE_SECONDS)


def _interrupt(processes: Iterable[SpawnProcess]) -> None:
    """Pass an interrupt on: a terminal sends it to all, but who sends it to one process means the service."""
    for process in processes:
        if process.pid is not None and process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)


def end(processes: Sequence[SpawnProcess], *, seconds: int) -> None:
    """Have processes stop, all within some seconds; one that does not is killed, which loses nothing."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + seconds
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            _logger.warning("%s did not stop within %d s and is killed", process.name, seconds)
            process.kill()
            process.join()


def _started(name: str, job: Callable[[], None], *, log_level: str) -> SpawnProcess:
    process = get_context("spawn").Process(target=_told, args=(job, log_level), name=name)
    process.start()
    return process


def _told(job: Callable[[], None], log_level: str) -> None:
    """Run a job; what ends it goes to the log, which writes nothing that a foreign error quotes."""
    write_logs(log_level)
    _show_name()
    collect_seldom()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's interrupt is the supervisor's to pass on
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    try:
        job()
    except Exception as error:
        _logger.error("a process of the service ended", exc_info=error)
        raise SystemExit(1) from None


def _show_name() -> None:
    """Have the system's tools show which process this is, where they can be told."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(f"tq-{current_process().name}", "ascii")  # 15 characters are kept


def _end_with_supervisor() -> None:
    """Stop as if told to, once the supervisor is gone: nobody else would ever stop this process."""
    supervisor = parent_process()
    if supervisor is not None:
        connection.wait([supervisor.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _run_worker(serving: Serving, opened: socket.socket) -> None:
    settings = serving.settings
    _require_descriptors(settings.connections)
    with api_parts(serving) as parts, tracing() as traces:
        http = bounded_connection(settings.connections, settings.head_seconds)
        stopping: list[str] = []
        config = uvicorn.Config(
            application(replace(parts, ready=lambda: [*parts.ready(), *stopping], tracer=traces.tracer)),
            http=http,  # type: ignore[arg-type]  # called like the class that uvicorn expects
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=GRACE_SECONDS // 2,
        )
        _Worker(config, seconds=settings.drain_seconds, stopping=stopping).run(sockets=[opened])


class _Worker(uvicorn.Server):
    """A server that says for a while that it stops before it does: load balancers take it out meanwhile."""

    def __init__(self, config: uvicorn.Config, *, seconds: int, stopping: list[str]) -> None:
        super().__init__(config)
        self._seconds = seconds
        self._stopping = stopping
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Begin to stop; a second signal, or an interrupt, stops once what is under way is answered."""
        if sig == signal.SIGTERM and self._stop_at is None:
            self._stop_at = time.monotonic() + self._seconds
            self._stopping.append("it is stopping")
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Stop when it is time."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)


def _require_descriptors(connections: int) -> None:
    """Have room for so many connections beside the files of the home."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and wanted > hard:
        _logger.warning(
            "TANQIAO_CONNECTIONS_MAX %d needs %d open files, %d are allowed", connections, wanted, hard
        )
        wanted = hard
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run_sequencer(serving: Serving) -> None:
    with tracing() as traces:
        sequence(serving, stop=_until_told(signal.SIGTERM), worked=traces.worked)


def _run_courier(serving: Serving) -> None:
    notify(serving, stop=_until_told(signal.SIGTERM))


def _run_conveying(serving: Serving) -> None:
    with tracing() as traces:
        convey(serving.root, stop=_until_told(signal.SIGTERM), working=traces.working)


def _run_gathering(serving: Serving) -> None:
    gather(serving.root, stop=_until_told(signal.SIGTERM))
