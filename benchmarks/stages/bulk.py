"""The bulk path end to end, by the command: file to records, batches, log; then audit and backtest."""

from collections.abc import Iterator

from benchmarks.measure import Bench, Figure
from benchmarks.processes import Usage, tanqiao
from benchmarks.stages.homes import Converted, converted_home
from benchmarks.trips import KINDS, mapping_file

__all__ = ["measure"]


def measure(bench: Bench) -> Iterator[Figure]:
    """Convert each form of input into a home of its own and audit the first."""
    for kind in KINDS:
        with converted_home(bench, kind) as made:
            yield _figure("bulk", f"convert {kind}", bench=bench, usage=made.usage)
            if kind == "ndjson":
                usage = tanqiao(["audit", "--home", str(made.home)], made.state)
                yield _figure("audit", "audit", bench=bench, usage=usage)
                usage = _backtest(made)
                yield _figure("backtest", "backtest, another daily cap", bench=bench, usage=usage)


def _backtest(made: Converted) -> Usage:
    """Hold the city's mapping, and one with a higher cap, against the home that was just made."""
    old = mapping_file(made.home.parent, "ndjson")
    new = old.with_name("higher.yaml")
    new.write_text(old.read_text("utf-8").replace("max: 200", "max: 300"), encoding="utf-8")
    versions = ["--old", str(old), "--new", str(new)]
    return tanqiao(["mapping", "backtest", "--home", str(made.home), *versions], made.state)


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
