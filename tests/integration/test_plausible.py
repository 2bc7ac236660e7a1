"""Implausible acts: set aside or found, never silent, whatever the order and the cut of the rows."""

import json
import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli.root import run
from gateway.errors import IntegrityBroken
from tests.fakes.homes import (
    audited,
    bytes_below,
    change_database,
    convert,
    convert_in_parts,
    make_home,
    require_accounted,
    rows_of,
)

TIMES = Path(__file__).resolve().parents[1] / "mappings" / "shapes" / "plausible_times.v1.yaml"
EIGHT = datetime(2025, 3, 10, tzinfo=UTC)
Rows = Iterable[Mapping[str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


def ride(event: str, user: str, start: int, end: int, **changes: str) -> dict[str, str]:
    """Make a ride of 6 km from a minute to another one, with what differs."""
    times = {"from": EIGHT + timedelta(minutes=start), "to": EIGHT + timedelta(minutes=end)}
    stated = {name: moment.isoformat() for name, moment in times.items()}
    return {"id": event, "user": user, "kind": "B", "km": "6", **stated, **changes}


def write(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def rules(path: Path, text: str, *edits: tuple[str, str]) -> Path:
    """Write the rules with some changes, without the tests that these break."""
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    head = text[: text.index("tests:\n")]
    path.write_text(head + "tests: [{name: none, given: {kind: X}, reject: unknown-code}]\n", "utf-8")
    return path


def lines(folder: Path) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in sorted(folder.rglob("*.ndjson"))
        for line in path.read_text("utf-8").splitlines()
    ]


def accepted(home: Path) -> set[str]:
    return {str(row.event) for row in rows_of(home)}


def greedy(rows: Rows, tolerance: int) -> set[str]:
    """Choose acts by the plain words of the rule: the earliest start, unless it overlaps a chosen one."""
    chosen: list[tuple[str, str, datetime, datetime]] = []
    for row in sorted(rows, key=lambda one: (one["from"], one["id"])):
        start, end = datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["to"])
        common = [
            min(end, other_end) - max(start, other)
            for _, user, other, other_end in chosen
            if user == row["user"]
        ]
        if all(seconds <= timedelta(seconds=tolerance) for seconds in common):
            chosen.append((row["id"], row["user"], start, end))
    return {event for event, *_ in chosen}


def random_rides(seed: int, count: int) -> list[dict[str, str]]:
    rng = random.Random(seed)
    made = []
    for number in range(count):
        start = rng.randrange(0, 600)
        long = rng.choice((10, 11, 30, 60, 120))
        made.append(ride(f"R{number}", f"u{rng.randrange(4)}", start, start + long))
    return made


def test_what_is_counted_does_not_depend_on_order_files_or_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rides = random_rides(1, 60)
    expected = greedy(rides, 60)
    assert 10 < len(expected) < 50

    for number, part_rows in enumerate((1000, 7, 1)):
        home = make_home(tmp_path, monkeypatch, name=f"home{number}")
        random.Random(number).shuffle(rides)
        cut = number * 20
        files = [
            write(tmp_path / f"{number}a.ndjson", rides[cut:]),
            write(tmp_path / f"{number}b.ndjson", rides[:cut]),
        ]
        summary = convert_in_parts(home, files, part_rows, mapping=TIMES, worker=number == 1)

        assert accepted(home) == expected
        assert summary.counts.rejected == {"implausible": 60 - len(expected)}
        require_accounted(summary.counts)
        assert {line["field"] for line in lines(home / "quarantine")} == {"overlap"}


def test_a_dry_run_says_the_same_and_remembers_nothing(home: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "rides.ndjson", random_rides(2, 40))

    dry = convert(home, file, mapping=TIMES, dry_run=True)
    real = convert(home, file, mapping=TIMES)

    assert dry.rejected == real.rejected != {}
    assert dry.accepted == real.accepted


def test_across_submissions_the_first_accepted_stays(home: Path, tmp_path: Path) -> None:
    later, earlier = ride("late", "u1", 30, 60), ride("early", "u1", 20, 40)
    convert(home, write(tmp_path / "a.ndjson", [later]), mapping=TIMES)

    second = convert(
        home, write(tmp_path / "b.ndjson", [earlier, ride("other", "u2", 20, 40)]), mapping=TIMES
    )
    again = convert(home, write(tmp_path / "c.ndjson", [later, earlier]), mapping=TIMES)

    assert second.rejected == {"implausible": 1}
    assert (again.duplicates, again.rejected) == (1, {"implausible": 1})
    assert accepted(home) == {"late", "other"}
    [line, _] = lines(home / "quarantine")
    assert line["field"] == "overlap"
    assert line["detail"] == "expected ≤ 60 s, not 600 s"


def test_acts_within_the_tolerance_both_count(home: Path, tmp_path: Path) -> None:
    touching = [ride("a", "u", 0, 20), ride("b", "u", 19, 40)]
    counts = convert(home, write(tmp_path / "a.ndjson", touching), mapping=TIMES)

    assert counts.accepted == 2


class Clock:
    def __init__(self, day: int) -> None:
        self._now = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)

    def now(self) -> datetime:
        return self._now


