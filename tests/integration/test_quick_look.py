"""What an audit sees at once is what it sees row by row; whatever is odd is looked at row by row."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.app.records import check
from gateway.app.records.check import audit
from gateway.app.records.looking import Looking
from gateway.ports import BatchRow, RecordFile
from gateway.service.audit import AuditReport, QuickLook, Seen
from gateway.service.audit.records import RecordAudit
from tests.fakes.homes import (
    capped_mapping,
    change_database,
    convert_in_parts,
    make_home,
    trips,
    write_trips,
    yunxi_ride,
)

CAP = (
    "name: daily, of: points, per: [person, local_day], max: 200, order: accepted_sequence,"
    " late: counts_on_activity_day"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home of two schemes and several batches over several days, with a cap that takes points away."""
    made = make_home(tmp_path, monkeypatch)
    convert_in_parts(made, [write_trips(tmp_path / "a.ndjson", trips(40, days=3))], 9)
    rides = [yunxi_ride(f"e{n}", f"u{n % 3}", "2025-03-16 08:00:00") for n in range(30)]
    mapping = capped_mapping(tmp_path / "yunxi.yaml", CAP)
    convert_in_parts(made, [write_trips(tmp_path / "b.ndjson", rides)], 7, mapping=mapping)
    return made


def looks_of(home: Path) -> list[Seen | None]:
    """Look at every batch of a home."""
    with open_home(home) as opened:
        batches = [(batch, opened.journal.files(batch.number)) for batch in opened.journal.batches()]
        return list(check._looking(opened)(batches))


def report_of(home: Path) -> AuditReport:
    return audit(home, lambda _rows: None)


def row_by_row(_self: Looking, batches: Sequence[tuple[BatchRow, Sequence[RecordFile]]]) -> Iterator[None]:
    yield from [None] * len(batches)


def test_every_healthy_batch_is_seen_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = looks_of(home)
    assert len(seen) > 6
    assert None not in seen

    monkeypatch.delattr(RecordAudit, "_audit_rows")  # nothing may be left to it

    assert report_of(home).differences == []


def test_equal_rides_by_other_means_or_under_other_rules_are_seen_at_once(home: Path, tmp_path: Path) -> None:
    rules = capped_mapping(tmp_path / "other.yaml", CAP)
    text = rules.read_text("utf-8").replace("yunxi/travel", "yunxi/other").replace("180.125", "190.125")
    tests = "tests: [{name: none, given: {}, reject: missing-field}]\n"
    rules.write_text(text.partition("tests:")[0] + tests, "utf-8")
    for name, mapping in (("a", tmp_path / "yunxi.yaml"), ("b", rules)):
        rides = [
            yunxi_ride(f"{name}{n}", f"u{n}", "2025-03-16 08:00:00", mode=mode)
            for n, mode in enumerate(("地铁", "公交", "电单车") * 2)
        ]
        convert_in_parts(home, [write_trips(tmp_path / f"{name}.ndjson", rides)], 9, mapping=mapping)

    seen = looks_of(home)

    assert None not in seen
    assert len({tuple(one.amounts.co2e_mg) for one in seen[-2:] if one is not None}) == 2


def test_what_an_act_is_worth_is_seen_exactly(home: Path) -> None:
    """Points of the example are a tenth of the grams, rounded down."""
    yunxi = looks_of(home)[-1]

    assert yunxi is not None
    points, co2e_mg, numerators, denominators = yunxi.amounts
    assert [10_000 * n for n in numerators] == [mg * d for mg, d in zip(co2e_mg, denominators, strict=True)]
    assert [n // d for n, d in zip(numerators, denominators, strict=True)] == points
    assert min(points) > 1


def test_both_ways_look_at_as_much_and_find_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = report_of(home).document()
    monkeypatch.setattr(Looking, "__call__", row_by_row)

    assert report_of(home).document() == at_once
    assert at_once["ok"]


def test_other_processes_see_the_same_in_the_same_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = looks_of(home)
    monkeypatch.setattr(check, "PROCESSES_FROM_ROWS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 3)

    assert looks_of(home) == here
    assert report_of(home).differences == []


def test_quantities_are_remembered_only_so_far(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.service.audit.quick.REMEMBERED_MAX", 3)

    assert None not in looks_of(home)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE batches SET size = size + 1 WHERE number = 1",
        "UPDATE batches SET root = zeroblob(32) WHERE number = 1",
        "UPDATE batches SET platform = 'cn-440300/shenzhen' WHERE number = 1",
        "UPDATE batches SET issued = '2026-01-01T00:00:00Z' WHERE number = 1",
        "UPDATE batches SET position = 0 WHERE number = 1",
        "UPDATE files SET digest = '00' WHERE batch = 1",
        "UPDATE files SET day = '2025-01-01' WHERE batch = 1",
        "DELETE FROM files WHERE batch = 1",
    ],
)
def test_a_batch_that_is_not_as_it_must_be_is_left_to_the_other_way(home: Path, statement: str) -> None:
    change_database(home, statement)

    seen = looks_of(home)

    assert seen[1] is None
    assert None not in (seen[0], *seen[2:])
    assert report_of(home).differences


@pytest.mark.parametrize("member", ["keys", "contents", "points", "amounts"])
def test_what_needs_memory_is_held_to_it(home: Path, monkeypatch: pytest.MonkeyPatch, member: str) -> None:
    look, rows_looked_at = QuickLook.look, list[int]()

    def other(self: QuickLook, batch: BatchRow, files: Sequence[RecordFile]) -> Seen | None:
        seen = look(self, batch, files)
        assert seen is not None
        changes = {
            "keys": bytes(len(seen.keys)),
            "contents": bytes(len(seen.contents)),
            "points": [points + 1 for points in seen.points],
            "amounts": seen.amounts._replace(points=[0] * batch.size),
        }
        return seen._replace(**{member: changes[member]}) if batch.number == 1 else seen  # type: ignore[arg-type]  # by name

    audit_rows = RecordAudit._audit_rows

    def noted(self: RecordAudit, batch: BatchRow) -> None:
        rows_looked_at.append(batch.number)
        audit_rows(self, batch)

    monkeypatch.setattr(QuickLook, "look", other)
    monkeypatch.setattr(RecordAudit, "_audit_rows", noted)

    assert report_of(home).differences == []
    assert rows_looked_at == [1]
