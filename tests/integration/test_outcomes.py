"""What each row of a submission is told, whatever became of it and wherever a sequencer was killed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.app.records.erase import erase
from gateway.store.files.records import ParquetRecordFiles
from gateway.store.journal.decisions import SqlJournal
from gateway.store.log.tiles import LogFolder
from gateway.store.serving.operations import SqlOperations
from tests.fakes.claims import NOON, PLATFORMS, At, linked_home, seen, write_mapping
from tests.fakes.claims import submit as claimed
from tests.fakes.exports import edited_mapping
from tests.fakes.homes import audited, convert, make_home, points_by_event, rows_of, trip, write_trips
from tests.fakes.publications import version_three
from tests.fakes.sequencing import Killed, sequencing
from tests.fakes.serving import WUHAN_PLATFORM

GONE = "somebody-who-was-erased"
FIRST = [trip(1), trip(2, distance_km="none"), trip(3), trip(1), {"trip_id": "?"}, trip(4)]
SECOND = [trip(3), trip(100), trip(101), trip(4, distance_km="9.001"), trip(5), trip(5), trip(6)]
TOLD = [
    "accepted", "not-a-decimal", "accepted", "duplicate", "missing-field", "accepted",
    "duplicate", "duplicate", "duplicate", "duplicate-event", "accepted", "duplicate", "accepted",
]  # fmt: skip
Step = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home that knows two trips, of which one is of somebody who was erased."""
    made = make_home(tmp_path, monkeypatch)
    convert(made, write_trips(tmp_path / "before.ndjson", [trip(100), trip(101, user_id=GONE)]))
    erase(made, GONE, platform=WUHAN_PLATFORM)
    with sequencing(made) as held:
        held.enrol(WUHAN_PLATFORM)
    return made