def test_after_the_stated_days_the_times_of_an_act_are_forgotten(home: Path, tmp_path: Path) -> None:
    def submit(event: str, minute: int, day: int) -> int:
        file = write(tmp_path / f"{event}.ndjson", [ride(event, "u", minute, minute + 20)])
        return convert_in_parts(home, [file], 10, mapping=TIMES, clock=Clock(day)).counts.accepted

    assert submit("a", 0, day=0) == 1
    assert submit("b", 5, day=30) == 0
    assert submit("c", 5, day=31) == 1

    change_database(home, "DELETE FROM own_spans")  # fails where nothing is left of the third
    assert accepted(home) == {"a", "c"}


def test_times_are_kept_under_keyed_names_only(home: Path, tmp_path: Path) -> None:
    convert(home, write(tmp_path / "a.ndjson", [ride("EVENT-1", "PERSON-1", 0, 20)]), mapping=TIMES)

    for path, data in bytes_below(home / "log", home / "findings").items():
        assert b"PERSON-1" not in data, path
    assert all(b"PERSON-1" not in path.read_bytes() for path in home.glob("tanqiao.db*"))


def test_an_overlap_may_be_a_finding(home: Path, tmp_path: Path) -> None:
    mapping = rules(
        tmp_path / "m.yaml",
        TIMES.read_text("utf-8"),
        ('remember: "30", then: reject', 'remember: "30", then: finding'),
    )
    acts = [ride("a", "u", 0, 20), ride("b", "u", 10, 30), ride("c", "u", 12, 32)]

    counts = convert(home, write(tmp_path / "a.ndjson", acts), mapping=mapping)

    assert (counts.accepted, dict(counts.findings)) == (3, {"overlap": 2})
    found = lines(home / "findings")
    assert [(line["row"], line["rule"], line["found"], line["expected"]) for line in found] == [
        (2, "overlap", "600 s", "≤ 60 s"),
        (3, "overlap", "1080 s", "≤ 60 s"),
    ]
    assert audited(home).differences == []


def charge(event: str, minutes: int, **changes: str) -> dict[str, str]:
    return ride(event, event, 0, minutes, kind="C", kwh="11", **changes)


