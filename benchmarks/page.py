"""Write the figures of docs/performance.md and its plot: ``python -m benchmarks.page FIGURES.ndjson``."""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import comparison
from benchmarks.plot import plot

__all__ = ["main", "tables"]

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- begin of figures -->\n", "<!-- end of figures -->\n"
WHOLE = ("bulk", "audit", "backtest", "claims")

Line = dict[str, Any]


def main(arguments: list[str], docs: Path = DOCS) -> int:
    """Put the figures of some runs into the page; a later run replaces the same figure of an earlier one."""
    lines = [json.loads(line) for name in arguments for line in Path(name).read_text("utf-8").splitlines()]
    page = docs / "performance.md"
    head, _, rest = page.read_text("utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    page.write_text(head + BEGIN + tables(lines) + END + tail, "utf-8")
    (docs / "performance.svg").write_text(plot(_alone(_figures(lines))), "utf-8")
    return 0


def tables(lines: list[Line]) -> str:
    """Return the machines, the stages alone, and the whole path, as Markdown."""
    machines = [line for line in lines if line["kind"] == "machine"]
    figures = _figures(lines)
    alone, whole = _alone(figures), [figure for figure in figures if figure["stage"] in WHOLE]
    parts = ["", *dict.fromkeys(map(_machine, machines)), "", "### Each stage alone", ""]
    parts += ["| stage | what | CPU µs each | a second on one core | beside ours |", "|---|---|--:|--:|---|"]
    parts += [_stage_row(figure) for figure in alone]
    parts += ["", "### From the file to the checkpoint, and back", ""]
    parts += [
        "| what | rows | CPU µs a row | seconds | rows a second | peak MiB |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    parts += [_whole_row(figure) for figure in sorted(whole, key=lambda one: (one["items"], one["what"]))]
    return "\n".join([*parts, ""]) + "\n"


def _figures(lines: list[Line]) -> list[Line]:
    """Return each figure once, where it came first; stages alone do not depend on the rows."""
    found: dict[tuple[object, ...], Line] = {}
    for line in lines:
        if line["kind"] == "figure":
            rows = line["items"] if line["stage"] in WHOLE else 0
            found[line["stage"], line["what"], rows] = line
    return list(found.values())


def _alone(figures: list[Line]) -> list[Line]:
    return [figure for figure in figures if figure["stage"] not in WHOLE]


def _machine(line: Line) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in line["versions"].items())
    return (
        f"- {line['date']}: {line['processor']}, {line['cores']} cores, {line['memory_gib']} GiB,"
        f" {line['system']}, Python {line['python']}; load average at the start {line['load']}; {versions}"
    )


def _stage_row(figure: Line) -> str:
    times = figure.get("times")
    beside = "" if times is None else f"{figure['role']}: {comparison(times)}"
    what = f"**{figure['what']}**" if figure["role"] == "ours" else figure["what"]
    rate = f"{1e6 / figure['cpu_us']:,.0f}"
    return f"| {figure['stage']} | {what} | {figure['cpu_us']:.2f} | {rate} | {beside} |"


def _whole_row(figure: Line) -> str:
    seconds, peak = figure["wall_s"], figure.get("peak_mib")
    return (
        f"| {figure['what']} | {figure['items']:,} | {figure['cpu_us']:.1f} | {seconds:,.1f}"
        f" | {figure['items'] / seconds:,.0f} | {'' if peak is None else f'{peak:,.0f}'} |"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