def told(home: Path, some: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return of each row its outcome or code, and the event of the record that it names."""
    events = {row.id: str(row.event) for row in rows_of(home)}
    return [
        (one.get("code") or one["outcome"], events[one["record"]] if one.get("record") else "")
        for one in some
    ]


def converted(home: Path, *, part_rows: int) -> list[tuple[str, str]]:
    with sequencing(home, part_rows=part_rows) as held:
        held.sequencer.resume()
        held.sequencer.step()
        found = [one for name in ("first", "second") for one in held.outcomes(name)]
    return told(home, found)


def submit(home: Path) -> None:
    with sequencing(home) as held:
        held.submit("first", FIRST)
        held.submit("second", SECOND)


@pytest.mark.parametrize("part_rows", [1, 100])
def test_each_row_learns_its_fate_however_the_rows_are_cut(home: Path, part_rows: int) -> None:
    submit(home)

    found = converted(home, part_rows=part_rows)

    assert [outcome for outcome, _ in found] == TOLD
    stated = [row["trip_id"] for row in FIRST + SECOND]
    named = [(outcome, event) for outcome, event in found if outcome in ("accepted", "duplicate")]
    expected = [
        (outcome, "" if event == "WH-000101" else event)
        for outcome, event in zip(TOLD, stated, strict=True)
        if outcome in ("accepted", "duplicate")
    ]
    assert named == expected
    assert audited(home).differences == []


def killing(real: Step, number: int, *, after: bool) -> Step:
    """Return a step that is killed before or after it was come to for the nth time."""
    calls = iter(range(1, 1000))

    def step(*given: object, **named: object) -> object:
        now = next(calls) == number
        if now and not after:
            raise Killed
        done = real(*given, **named)
        if now:
            raise Killed
        return done

    return step


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("owner", "name", "number"),
    [
        (ParquetRecordFiles, "write", 3),
        (SqlJournal, "decide", 2),
        (LogFolder, "append", 1),
        (SqlJournal, "finish", 1),
        (SqlOperations, "finish", 1),
    ],
)
def test_the_rows_of_a_sequencer_that_was_killed_are_told_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch, *, owner: type, name: str, number: int, after: bool
) -> None:
    submit(home)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, killing(getattr(owner, name), number, after=after))
        with pytest.raises(Killed):
            converted(home, part_rows=2)

    found = converted(home, part_rows=100)  # the parts are cut as they were before

    assert [outcome for outcome, _ in found] == TOLD
    assert [event for outcome, event in found if outcome == "accepted"] == [
        "WH-000001", "WH-000003", "WH-000004", "WH-000005", "WH-000006",
    ]  # fmt: skip


def test_a_row_whose_act_another_platform_has_claimed_is_refused_and_its_repetition_names_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = linked_home(tmp_path, monkeypatch)
    claimed(made, PLATFORMS[0], [seen("a-1", "an", 0, 20)])
    ride = seen("b-1", "an", 1, 20)

    with sequencing(made, mappings=[write_mapping(tmp_path, PLATFORMS[1])], clock=At(NOON)) as held:
        held.enrol(PLATFORMS[1])
        held.submit("one", [ride, ride], mapping=f"{PLATFORMS[1]}/rides", platform=PLATFORMS[1])
        held.sequencer.step()
        outcomes = held.outcomes("one")

    assert told(made, outcomes) == [("already-claimed", ""), ("duplicate", "b-1")]


VERSIONS = [Path(f"mappings/cn-420100-wuhan/travel.v{version}.yaml").resolve() for version in (1, 2)]


def test_a_version_that_comes_between_two_sequencers_makes_no_other_submission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By other rules it would be one that repeats what the killed one has recorded."""
    made = make_home(tmp_path, monkeypatch)
    newer = tmp_path / "travel.v3.yaml"
    newer.write_bytes(version_three(since="2025-03-01"))
    with sequencing(made, part_rows=2, mappings=VERSIONS) as held:
        held.enrol(WUHAN_PLATFORM)
        held.submit("rows", [trip(number) for number in range(5)])
        held.upload("file", [trip(number) for number in range(5, 10)])
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(SqlJournal, "decide", killing(SqlJournal.decide, 2, after=False))
                with pytest.raises(Killed):
                    held.sequencer.step()
        held.submit("later", [trip(20)])

    with sequencing(made, mappings=[*VERSIONS, newer]) as held:
        held.sequencer.resume()
        held.sequencer.step()
        outcomes, summary = held.outcomes("rows"), held.summary("file")

    assert [one["outcome"] for one in outcomes] == ["accepted"] * 5
    assert (summary["accepted"], summary["duplicates"], summary["resumed"]) == (5, 0, 1)
    points = points_by_event(made)
    assert points.pop("WH-000020") == 2 * 829
    assert set(points.values()) == {829}
    assert audited(made).differences == []


def meter(day: int, hour: int, steps: str = "500", *, who: str = "a") -> dict[str, str]:
    return {"Id": who, "ActivityHour": f"5/{day}/2016 {hour}:00:00 AM", "StepTotal": steps}


def test_rows_that_become_one_act_share_its_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [("{column: Id", "{path: /Id"), ("[Id]", "[/Id]"), ("{column: day", "{path: /day")]
    columns += [(f"{{column: {name}", f"{{path: /{name}") for name in ("ActivityHour", "StepTotal", "steps")]
    mapping = edited_mapping("steps_hourly", tmp_path, ("{kind: csv}", "{kind: ndjson}"), *columns)
    home = make_home(tmp_path, monkeypatch)
    rows = [meter(1, 7), meter(2, 7), meter(1, 8), meter(1, 8), meter(1, 8, "9"), meter(1, 9, "x")]
    rows += [meter(3, 1, "0"), meter(3, 2, "0"), meter(3, 2, "0"), meter(1, 9, who="b")]

    with sequencing(home, mappings=[mapping]) as held:
        meters = {"mapping": "cn-000000/meters/steps-hourly", "platform": "cn-000000/meters"}
        held.enrol(meters["platform"])
        held.submit("one", rows, **meters)
        held.submit("two", [meter(2, 8)], **meters)
        held.sequencer.step()
        outcomes = held.outcomes("one")
        (joined,) = held.outcomes("two")

    assert [outcome for outcome, _ in told(home, outcomes)] == [
        "accepted", "accepted", "accepted", "duplicate", "duplicate-event", "not-a-decimal",
        "no-reduction", "no-reduction", "no-reduction", "accepted",
    ]  # fmt: skip
    records = [one.get("record") for one in outcomes]
    assert records[0] == records[2] == records[3]
    assert records[1] == joined["record"]
    assert len({records[0], records[1], records[9]}) == 3 == len(rows_of(home))
