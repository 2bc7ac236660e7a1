"""The how-to's adapter: written by the command, installed by pip as a city would, found, tested and run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.scaffold import write_distribution
from gateway.errors import LocalFileError, UsageError
from gateway.model.source import RepeatedRow, SourceFormat, SourceRow
from gateway.plugins import find_adapter
from tests.platforms.cases import outcomes

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "first-adapter.md"
FILE_BLOCK = re.compile(r"^`([\w.]+)`\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_BLOCK = re.compile(r"^```sh\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SOURCE = SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))
# What pip would fetch is here already: no index, no dependencies, a folder of its own.
OFFLINE = "--quiet --no-index --no-deps --no-build-isolation --disable-pip-version-check"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give a reader's shell, in which pip installs into a folder of its own."""
    home = tmp_path_factory.mktemp("reader")
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(home / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TANQIAO_STATE": str(home / "state"),
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }


@pytest.fixture(scope="module")
def said(shell: dict[str, str]) -> str:
    """Run every command of the page, in their order and in one shell."""
    script = "\n".join(["set -e", *COMMAND_BLOCK.findall(PAGE.read_text("utf-8"))])
    pip = f"python -m pip install {OFFLINE} --target {shell['PYTHONPATH']} ."
    assert script.count("\npip install .\n") == 1
    ran = subprocess.run(
        ["bash", "-c", script.replace("\npip install .\n", f"\n{pip}\n")],
        cwd=shell["HOME"],
        env=shell,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def installed(said: str, shell: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    assert said
    monkeypatch.syspath_prepend(shell["PYTHONPATH"])
    yield Path(shell["HOME"]) / "yunxi-bike-tanqiao"
    for name in [name for name in sys.modules if name.partition(".")[0] == "yunxi_bike"]:
        del sys.modules[name]


def test_commands_of_the_page_run_and_the_generated_tests_pass(said: str) -> None:
    assert re.search(r"=+ \d+ passed in ", said)
    counts = json.loads(said[said.rindex('{\n  "submission"') : said.rindex("\n}\n[") + 2])
    assert (counts["rows"], counts["accepted"], counts["duplicates"]) == (4, 2, 1)
    assert counts["rejected"] == {"missing-field": 1}


def test_checks_of_the_page_all_pass(said: str) -> None:
    results = json.loads(said[said.rindex("\n[\n") :])

    assert {one["check"]: one["outcome"] for one in results if one["outcome"] != "passed"} == {
        "round-trip": "nothing to try"
    }


def test_files_of_the_page_are_those_that_are_generated(installed: Path) -> None:
    shown = FILE_BLOCK.findall(PAGE.read_text("utf-8"))

    assert [name for name, _ in shown] == ["rides.txt", "wire.py", "adapter.py"]
    for name, text in shown:
        folder = "samples" if name == "rides.txt" else "yunxi_bike"
        assert (installed / folder / name).read_text("utf-8") == text


def test_installed_adapter_is_found_and_reads_the_rides_of_the_page(installed: Path, tmp_path: Path) -> None:
    adapter = find_adapter("yunxi_bike")

    found = outcomes(adapter, [installed / "samples" / "rides.txt"], source=SOURCE, scratch=tmp_path)

    acts = [outcome.fields for outcome in found if isinstance(outcome, SourceRow)]
    assert [act.get("distance_km") for act in acts] == ["2.4", "0.75", None]
    assert acts[0] == {
        "trip_id": "T1",
        "user_id": "user-1",
        "start_time": "2025-03-16 07:00:01",
        "vehicle": "自行车",
        "distance_km": "2.4",
    }
    assert [
        (outcome.place.row, outcome.first.row) for outcome in found if isinstance(outcome, RepeatedRow)
    ] == [(3, 1)]


def test_generated_adapter_keeps_the_types_and_the_style(installed: Path) -> None:
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(installed / ".mypy"), "yunxi_bike"]
    environment = {"MYPYPATH": str(ROOT), "PATH": "", "HOME": str(installed)}
    checked = subprocess.run(mypy, cwd=installed, capture_output=True, text=True, env=environment)
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    styled = subprocess.run([*ruff, "yunxi_bike"], cwd=installed, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert styled.returncode == 0, styled.stdout + styled.stderr


@pytest.mark.parametrize("name", ["Yunxi", "1bike", "yunxi-bike", "a__b", "gateway", "tests", "../x", ""])
def test_name_that_no_package_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        write_distribution(name, tmp_path / "new")

    assert "yunxi_bike" in refused.value.remedy
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", "utf-8")

    with pytest.raises(LocalFileError):
        write_distribution("yunxi_bike", tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
