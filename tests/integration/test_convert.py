"""Converting as a whole: every row has one fate, every event one record, in whatever order it comes."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.sandbox import YUNXI_MAPPING, sandbox_files
from tests.fakes.homes import (
    audited,
    bytes_below,
    capped_mapping,
    convert,
    convert_in_parts,
    make_home,
    points_by_event,
    require_accounted,
    rows_of,
    trip,
    trips,
    write_trips,
    yunxi_ride,
)

DAILY = "name: daily, of: points, per: [person, local_day], max: 300, late: counts_on_activity_day"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


def quarantined(home: Path) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in sorted((home / "quarantine").rglob("*.ndjson"))
        for line in path.read_text("utf-8").splitlines()
    ]


def test_messy_files_of_three_cities_convert_and_audit(home: Path, tmp_path: Path) -> None:
    (tmp_path / "yunxi.yaml").write_text(YUNXI_MAPPING, "utf-8")
    for file in sandbox_files(seed=3, rides=150):
        (tmp_path / file.name).write_bytes(file.data)
        mapping = str(tmp_path / "yunxi.yaml") if file.mapping == "yunxi" else file.mapping

        counts = convert(home, tmp_path / file.name, mapping=mapping, adapter=file.adapter)

        require_accounted(counts)
        assert counts.rows > 0
    rows = rows_of(home)
    assert len({row.mapping for row in rows}) == 4
    assert len({row.id for row in rows}) == len(rows) > 300
    assert audited(home).differences == []
    for line in quarantined(home):
        assert {"file", "row", "code", "detail", "fields"} <= set(line)


def test_an_event_is_counted_once_within_a_file_across_files_and_across_runs(
    home: Path, tmp_path: Path
) -> None:
    made = trips(30)
    first = write_trips(tmp_path / "first.ndjson", [*made[:20], *made[5:10]])
    second = write_trips(tmp_path / "second.ndjson", made[15:25])
    third = write_trips(tmp_path / "third.ndjson", made)

    once = convert(home, first, second)
    again = convert(home, third)
    whole = convert(home, first, second, third)

    assert (once.rows, once.accepted, once.duplicates) == (35, 25, 10)
    assert (again.rows, again.accepted, again.duplicates) == (30, 5, 25)
    assert (whole.rows, whole.accepted, whole.duplicates) == (65, 0, 65)
    assert len(points_by_event(home)) == 30
    assert audited(home).differences == []


def test_a_file_given_twice_is_read_twice_and_counted_once(home: Path, tmp_path: Path) -> None:
    file = write_trips(tmp_path / "a.ndjson", trips(10))

    counts = convert(home, file, file)

    assert (counts.rows, counts.accepted, counts.duplicates) == (20, 10, 10)


@pytest.mark.parametrize("part_rows", [1, 1000])
def test_the_first_record_of_an_event_stands(home: Path, tmp_path: Path, part_rows: int) -> None:
    changes = ({"distance_km": "99"}, {"user_id": "other"}, {"trip_type": "bicycle"},
               {"start_time": "2025-03-20T08:00:00+08:00"})  # fmt: skip
    first = trip(1, start_time="2025-03-16T08:00:00+08:00")
    file = write_trips(tmp_path / "a.ndjson", [first, *({**first, **change} for change in changes), first])

    counts = convert_in_parts(home, [file], part_rows).counts

    assert (counts.accepted, counts.duplicates, dict(counts.rejected)) == (1, 1, {"duplicate-event": 4})
    assert points_by_event(home) == {"WH-000001": 829}
    assert [line["row"] for line in quarantined(home)] == [2, 3, 4, 5]
    assert audited(home).differences == []


def test_another_time_of_the_same_day_is_the_same_event(home: Path, tmp_path: Path) -> None:
    """A record holds the day and no time, so this is what a correction of minutes looks like."""
    first = trip(1, start_time="2025-03-16T08:00:00+08:00")
    file = write_trips(tmp_path / "a.ndjson", [first, {**first, "start_time": "2025-03-16T08:01:00+08:00"}])

    assert convert(home, file).duplicates == 1


def test_a_refused_event_may_come_again_repaired(home: Path, tmp_path: Path) -> None:
    broken = write_trips(tmp_path / "a.ndjson", [trip(1, distance_km="x")])
    repaired = write_trips(tmp_path / "b.ndjson", [trip(1)])

    assert convert(home, broken).rejected == {"not-a-decimal": 1}
    assert convert(home, repaired).accepted == 1


def test_a_dry_run_writes_nothing_and_predicts_the_counts(home: Path, tmp_path: Path) -> None:
    mapping = capped_mapping(tmp_path / "yunxi.yaml", DAILY + ", order: accepted_sequence, when_full: reject")
    rides = [yunxi_ride(f"e{n % 25}", f"u{n % 3}", "2025-03-16 08:00:00") for n in range(40)]
    files = [write_trips(tmp_path / "a.ndjson", rides[:20]), write_trips(tmp_path / "b.ndjson", rides[20:])]
    convert(home, files[0], mapping=mapping)
    before = bytes_below(home, tmp_path / "state")

    predicted = convert(home, *files, mapping=mapping, dry_run=True)

    assert bytes_below(home, tmp_path / "state") == before
    assert convert(home, *files, mapping=mapping) == predicted
    assert predicted.duplicates
    assert predicted.rejected


def test_a_dry_run_makes_no_records(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_trips(tmp_path / "a.ndjson", trips(5))
    monkeypatch.delattr("gateway.service.converting.finishing.make_records")

    assert convert(home, file, dry_run=True).accepted == 5


def test_a_dry_run_leaves_an_interrupted_home_as_it_was(home: Path, tmp_path: Path) -> None:
    file = write_trips(tmp_path / "a.ndjson", trips(5))
    (home / "staging").mkdir(exist_ok=True)
    (home / "staging" / "left.half").write_bytes(b"half")
    before = bytes_below(home)

    convert(home, file, dry_run=True)

    assert bytes_below(home) == before


def test_the_order_of_the_arguments_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trips(24)
    changed = [{**made[3], "distance_km": "77"}, {**made[9], "distance_km": "78"}]
    files = [
        write_trips(tmp_path / "b.ndjson", made[:12]),
        write_trips(tmp_path / "a.ndjson", [*made[8:20], *changed]),
        write_trips(tmp_path / "c.ndjson", made[4:]),
    ]
    found = []
    for number, order in enumerate(permutations(files)):
        home = make_home(tmp_path, monkeypatch, name=f"home-{number}")
        counts = convert(home, *order)
        require_accounted(counts)
        found.append((counts, points_by_event(home)))

    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("order", ["accepted_sequence", "activity_start"])
@pytest.mark.parametrize("when_full", ["grant_zero", "reject"])
def test_the_size_of_parts_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, order: str, when_full: str
) -> None:
    mapping = capped_mapping(tmp_path / "yunxi.yaml", f"{DAILY}, order: {order}, when_full: {when_full}")
    numbers = random.Random(5)
    rides = [
        yunxi_ride(
            f"e{numbers.randrange(60)}", f"u{numbers.randrange(4)}", f"2025-03-16 {hour:02d}:30:00", km=km
        )
        for hour, km in ((numbers.randrange(24), str(numbers.randrange(1, 15))) for _ in range(120))
    ]
    file = write_trips(tmp_path / "a.ndjson", rides)
    found = []
    for part_rows in (1, 7, 50, 10**6):
        home = make_home(tmp_path, monkeypatch, name=f"home-{part_rows}")
        summary = convert_in_parts(home, [file], part_rows, mapping=mapping)
        require_accounted(summary.counts)
        assert audited(home).differences == []
        found.append((summary.counts, points_by_event(home)))

    assert all(each == found[0] for each in found)
    assert found[0][0].rejected.get("capped-out", 0) > 0 or when_full == "grant_zero"


def test_a_cap_by_start_gives_the_same_grants_in_whatever_order_rows_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = capped_mapping(tmp_path / "yunxi.yaml", DAILY + ", order: activity_start")
    rides = [
        yunxi_ride(f"e{n}", f"u{n % 2}", f"2025-03-16 {n // 2:02d}:0{n % 2}:00", km=str(3 + n))
        for n in range(12)
    ]
    found = []
    for seed in range(4):
        home = make_home(tmp_path, monkeypatch, name=f"home-{seed}")
        random.Random(seed).shuffle(rides)
        convert_in_parts(home, [write_trips(tmp_path / "a.ndjson", rides)], 5, mapping=mapping)
        assert audited(home).differences == []
        found.append(points_by_event(home))

    assert all(each == found[0] for each in found)
    assert [found[0][f"e{n}"] for n in range(0, 12, 2)] == [43, 71, 100, 86, 0, 0]


def test_two_caps_of_which_one_rejects_leave_a_home_that_audits(home: Path, tmp_path: Path) -> None:
    """What a rejected act would have used of the other cap is not kept, not even as nothing."""
    mapping = capped_mapping(
        tmp_path / "yunxi.yaml",
        "name: daily, of: acts, per: [person, local_day], max: 2, order: accepted_sequence,"
        " late: counts_on_activity_day",
        "name: always, of: acts, per: [person, ever], max: 3, order: accepted_sequence,"
        " late: counts_on_activity_day, when_full: reject",
    )
    rides = [yunxi_ride(f"e{n}", "u", f"2025-03-{10 + n // 2} 08:00:00") for n in range(10)]

    counts = convert(home, write_trips(tmp_path / "a.ndjson", rides), mapping=mapping)

    assert (counts.accepted, counts.rejected) == (3, {"capped-out": 7})
    assert audited(home).differences == []


class DayByDay:
    """A clock on which every look takes a day: whoever looks twice for one moment gives himself away."""

    def __init__(self) -> None:
        self._now = datetime(2025, 3, 16, 23, tzinfo=UTC)

    def now(self) -> datetime:
        """Return a day later each time."""
        self._now += timedelta(days=1)
        return self._now


def test_caps_are_audited_by_the_moment_they_were_granted_at(home: Path, tmp_path: Path) -> None:
    mapping = capped_mapping(
        tmp_path / "yunxi.yaml",
        "name: daily, of: points, per: [person, local_day], max: 200, order: accepted_sequence,"
        " late: counts_on_acceptance_day",
    )
    rides = [yunxi_ride(f"e{n}", "u", "2025-03-10 08:00:00") for n in range(9)]
    file = write_trips(tmp_path / "a.ndjson", rides)

    counts = convert_in_parts(home, [file], 3, mapping=mapping, clock=DayByDay()).counts

    assert counts.points == 3 * 200
    assert audited(home).differences == []


def test_the_version_is_chosen_by_the_day_of_the_act(home: Path, tmp_path: Path) -> None:
    rides = {
        "before all": trip(1, trip_type="bicycle", start_time="2023-06-01T23:59:59+08:00"),
        "first of version 1": trip(2, trip_type="bicycle", start_time="2023-06-02T00:00:00+08:00"),
        "last of version 1": trip(3, trip_type="bicycle", start_time="2024-09-01T15:59:59Z"),
        "first of version 2": trip(4, trip_type="bicycle", start_time="2024-09-01T16:00:00Z"),
    }

    counts = convert(home, write_trips(tmp_path / "a.ndjson", rides.values()))

    assert counts.rejected == {"mapping-not-in-force": 1}
    assert points_by_event(home) == {"WH-000002": 422, "WH-000003": 422, "WH-000004": 986}
    assert [row.day for row in rows_of(home)] == ["2023-06-02", "2024-09-01", "2024-09-02"]


def test_taps_older_than_the_methodology_are_rejected_and_say_why(home: Path, tmp_path: Path) -> None:
    columns = (
        "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no,conn_mark,"
        "close_date"
    )
    taps = [
        "INVENTED1,2018-08-31 08:00:00,地铁入站,0,0,268000001,地铁,甲,-,0,2018-09-01 00:00:00",
        "INVENTED1,2018-08-31 08:40:00,地铁出站,475,500,268000002,地铁,乙,-,0,2018-09-01 00:00:00",
    ]
    file = tmp_path / "taps.csv"
    file.write_text("\n".join([columns, *taps]) + "\n", "utf-8")

    counts = convert(home, file, mapping="cn-440300/shenzhen/transport", adapter="shenzhen_transit")

    assert (counts.rows, counts.merged, counts.rejected) == (2, 1, {"mapping-not-in-force": 1})
    assert quarantined(home)[0]["also"] == [{"file": "taps.csv", "row": 1}]


def test_nobody_and_no_place_or_time_is_named_outside_of_the_private_rows(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from gateway.app.log.verifying import bundle_log
    from gateway.app.records.check import record_of
    from gateway.app.records.days import close_day_of
    from gateway.cli.root import run
    from gateway.model.canonical import canonical_bytes

    rides = [
        trip(n, user_id=f"PERSON-{n:02d}", trip_id=f"EVENT-{n:02d}", start_time="2025-03-16T09:41:17+08:00")
        for n in range(12)
    ]
    rides += [{**rides[0], "distance_km": "1"}, {**rides[1], "distance_km": "SECRET-PLACE"}, {**rides[2]}]
    file = write_trips(tmp_path / "a.ndjson", [{**ride, "from_station": "SECRET-PLACE"} for ride in rides])

    assert run(["convert", str(file), "--home", str(home), "--mapping", "cn-420100/wuhan/travel"]) == 0
    assert run(["audit", "--home", str(home)]) == 0
    close_day_of(home, "2025-03-16")
    bundle_log(home, tmp_path / "bundle.tar.gz")

    public = [path.read_bytes() for path in bytes_below(home / "log", home / "trust", tmp_path / "state")]
    database = [path.read_bytes() for path in home.glob("tanqiao.db*")]
    records = [canonical_bytes(record_of(home, row.id).document) for row in rows_of(home)]
    said = capfd.readouterr()
    assert len(records) == 12
    for text in (*public, *database, *records, said.out.encode(), said.err.encode()):
        for secret in (b"PERSON-", b"EVENT-", b"SECRET-PLACE", b"09:41", b"01:41"):
            assert secret not in text
    assert any(b"EVENT-" in data for data in bytes_below(home / "quarantine").values())


def test_the_same_person_and_event_look_different_in_every_record(home: Path, tmp_path: Path) -> None:
    from gateway.app.records.check import record_of

    rides = [trip(n, user_id="one-person", start_time="2025-03-16T08:00:00+08:00") for n in range(5)]
    convert(home, write_trips(tmp_path / "a.ndjson", rides))

    documents = [record_of(home, row.id).document for row in rows_of(home)]
    for member in ("id", "event", "subject"):
        assert len({str(document[member]) for document in documents}) == 5


def test_accounts_are_kept_under_pseudonyms_and_private_files_are_for_their_owner(
    home: Path, tmp_path: Path
) -> None:
    rides = [trip(n, user_id="one-person", distance_km="1" if n else "bad") for n in range(3)]
    convert(home, write_trips(tmp_path / "a.ndjson", rides))

    assert len({row.person for row in rows_of(home)}) == 1
    private = [*bytes_below(home / "records", home / "quarantine", home / "keys")]
    assert private
    assert all(path.stat().st_mode & 0o077 == 0 for path in private)
    assert not any(b"one-person" in data for data in bytes_below(home / "records").values())


def test_a_file_that_is_not_what_it_says_is_refused_before_anything_is_written(
    home: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.ndjson.gz"
    broken.write_bytes(b"\x1f\x8b" + bytes(100))
    before = bytes_below(home / "log", home / "keys", home / "trust")

    with pytest.raises(GatewayError) as refused:
        convert(home, broken)

    assert refused.value.code == "malformed-document"
    assert bytes_below(home / "log", home / "keys", home / "trust") == before
    assert not (home / "records").exists()


def test_a_submission_is_always_cut_as_it_was_the_first_time(home: Path, tmp_path: Path) -> None:
    """Otherwise a run that goes on would take part 1 of the old cut for part 1 of the new one."""
    file = write_trips(tmp_path / "a.ndjson", [*trips(30), trip(99, distance_km="x")])
    watched: list[int] = []

    class Interrupted(Exception):
        pass

    def interrupt(rows: int) -> None:
        watched.append(rows)
        if len(watched) == 2:
            raise Interrupted

    import tests.fakes.homes as homes

    with pytest.raises(Interrupted):
        homes.convert_in_parts(home, [file], 4, watch=interrupt)
    resumed = convert_in_parts(home, [file], 1000)
    again = convert_in_parts(home, [file], 1000)

    assert resumed.resumed >= 1
    assert (resumed.counts.rows, resumed.counts.accepted, resumed.counts.rejected) == (
        31,
        30,
        {"not-a-decimal": 1},
    )
    assert (again.counts.rows, again.counts.duplicates, again.counts.rejected) == (
        31,
        30,
        {"not-a-decimal": 1},
    )
    assert Counter(line["code"] for line in quarantined(home)) == {"not-a-decimal": 1}
    assert audited(home).differences == []


def test_two_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_trips(tmp_path / "a.ndjson", [*trips(40), *trips(9), trip(99, distance_km="x")])
    found = []
    for worker in (False, True):
        home = make_home(tmp_path, monkeypatch, name=f"home-{worker}")
        counts = convert_in_parts(home, [file], 7, worker=worker).counts
        assert audited(home).differences == []
        found.append((counts, points_by_event(home), [line["row"] for line in quarantined(home)]))

    assert found[0] == found[1]


def test_an_error_in_the_other_process_is_the_same_error(home: Path, tmp_path: Path) -> None:
    """The end of the file is where it breaks, so that rows before it are on their way already."""
    import gzip

    whole = gzip.compress(write_trips(tmp_path / "a.ndjson", trips(3000)).read_bytes(), mtime=0)
    (tmp_path / "b.ndjson.gz").write_bytes(whole[: len(whole) * 9 // 10])
    said = []
    for worker in (False, True):
        with pytest.raises(GatewayError) as refused:
            convert_in_parts(home, [tmp_path / "b.ndjson.gz"], 50, worker=worker)
        said.append((type(refused.value), str(refused.value), refused.value.code, refused.value.remedy))

    assert said[0] == said[1]
    assert said[0][2] == "malformed-document"
    assert audited(home).differences == []
