"""How the benchmarks measure: processor time of one thing alone, the best of a few runs."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

__all__ = ["Bench", "Figure", "Stage", "comparison", "cpu_seconds", "figure", "machine", "measured"]

PACKAGES = (
    "tanqiao", "numpy", "pyarrow", "orjson", "msgspec", "cryptography",
    "jsonschema", "jsonschema-rs", "duckdb", "cel-python",
)  # fmt: skip
SAMPLE_MAX = 200_000
REPEATS = 3  # the best of them: other work on the machine can only make a run slower

Role = Literal["ours", "peer", "bound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured thing. ``times`` tells how often its time fits into that of ours."""

    stage: str
    what: str
    role: Role
    items: int
    cpu_us: float
    times: float | None = None
    wall_s: float | None = None
    peak_mib: float | None = None

    def line(self) -> dict[str, object]:
        """Return the figure as a JSON object without what was not measured."""
        return {"kind": "figure", **{key: value for key, value in asdict(self).items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Bench:
    """What a stage is given: how many rows, and a folder whose input files are made once and kept."""

    rows: int
    folder: Path

    @property
    def sample(self) -> int:
        """The rows of stages that hold them in memory: more would cost the same each."""
        return min(self.rows, SAMPLE_MAX)


Stage = Callable[[Bench], Iterator[Figure]]


def cpu_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the least processor time of a few runs, all threads together."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def measured(stage: str, what: str, *, items: int, work: Callable[[], object]) -> Figure:
    """Measure what is ours."""
    return figure(stage, what, role="ours", items=items, cpu=cpu_seconds(work))


def figure(
    stage: str, what: str, *, role: Role, items: int, cpu: float, ours: Figure | None = None
) -> Figure:
    """Make a figure from processor seconds; ``ours`` is what a peer or bound is compared with."""
    each = cpu / items * 1e6
    times = None if ours is None or not each else ours.cpu_us / each
    return Figure(stage=stage, what=what, role=role, items=items, cpu_us=each, times=times)


def comparison(times: float) -> str:
    """Say how our time compares with that of a peer or bound."""
    if times >= 1:
        return f"ours takes {times:.1f} times as long"
    return f"it takes {1 / times:,.1f} times as long as ours"


def machine() -> dict[str, object]:
    """Describe the machine and the versions, for people to judge the figures by."""
    return {
        "kind": "machine",
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "load": round(os.getloadavg()[0], 1),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
