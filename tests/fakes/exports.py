"""What the tests of real exports share: their mappings, homes, and what was set aside."""

import json
from collections import Counter
from pathlib import Path

import pytest

from gateway.ports import PartCounts
from tests.fakes.homes import audited, make_home, require_accounted, rows_of

MAPPINGS = Path(__file__).resolve().parents[1] / "mappings" / "exports"


def export_mapping(name: str) -> Path:
    """Return the document of one export."""
    return MAPPINGS / f"{name}.v1.yaml"


def edited_mapping(name: str, folder: Path, *edits: tuple[str, str]) -> Path:
    """Write a document of an export in which texts that stand there are replaced."""
    text = export_mapping(name).read_text("utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    head, _, _ = text.partition("\ntests:")  # they hold the document as it was
    test = "\ntests: [{name: none, given: {}, reject: missing-field}]\n"
    path = folder / f"{name}-edited.yaml"
    path.write_text(head + test, "utf-8")
    return path


def set_aside(home: Path) -> list[dict[str, object]]:
    """Return every rejected row of a home."""
    return [
        json.loads(line)
        for path in sorted((home / "quarantine").rglob("*.ndjson"))
        for line in path.read_text("utf-8").splitlines()
    ]


def require_sound(home: Path, counts: PartCounts) -> None:
    """Check that every row has one fate, that what was refused is kept, and that the home audits."""
    require_accounted(counts)
    kept = Counter(line["code"] for line in set_aside(home))
    assert all(kept[code] >= count for code, count in counts.rejected.items())
    assert audited(home).differences == []


def by_event(home: Path) -> dict[str, tuple[str, int, int]]:
    """Return day, reduction and points of each event; an event with two records fails."""
    rows = rows_of(home)
    found = {str(row.event): (row.day, row.co2e_mg, row.points) for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a test home."""
    return make_home(tmp_path, monkeypatch)
