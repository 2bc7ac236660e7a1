"""The bulk path end to end, by the command: file to records, batches, log; then the audit."""

from collections.abc import Iterator

from benchmarks.measure import Bench, Figure
from benchmarks.processes import Usage, tanqiao
from benchmarks.stages.homes import converted_home
from benchmarks.trips import KINDS

__all__ = ["measure"]


def measure(bench: Bench) -> Iterator[Figure]:
    """Convert each form of input into a home of its own and audit the first."""
    for kind in KINDS:
        with converted_home(bench, kind) as made:
            yield _figure("bulk", f"convert {kind}", bench=bench, usage=made.usage)
            if kind == "ndjson":
                usage = tanqiao(["audit", "--home", str(made.home)], made.state)
                yield _figure("audit", "audit", bench=bench, usage=usage)


def _figure(stage: str, what: str, *, bench: Bench, usage: Usage) -> Figure:
    return Figure(
        stage=stage,
        what=what,
        role="ours",
        items=bench.rows,
        cpu_us=usage.cpu_s / bench.rows * 1e6,
        wall_s=usage.wall_s,
        peak_mib=usage.peak_mib,
    )
