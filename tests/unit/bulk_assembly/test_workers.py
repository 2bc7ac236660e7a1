"""An iterator in another process yields the same, fails the same, and ends with its consumer."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.bulk.workers import beside, in_another_process
from gateway.errors import InvariantBroken, MalformedDocument


def squares(count: int) -> Iterator[int]:
    for number in range(count):
        yield number * number


def failing() -> Iterator[int]:
    yield 1
    raise MalformedDocument("line 2 is no row", field="line 2", remedy="mend it")


def vanishing() -> Iterator[int]:
    yield 1
    os._exit(3)


def endless(path: str) -> Iterator[int]:
    Path(path).write_text(str(os.getpid()))
    while True:
        yield 1


def test_another_process_yields_the_same_in_the_same_order() -> None:
    there = list(in_another_process(partial(squares, 500)))

    assert there == list(squares(500))


def test_an_error_there_is_raised_here_with_its_facts() -> None:
    items = in_another_process(failing)
    assert next(items) == 1

    with pytest.raises(MalformedDocument, match="line 2 is no row") as raised:
        next(items)

    assert (raised.value.field, raised.value.remedy) == ("line 2", "mend it")


def test_a_process_that_vanishes_is_never_taken_for_the_end() -> None:
    with pytest.raises(InvariantBroken, match="without a word"):
        list(in_another_process(vanishing))


def test_calls_beside_give_results_and_errors_and_end_with_the_block() -> None:
    with beside(2) as pool:
        futures = [pool.submit(pow, number, 2) for number in range(20)]
        failed = pool.submit(int, "x")

        assert [future.result() for future in futures] == [number**2 for number in range(20)]
        with pytest.raises(ValueError, match="invalid literal"):
            failed.result()

    assert multiprocessing.active_children() == []


def test_a_consumer_that_stops_early_leaves_no_process_behind() -> None:
    items = in_another_process(partial(squares, 10**9))
    next(items)
    items.close()  # type: ignore[attr-defined]  # a generator, to its consumer an iterator

    assert multiprocessing.active_children() == []


def test_a_consumer_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "from functools import partial\n"
        "from gateway.bulk.workers import beside, in_another_process\n"
        "from tests.unit.bulk_assembly.test_workers import endless\n"
        "if __name__ == '__main__':\n"
        f"    items = in_another_process(partial(endless, {str(note)!r}))\n"
        "    next(items)\n"
        "    print('ready', flush=True)\n"
        "    input()\n"
    )
    script = tmp_path / "consumer.py"
    script.write_text(code.replace("NOTE", repr(str(note))))
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    consumer = subprocess.Popen(
        [sys.executable, script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert consumer.stdout is not None
    assert consumer.stdout.readline() == "ready\n"
    producer = int(note.read_text())

    consumer.send_signal(signal.SIGKILL)
    consumer.communicate()

    assert _is_gone(producer)


def _is_gone(process: int) -> bool:
    for _ in range(600):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