def test_a_finding_is_counted_written_down_shown_and_audited(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.ndjson", [charge("fine", 40), charge("strong", 10), ride("slow", "u", 0, 200)])

    assert run(["convert", str(file), "--home", str(home), "--mapping", str(TIMES)]) == 0

    said = capsys.readouterr()
    assert json.loads(said.out)["findings"] == {"charging_power": 1, "ride_length": 1}
    assert "2 findings about accepted acts" in said.err
    by_rule = {line["rule"]: line for line in lines(home / "findings")}
    strong = by_rule["charging_power"]
    record = next(row for row in rows_of(home) if row.event == "strong")
    assert strong == {
        "record": record.id,
        "file": "a.ndjson",
        "row": 2,
        "code": "implausible",
        "rule": "charging_power",
        "found": "11.0 kWh / 600 s",
        "expected": "≤ 22 kWh/h",
    }
    assert run(["record", "show", record.id, "--home", str(home), "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["findings"] == [
        {"rule": "charging_power", "found": "11.0 kWh / 600 s", "expected": "≤ 22 kWh/h"}
    ]
    assert audited(home).document()["checks"]["findings"] == 2  # type: ignore[index]  # a mapping of numbers
    assert [path.stat().st_mode & 0o777 for path in (home / "findings").iterdir()] == [0o600]


def test_findings_of_one_submission_stay_when_it_is_run_again(home: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.ndjson", [charge("strong", 10)])
    convert(home, file, mapping=TIMES)
    before = bytes_below(home / "findings")

    again = convert(home, file, mapping=TIMES)

    assert (again.duplicates, dict(again.findings)) == (1, {})
    assert bytes_below(home / "findings") == before
    assert audited(home).differences == []


@pytest.mark.parametrize("worker", [False, True])
@pytest.mark.parametrize("then", ["finding", "reject"])
def test_a_claim_that_differs_is_a_finding_or_is_rejected(
    home: Path, tmp_path: Path, then: str, *, worker: bool
) -> None:
    mapping = rules(
        tmp_path / "m.yaml",
        TIMES.read_text("utf-8"),
        ("unit: gCO2e, then: reject", f"unit: gCO2e, then: {then}"),
    )
    acts = [charge("near", 40, claim="220.5"), charge("far", 40, claim="230"), charge("silent", 40)]
    file = write(tmp_path / "a.ndjson", acts)

    counts = convert_in_parts(home, [file], 2, mapping=mapping, worker=worker).counts

    numbers = ("230000 mg", "220000 ± 500 mg")
    if then == "finding":
        assert (counts.accepted, counts.claims_differ, counts.rejected) == (3, 1, {})
        assert dict(counts.findings) == {"claimed_reduction": 1}
        assert [(line["found"], line["expected"]) for line in lines(home / "findings")] == [numbers]
    else:
        assert (counts.accepted, counts.claims_differ) == (2, 0)
        assert (counts.rejected, dict(counts.findings)) == ({"implausible": 1}, {})
        [line] = lines(home / "quarantine")
        assert (line["field"], line["detail"]) == (
            "claimed_reduction",
            f"expected {numbers[1]}, not {numbers[0]}",
        )
    assert audited(home).differences == []


def test_a_claim_that_is_rejected_uses_up_no_cap(home: Path, tmp_path: Path) -> None:
    mapping = rules(
        tmp_path / "m.yaml",
        TIMES.read_text("utf-8"),
        (
            "kind: per_act}",
            "kind: per_act, caps: [{name: daily, of: points, per: [platform, local_day], max: '8', "
            "order: activity_start, late: counts_on_activity_day}]}",
        ),
    )
    acts = [charge("a", 40, claim="999"), charge("b", 41), charge("c", 42)]

    convert(home, write(tmp_path / "a.ndjson", acts), mapping=mapping)

    assert {row.event: row.points for row in rows_of(home)} == {"b": 5, "c": 3}
    assert audited(home).differences == []


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda home: next((home / "findings").iterdir()).unlink(), "is missing"),
        (
            lambda home: next((home / "findings").iterdir()).write_bytes(b""),
            "is not the file that was written",
        ),
        (
            lambda home: (home / "findings" / "batch-000000099.ndjson").write_bytes(b"{}"),
            "belongs to no batch",
        ),
        (lambda home: change_database(home, "DELETE FROM findings"), "the claims give other findings"),
        (lambda home: change_database(home, "UPDATE findings SET size = 9"), "9 were decided"),
    ],
)
def test_what_is_changed_of_findings_is_found_by_an_audit(
    home: Path, tmp_path: Path, damage: object, says: str
) -> None:
    tolerant = rules(
        tmp_path / "m.yaml",
        TIMES.read_text("utf-8"),
        ("unit: gCO2e, then: reject", "unit: gCO2e, then: finding"),
    )
    convert(home, write(tmp_path / "a.ndjson", [charge("far", 40, claim="230")]), mapping=tolerant)
    assert audited(home).differences == []

    damage(home)  # type: ignore[operator]  # each damage is a function

    assert any(says in difference for difference in audited(home).differences)


def test_a_run_that_stopped_goes_on_with_what_it_knew_of_times_and_findings(
    home: Path, tmp_path: Path
) -> None:
    rides = random_rides(3, 30) + [charge(f"C{number}", 10) for number in range(6)]
    file = write(tmp_path / "a.ndjson", rides)

    class Stopped(Exception):
        pass

    def stop(rows: int) -> None:
        if rows >= 12:
            raise Stopped

    with pytest.raises(Stopped):
        convert_in_parts(home, [file], 4, mapping=TIMES, watch=stop)
    (home / "findings").mkdir(exist_ok=True)
    stray = home / "findings" / "batch-000000003.ndjson"
    stray.write_bytes(b"left by a killed run\n")
    summary = convert_in_parts(home, [file], 4, mapping=TIMES)

    assert summary.resumed == 3
    assert accepted(home) == greedy([one for one in rides if one["kind"] == "B"], 60) | {
        f"C{n}" for n in range(6)
    }
    assert summary.counts.findings == {"charging_power": 6}
    assert len(lines(home / "findings")) == 6
    assert audited(home).differences == []


def test_a_finding_file_that_was_changed_is_not_shown(home: Path, tmp_path: Path) -> None:
    from gateway.app.records.check import findings_of, record_of

    convert(home, write(tmp_path / "a.ndjson", [charge("strong", 10)]), mapping=TIMES)
    found = record_of(home, rows_of(home)[0].id)
    next((home / "findings").iterdir()).write_bytes(b"changed")

    with pytest.raises(IntegrityBroken, match="is not the file that was written"):
        findings_of(home, found)
