"""Processor time by process, while something runs: it says more than the clock of a shared machine."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["seconds_of", "spent"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_TIMES: Final = slice(
    11, 15
)  # utime, stime and those of children that have ended, after the name in brackets


@contextmanager
def spent(watched: Mapping[str, Callable[[], float]]) -> Iterator[Callable[[int], str]]:
    """Watch processor seconds; the function given tells how many microseconds each of so many things took."""
    before = {name: seconds() for name, seconds in watched.items()}

    def told(things: int) -> str:
        took = {name: (seconds() - before[name]) / things * 1e6 for name, seconds in watched.items()}
        return ", ".join(f"{name} {each:,.0f}" for name, each in took.items())

    yield told


def seconds_of(*processes: int) -> float:
    """Return the processor seconds of some processes with all their descendants."""
    return sum(_ticks(one) for one in processes) / _TICKS


def _ticks(process: int) -> int:
    try:
        line = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text("ascii").split()]
    except OSError:
        return 0
    own = line.rpartition(")")[2].split()[_TIMES]
    return sum(map(int, own)) + sum(_ticks(int(child)) for child in children)
