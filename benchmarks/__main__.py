"""Measure every stage beside a peer or bound: ``python -m benchmarks --help``."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.measure import Bench, Figure, comparison, machine
from benchmarks.stages import STAGES

__all__ = ["main"]

ROWS = int(os.environ.get("TANQIAO_BENCH_ROWS", "200000"))


def main(arguments: list[str]) -> int:
    """Print the machine and a table, and append both as JSON lines to a file if one is named."""
    options = _options(arguments)
    described = machine()
    lines: list[dict[str, object]] = [described]
    print(json.dumps(described, ensure_ascii=False))
    print(f"{'stage':<10}{'what':<38}{'items':>12}{'CPU µs each':>13}{'a second':>13}  beside ours")
    with tempfile.TemporaryDirectory(prefix="tanqiao-bench-") as scratch:
        bench = Bench(options.rows, options.data or Path(scratch))
        for figure in _figures(options.only or STAGES, bench):
            print(_row(figure), flush=True)
            lines.append(figure.line())
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        with options.json.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the input files (%(default)s)")
    parser.add_argument("--json", type=Path, help="append the figures to this file, one JSON object a line")
    parser.add_argument("--data", type=Path, help="folder in which input files are kept from run to run")
    parser.add_argument("--only", nargs="+", choices=STAGES, help="these stages alone")
    return parser.parse_args(arguments)


def _figures(names: Iterable[str], bench: Bench) -> Iterator[Figure]:
    for name in names:
        yield from STAGES[name](bench)


def _row(figure: Figure) -> str:
    named = f"{figure.stage:<10}{figure.what:<38}{figure.items:>12,}"
    each = f"{named}{figure.cpu_us:>13.2f}{1e6 / figure.cpu_us:>13,.0f}"
    if figure.wall_s is not None:
        each = f"{each}  {figure.wall_s:.1f} s by the clock, {figure.items / figure.wall_s:,.0f} a second"
    if figure.peak_mib is not None:
        each = f"{each}, peak {figure.peak_mib:,.0f} MiB"
    if figure.times is not None:
        each = f"{each}  {figure.role}: {comparison(figure.times)}"
    return each


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
