"""What an audit can still tell of a home in which persons were erased, and what it notices."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from gateway.app.base.home import open_home
from gateway.app.base.mappings import Reading
from gateway.app.records.convert import convert_files
from gateway.app.records.days import close_day_of
from gateway.app.records.erase import erase
from gateway.model.erasure import FORGOTTEN, NOWHERE
from gateway.model.strict import read_strict_object
from gateway.store.files.sorted_runs import Entries
from tests.fakes.homes import (
    audited,
    capped_mapping,
    change_database,
    convert,
    convert_in_parts,
    make_home,
    rows_of,
    trip,
    write_trips,
    yunxi_ride,
)
from tests.integration.test_tamper import change_index, rewrite

YUNXI, WUHAN_PLATFORM = "cn-000000/yunxi", "cn-420100/wuhan"
CAPS = {
    "points of a person": "name: c, of: points, per: [person, local_day], max: 400",
    "acts of a person": "name: c, of: acts, per: [person, month], max: 3",
    "reduction of a person": 'name: c, of: reduction, per: [person, month], max: "3000", unit: gCO2e',
    "points of a household": "name: c, of: points, per: [household, local_day], max: 700",
    "acts of a household, full ones refused": (
        "name: c, of: acts, per: [household, month], max: 6, when_full: reject"
    ),
    "points of a platform": "name: c, of: points, per: [platform, month], max: 2000",
    "reduction of a platform": 'name: c, of: reduction, per: [platform, ever], max: "25000", unit: gCO2e',
}
MODES = ("accepted_sequence", "late: counts_on_activity_day")


def household_mapping(path: Path, *caps: str) -> Path:
    """Write rules with caps, for rides that also name a household."""
    full = [f"{cap}, order: {MODES[0]}, {MODES[1]}" for cap in caps]
    text = capped_mapping(path, *full).read_text("utf-8")
    head, person, rest = text.partition("    person: {path: /用户, type: pseudonym}\n")
    assert person
    path.write_text(head + person + "    household: {path: /家庭, type: pseudonym}\n" + rest, "utf-8")
    return path


def rides(count: int) -> list[dict[str, str]]:
    """Make rides of six persons in three households, in the order of acceptance; the first lead their own."""
    return [
        {
            **yunxi_ride(
                f"e-{number:04d}",
                f"member-{number % 6}",
                f"2025-03-{10 + number % 2} 08:00:00",
                km=f"{3 + number % 9}",
            ),
            "家庭": f"member-{number % 3}",
        }
        for number in range(count)
    ]


@pytest.mark.parametrize(
    "caps", [[cap] for cap in CAPS.values()] + [list(CAPS.values())[1:6:2]], ids=[*CAPS, "several"]
)
def test_caps_are_still_recomputed_once_persons_are_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caps: list[str]
) -> None:
    """Persons are erased one after the other, with new acts in between: some alone, some of one household."""
    home = make_home(tmp_path, monkeypatch)
    named = [cap.replace("name: c", f"name: c{number}") for number, cap in enumerate(caps)]
    mapping = household_mapping(tmp_path / "yunxi.yaml", *named)
    made = rides(60)
    convert_in_parts(home, [write_trips(tmp_path / "a.ndjson", made[:40])], 12, mapping=mapping)
    for turn, person in enumerate((0, 3, 1)):
        erase(home, f"member-{person}", platform=YUNXI)
        assert audited(home).differences == []
        more = write_trips(tmp_path / f"{turn}.ndjson", made[40 + turn :: 3])
        convert(home, more, mapping=mapping)
        assert audited(home).differences == []
    erase(home, "member-0", platform=YUNXI)
    assert audited(home).differences == []


def test_a_household_that_goes_by_a_members_account_is_forgotten_with_that_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    mapping = household_mapping(tmp_path / "yunxi.yaml", CAPS["points of a household"])
    convert(home, write_trips(tmp_path / "a.ndjson", rides(24)), mapping=mapping)
    with open_home(home) as opened:
        pseudonym = opened.index().pseudonym(YUNXI, "member-0")

    assert erase(home, "member-0", platform=YUNXI).records == 4

    rows = rows_of(home)
    assert all(pseudonym not in (row.person, row.household) for row in rows)
    assert sum(row.person is None for row in rows) == 4
    assert sum(row.household is None for row in rows) == 8
    assert audited(home).differences == []


def test_a_limit_that_changed_within_a_period_leaves_bounds_and_no_false_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second version doubles a yearly limit: what the first has cut cannot be told exactly any more."""
    home = make_home(tmp_path, monkeypatch)
    first = household_mapping(tmp_path / "v1.yaml", "name: c, of: points, per: [household, year], max: 300")
    text = (
        first.read_text("utf-8")
        .replace("version: 1", "version: 2\nsupersedes: 1")
        .replace("max: 300", "max: 600")
    )
    second = tmp_path / "v2.yaml"
    second.write_text(
        text.replace("{from: 2025-01-01, basis: activity_start", "{from: 2025-03-11, basis: activity_start"),
        "utf-8",
    )
    made = [{**ride, "家庭": "h-1"} for ride in rides(24)]
    early = write_trips(tmp_path / "a.ndjson", [ride for ride in made if "-10 " in ride["开始时间"]])
    late = write_trips(tmp_path / "b.ndjson", [ride for ride in made if "-11 " in ride["开始时间"]])
    for file in (early, late):
        convert_files(home, [file], reading=Reading("common", [str(first), str(second)]))
    assert audited(home).differences == []

    for person in (1, 3):
        erase(home, f"member-{person}", platform=YUNXI)
        assert audited(home).differences == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home with caps in which one person of six was erased."""
    home = make_home(tmp_path, monkeypatch)
    mapping = household_mapping(
        tmp_path / "yunxi.yaml",
        CAPS["points of a person"],
        CAPS["acts of a person"].replace("name: c", "name: d"),
    )
    convert(home, write_trips(tmp_path / "a.ndjson", rides(24)), mapping=mapping)
    erase(home, "member-2", platform=YUNXI)
    assert audited(home).differences == []
    return home


TAMPERED = {
    "carried points": ("UPDATE carried_usage SET used = used - 1 WHERE cap = 'c'", "caps: erased records"),
    "carried acts beyond": (
        "UPDATE carried_usage SET used = used + 9 WHERE cap = 'd'",
        "caps: erased records",
    ),
    "carried forgotten": ("DELETE FROM carried_usage", "caps: erased records"),
    "carried under another name": (
        "UPDATE carried_usage SET key = zeroblob(16) WHERE cap = 'd'",
        "caps: the use",
    ),
    "erasure forgotten": ("DELETE FROM erasures", "does not know this erasure"),
    "erasure renamed": ("UPDATE erasures SET notice = '00'", "does not know this erasure"),
    "erasure invented": ("INSERT INTO erasures VALUES ('ff', 1, 0)", "erasure ff of the journal"),
    "more records without a person": ("UPDATE erasures SET records = records - 1", "records: 4 records"),
}


@pytest.mark.parametrize(("statement", "said"), TAMPERED.values(), ids=TAMPERED)
def test_what_is_kept_of_an_erasure_cannot_be_changed_unseen(home: Path, statement: str, said: str) -> None:
    change_database(home, statement)

    assert said in "\n".join(audited(home).differences)


@pytest.mark.parametrize(("forgotten", "said"), [(True, "the index has"), (False, "does not lead to it")])
def test_the_index_forgets_no_event_unseen(home: Path, forgotten: bool, said: str) -> None:
    """One that was erased must not come again as new; one that was not must lead to its record."""
    emptied = FORGOTTEN + NOWHERE.to_bytes(4, "little") * 2

    def change(entries: Entries) -> Entries:
        place = [value == emptied for value in entries["value"].tolist()].index(forgotten)
        if forgotten:
            return np.delete(entries, place)
        entries["value"][place] = np.void(emptied)
        return entries

    change_index(home, "events", change)

    assert said in "\n".join(audited(home).differences)


@pytest.mark.parametrize("column", ["event", "event_salt", "person", "subject_salt"])
def test_a_person_who_is_erased_in_part_or_behind_the_journals_back_is_noticed(
    home: Path, column: str
) -> None:
    with open_home(home) as opened:
        file = opened.journal.files(0)[0]
        rows = opened.records.read(file)
    place = next(place for place, row in enumerate(rows) if row.person is not None)
    empty = dict.fromkeys(("event", "event_salt", "person", "subject_salt", "household"))
    for changes, said in (({column: None}, "empty in part"), (empty, "records are without their person")):
        changed = [row._replace(**changes) if number == place else row for number, row in enumerate(rows)]
        rewrite(home / "records" / file.path, changed)
        digest = sha256((home / "records" / file.path).read_bytes()).hexdigest()
        change_database(home, "UPDATE files SET digest = ? WHERE path = ?", digest, file.path)
        assert said in "\n".join(audited(home).differences)


DAY = "2025-03-16"


def day_of(persons: dict[str, int], *, first: int = 0) -> list[dict[str, str]]:
    """Make acts of one day: so many by metro and one by bicycle for each person."""
    kinds = [
        (person, kind)
        for person, count in persons.items()
        for kind in ["metro"] * count + ["bicycle"] * (count > 1)
    ]
    return [
        trip(
            first + number,
            user_id=person,
            trip_type=kind,
            start_time=f"{DAY}T08:00:00+08:00",
            distance_km="3.000",
        )
        for number, (person, kind) in enumerate(kinds)
    ]


def stated(home: Path) -> dict[str, object]:
    """Close the day and return what is said in public."""
    close_day_of(home, DAY)
    with open_home(home) as opened:
        body = read_strict_object(opened.log.entry(opened.log.size - 1))["body"]
    assert isinstance(body, dict)
    return dict(body)


@pytest.mark.parametrize("others", [7, 8, 9, 10, 14])
def test_a_day_that_was_stated_before_an_erasure_still_follows_from_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Around the limit of ten persons: withheld, merged and open cells. Two erased persons may be one."""
    home = make_home(tmp_path, monkeypatch)
    persons = {"user-who-goes": 4} | {f"user-{number}": 1 + number % 2 for number in range(others)}
    convert(home, write_trips(tmp_path / "a.ndjson", day_of(persons)))
    stated(home)
    assert audited(home).differences == []

    for person in ("user-who-goes", "user-0", "user-1"):
        erase(home, person, platform=WUHAN_PLATFORM)

    assert audited(home).differences == []
    convert(home, write_trips(tmp_path / "b.ndjson", day_of({"user-late": 1}, first=500)))
    change_database(home, "UPDATE days SET through = 5")
    assert "other sums" in "\n".join(audited(home).differences)


@pytest.mark.parametrize(("others", "withheld"), [(8, True), (9, False)])
def test_erased_records_count_as_one_person_when_a_day_is_stated_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int, withheld: bool
) -> None:
    """Five acts of one erased person must not stand for five: a cell of nine persons stays shut."""
    home = make_home(tmp_path, monkeypatch)
    persons = {"user-who-goes": 5} | {f"user-{number}": 1 for number in range(others)}
    convert(home, write_trips(tmp_path / "a.ndjson", day_of(persons)))
    erase(home, "user-who-goes", platform=WUHAN_PLATFORM)

    assert stated(home).get("withheld", False) is withheld
    assert audited(home).differences == []
