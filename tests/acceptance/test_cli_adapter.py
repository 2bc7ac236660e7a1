"""``adapter check`` and ``adapter new`` as an author of an adapter meets them."""

import json
from pathlib import Path

import pytest

from tests.acceptance.commands import tanqiao

CASES = Path(__file__).resolve().parents[1] / "platforms"
SETTLEMENT = CASES / "monthly_settlement/cases/whole-month/2025-03.txt"
MAPPING = CASES.parent / "mappings/documents/monthly_settlement.v1.yaml"

BROKEN = """
from gateway.model.source import Place, SourceRow

class Adapter:
    name = "broken"
    platform = None
    assembly = None

    def rows(self, document, file, *, source):
        for number, line in enumerate(document):
            yield SourceRow(Place(file, number), {"km": line.decode().split("|")[2]})
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install an adapter that counts rows from 0 and trusts every byte."""
    (tmp_path / "broken_module.py").write_text(BROKEN, "utf-8")
    info = tmp_path / "broken_tanqiao-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-tanqiao\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[tanqiao.adapters]\nbroken = broken_module:Adapter\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "broken"


def test_shipped_adapter_passes_on_a_sample() -> None:
    done = tanqiao("adapter", "check", "monthly_settlement", str(SETTLEMENT), "--mapping", str(MAPPING))

    assert done.returncode == 0, done.stderr
    assert {
        one["check"]: one["outcome"] for one in json.loads(done.stdout) if one["outcome"] != "passed"
    } == {
        "stages": "nothing to try",
        "accounting": "nothing to try",
    }


def test_broken_adapter_is_told_what_it_breaks(broken: str) -> None:
    done = tanqiao("adapter", "check", broken, str(SETTLEMENT))

    assert done.returncode == 1
    assert "checks-failed" in done.stderr
    failed = {one["check"]: one["findings"] for one in json.loads(done.stdout) if one["outcome"] == "failed"}
    assert {"totality", "places"} <= set(failed)
    assert "expected the place" in failed["places"][0]
    assert "UnicodeDecodeError" in "".join(failed["totality"]) or "IndexError" in "".join(failed["totality"])


def test_without_samples_it_is_said_that_rows_were_not_tried() -> None:
    done = tanqiao("adapter", "check", "common")

    assert done.returncode == 0
    assert "no samples given" in done.stderr
    assert {one["check"] for one in json.loads(done.stdout) if one["outcome"] == "passed"} >= {
        "offer",
        "totality",
    }


def test_too_large_a_sample_and_an_unknown_adapter_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"a\n" * 40_000)

    assert tanqiao("adapter", "check", "common", str(large)).returncode == 2
    assert tanqiao("adapter", "check", "comon").returncode == 2
    assert tanqiao("adapter", "check", "common", str(tmp_path / "absent.csv")).returncode == 3


def test_new_distribution_is_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "mine"

    first = tanqiao("adapter", "new", "yunxi_bike", "--into", str(folder))
    again = tanqiao("adapter", "new", "yunxi_bike", "--into", str(folder))
    misnamed = tanqiao("adapter", "new", "Yunxi-Bike", "--into", str(tmp_path / "other"))

    assert (first.returncode, again.returncode, misnamed.returncode) == (0, 3, 2)
    assert {Path(line) for line in first.stdout.splitlines()} == {
        path for path in folder.rglob("*") if path.is_file()
    }
