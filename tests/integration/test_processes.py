"""Processes of the service end when they are told to, and also where one of them does not listen."""

import signal
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gateway.app.serving.processes import end
from tests.fakes.homes import make_home
from tests.fakes.serving import served


def deaf(ready: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.send(True)
    time.sleep(600)


def quick(ready: Connection) -> None:
    ready.send(True)
    time.sleep(600)


def test_one_that_does_not_stop_is_killed_and_keeps_no_other_waiting() -> None:
    here, there = get_context("spawn").Pipe()
    processes = [get_context("spawn").Process(target=job, args=(there,)) for job in (deaf, deaf, quick)]
    for process in processes:
        process.start()
        assert here.recv()

    end(processes, seconds=1)

    assert [process.exitcode for process in processes] == [-signal.SIGKILL, -signal.SIGKILL, -signal.SIGTERM]


def test_an_interrupt_ends_the_service_at_once_whoever_it_is_sent_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal sends it to every process, an operator's `kill -INT` to the first alone."""
    monkeypatch.setenv("TANQIAO_DRAIN_SECONDS", "300")
    with served(make_home(tmp_path, monkeypatch)) as running:
        running.process.send_signal(signal.SIGINT)

        assert running.process.wait(timeout=60) == 0
