"""The how-to's adapter, installed by pip as a city would, found by its entry point and run."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.source import RepeatedRow, SourceFormat, SourceRow
from gateway.plugins import find_adapter
from tests.platforms.cases import outcomes

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "first-adapter.md"
FILE_BLOCK = re.compile(r"^`([\w.]+)`\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_BLOCK = re.compile(r"^```sh\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
# What pip would fetch is here already: no index, no dependencies, a folder of its own.
OFFLINE = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("yunxi-bike-tanqiao")
    for name, text in FILE_BLOCK.findall(PAGE.read_text("utf-8")):
        (folder / name).write_text(text, "gb18030" if name == "rides.txt" else "utf-8")
    return folder


@pytest.fixture
def installed(distribution: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", *OFFLINE, "--target", str(site), str(distribution)]
    subprocess.run(command, check=True)
    monkeypatch.syspath_prepend(str(site))
    yield distribution
    sys.modules.pop("yunxi_bike", None)


def test_page_shows_the_files_and_the_commands_that_are_run_here() -> None:
    text = PAGE.read_text("utf-8")

    assert [name for name, _ in FILE_BLOCK.findall(text)] == [
        "rides.txt",
        "pyproject.toml",
        "yunxi_bike.py",
        "test_yunxi_bike.py",
    ]
    assert COMMAND_BLOCK.findall(text) == ["pip install .", "python -m pytest"]


def test_installed_adapter_is_found_and_reads_the_rides_of_the_page(installed: Path, tmp_path: Path) -> None:
    adapter = find_adapter("yunxi_bike")

    found = outcomes(
        adapter, [installed / "rides.txt"], source=SourceFormat(encodings=("gb18030",)), scratch=tmp_path
    )

    acts = [outcome.fields for outcome in found if isinstance(outcome, SourceRow)]
    assert acts == [
        {"trip_id": "T1", "start_time": "2025-03-16 07:00:01", "vehicle": "自行车", "distance_km": "2.4"},
        {"trip_id": "T2", "start_time": "2025-03-16 07:15:00", "vehicle": "自行车", "distance_km": "0.75"},
        {"trip_id": "T3", "start_time": "2025-03-16 08:00:00", "vehicle": "自行车"},
    ]
    assert [
        (outcome.place.row, outcome.first.row) for outcome in found if isinstance(outcome, RepeatedRow)
    ] == [(3, 1)]


def test_tests_of_the_page_pass(distribution: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=distribution,
        capture_output=True,
        text=True,
    )

    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr


def test_adapter_of_the_page_keeps_the_types_and_the_style(distribution: Path) -> None:
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            str(distribution / ".mypy"),
            "yunxi_bike.py",
        ],
        cwd=distribution,
        capture_output=True,
        text=True,
        env={"MYPYPATH": str(ROOT), "PATH": "", "HOME": str(distribution)},
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
