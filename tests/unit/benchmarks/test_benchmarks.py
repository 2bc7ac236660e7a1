"""The benchmarks run, on few rows, and the page is written from what they found; no clock decides."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.common import CommonAdapter
from benchmarks.__main__ import main
from benchmarks.measure import Bench, Figure, comparison
from benchmarks.page import main as write_page
from benchmarks.page import tables
from benchmarks.processes import tanqiao
from benchmarks.stages import STAGES
from benchmarks.stages.homes import converted_home
from benchmarks.trips import KINDS, NAMES, Kind, program_of, some_trips, trips_file
from gateway.model.source import SourceRow

ROOT = Path(__file__).resolve().parents[3]
ROWS = 200
QUICK = ["parse", "adapter", "rule", "caps", "commit", "online", "receipts"]


def read_back(folder: Path, kind: Kind) -> list[tuple[str, ...]]:
    source = program_of(folder, kind).source.format
    prefix = "/" if kind == "ndjson" else ""
    with trips_file(folder, ROWS, kind=kind).open("rb") as document:
        rows = list(CommonAdapter().rows(document, "trips", source=source))
    return [tuple(row.fields[prefix + name] for name in NAMES) for row in rows if isinstance(row, SourceRow)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_form_of_input_has_the_same_trips(tmp_path: Path, kind: Kind) -> None:
    assert read_back(tmp_path, kind) == list(some_trips(ROWS))


def test_trips_are_some_repeated_and_some_unknown() -> None:
    made = list(some_trips(5000))

    assert len(made) - len(set(made)) == 5000 // 25
    assert 20 < sum(trip[2] == "滑板" for trip in made) < 80


def test_an_input_file_is_made_once(tmp_path: Path) -> None:
    path = trips_file(tmp_path, ROWS, kind="ndjson")
    path.write_bytes(b"as it was")

    assert trips_file(tmp_path, ROWS, kind="ndjson").read_bytes() == b"as it was"
    assert trips_file(tmp_path, ROWS + 1, kind="ndjson") != path


def test_stages_are_measured_and_the_page_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.ndjson"
    (tmp_path / "performance.md").write_text((ROOT / "docs/performance.md").read_text("utf-8"), "utf-8")

    assert main(["--rows", str(ROWS), "--json", str(figures), "--only", *QUICK]) == 0
    lines = [json.loads(line) for line in figures.read_text("utf-8").splitlines()]
    write_page([str(figures)], tmp_path)

    assert lines[0]["kind"] == "machine"
    assert {line["stage"] for line in lines[1:]} == set(QUICK) <= set(STAGES)
    assert all(line["cpu_us"] > 0 and line["items"] for line in lines[1:])
    printed, page = capsys.readouterr().out, (tmp_path / "performance.md").read_text("utf-8")
    for line in lines[1:]:
        assert line["what"] in printed
        assert line["what"] in page
    assert (tmp_path / "performance.svg").read_text("utf-8").count("<rect") == len(lines) - 1 + 4


def test_the_whole_path_is_measured_with_its_memory(tmp_path: Path) -> None:
    with converted_home(Bench(ROWS, tmp_path), "csv") as made:
        assert (made.home / "log" / "checkpoint").exists()
        assert made.usage.cpu_s > 0
        assert made.usage.peak_mib > 10
    assert not made.home.exists()


def test_a_command_that_fails_ends_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="left with 3"):
        tanqiao(["audit", "--home", str(tmp_path / "absent")], tmp_path)


def line(what: str, items: int, seconds: float, stage: str = "bulk") -> dict[str, Any]:
    made = Figure(stage=stage, what=what, role="ours", items=items, cpu_us=2.0, wall_s=seconds, peak_mib=90.0)
    return made.line()


def test_a_later_run_replaces_the_same_figure_and_sizes_stand_beside_each_other() -> None:
    found = tables(
        [line("convert csv", 10, 5.0), line("convert csv", 1000, 9.0), line("convert csv", 10, 4.0)]
    )

    assert [row for row in found.splitlines() if row.startswith("| convert")] == [
        "| convert csv | 10 | 2.0 | 4.0 | 2 | 90 |",
        "| convert csv | 1,000 | 2.0 | 9.0 | 111 | 90 |",
    ]


@pytest.mark.parametrize(
    ("times", "words"),
    [(2.0, "ours takes 2.0 times as long"), (0.002, "it takes 500.0 times as long as ours")],
)
def test_ratios_are_said_in_words(times: float, words: str) -> None:
    assert comparison(times) == words
