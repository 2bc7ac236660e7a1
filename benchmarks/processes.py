"""Run a command and see what it and all of its children took."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Usage", "processor_seconds", "tanqiao"]

LOOK_EVERY = 0.1  # seconds between two looks at the memory
PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(NamedTuple):
    """What a command took: processor and wall seconds, and the most memory of all its processes at once."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def tanqiao(arguments: Sequence[str], state: Path, *, answer: Path = Path(os.devnull)) -> Usage:
    """Run one command of ours in a process of its own; a failure ends the benchmark.

    Its standard output goes to the file ``answer``.
    """
    before = os.times()
    started = time.perf_counter()
    with answer.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", "from gateway.cli import main; main()", *arguments],
            env={**os.environ, "TANQIAO_STATE": str(state)},
            stdout=out,
            stderr=subprocess.PIPE,
        )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    _, said = process.communicate()
    wall = time.perf_counter() - started
    watcher.join()
    after = os.times()
    if process.returncode:
        raise SystemExit(f"tanqiao {arguments[0]} left with {process.returncode}:\n{said.decode()[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Usage(cpu, wall, peak[0])


def _watch(root: int, peak: list[float]) -> None:
    """Add up the resident memory of a process and its descendants until it ends; shared pages count twice."""
    while (pages := _pages(root)) > 0:
        peak[0] = max(peak[0], pages * PAGE / 2**20)
        time.sleep(LOOK_EVERY)


def processor_seconds(root: int) -> float:
    """Return what a process and its descendants that run have used, and their children that have ended."""
    try:
        fields = Path(f"/proc/{root}/stat").read_text("ascii").rpartition(")")[2].split()
    except (OSError, ProcessLookupError):
        return 0.0
    mine = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return mine + sum(map(processor_seconds, _children(root)))


def _children(process: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text("ascii").split()]
    except (OSError, ProcessLookupError):
        return []


def _pages(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ProcessLookupError):
        return 0
    return pages + sum(map(_pages, _children(process)))
