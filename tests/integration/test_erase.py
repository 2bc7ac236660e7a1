"""A person who is erased is nowhere any more, and every proof still holds."""

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.records.check import receipt_of, trusting
from gateway.app.records.erase import erase
from gateway.cli.root import run
from gateway.errors import LocalFileError, Refused
from gateway.model.erasure import FORGOTTEN, NOWHERE
from gateway.model.strict import read_strict_object
from gateway.service.erasing import Erased
from tests.fakes.forgetting import PERSON, WUHAN_PLATFORM, YUNXI, copied, everywhere, secrets_of, write_csv
from tests.fakes.homes import (
    audited,
    bytes_below,
    convert,
    rows_of,
    trip,
    write_trips,
    yunxi_ride,
)
from tests.fakes.searching import found_in, spellings

ASIDE = 8  # rows of rides.csv and of the file named after the person that name them in some way


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the home once; every test has a copy."""
    with pytest.MonkeyPatch.context() as patch:
        yield everywhere(tmp_path_factory.mktemp("erase"), patch)


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return copied(made, tmp_path, monkeypatch)


def set_aside(home: Path) -> list[dict[str, Any]]:
    """Return all rows that were set aside."""
    files = sorted((home / "quarantine").rglob("*.ndjson"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def forget(home: Path) -> set[bytes]:
    """Erase the person at both platforms; returns what must not be found from then on."""
    wanted = secrets_of(home, YUNXI) | secrets_of(home, WUHAN_PLATFORM)
    for platform in (YUNXI, WUHAN_PLATFORM):
        assert erase(home, PERSON, platform=platform).log_entry is not None
    return wanted


def mapping_of(home: Path) -> Path:
    return home.parent / "yunxi.yaml"


def test_nothing_of_an_erased_person_is_left_in_any_spelling(home: Path) -> None:
    kept = (home, home.parent / "state")
    wanted = secrets_of(home, YUNXI) | secrets_of(home, WUHAN_PLATFORM)
    places = {Path(place).relative_to(home).parts[0] for place, _ in found_in(wanted, *kept)}
    assert places == {"index", "quarantine", "records", "tanqiao.db"}, "the search finds what is there"

    assert forget(home) == wanted

    assert found_in(wanted, *kept) == []
    assert audited(home).differences == []


def test_what_is_found_is_counted_and_a_dry_run_changes_nothing(home: Path) -> None:
    before = bytes_below(home)

    dry = erase(home, PERSON, platform=YUNXI, dry_run=True)

    assert {
        path: data for path, data in bytes_below(home).items() if "tanqiao.db-" not in path.name
    } == before
    assert dry == Erased(7, 3, ASIDE, 2, 1, None)
    done = erase(home, PERSON, platform=YUNXI)
    assert asdict(done) == {**asdict(dry), "log_entry": done.log_entry}


def test_what_was_set_aside_keeps_its_place_and_its_reason_and_others_keep_all(home: Path) -> None:
    before = set_aside(home)

    erase(home, PERSON, platform=YUNXI)

    after = set_aside(home)
    assert [(line["row"], line["code"]) for line in after] == [(line["row"], line["code"]) for line in before]
    emptied = [line for line in after if "erased" in line]
    assert len(emptied) == ASIDE
    assert all(set(line) <= {"file", "row", "code", "field", "erased"} for line in emptied)
    assert {line["file"] for line in emptied} == {"rides.csv", "erased"}
    assert [line for line in after if "erased" not in line] == [
        line for line, mine in zip(before, after, strict=True) if "erased" not in mine
    ]
    assert {line["fields"].get("行程编号") for line in after if "fields" in line} >= {"YX-100003"}


def test_rows_of_others_beside_an_erased_one_stay_byte_for_byte_and_safe_to_look_at(home: Path) -> None:
    """A number beyond 64 bits, a formula, a mark that turns the reading order around, also in a name."""
    others = [
        {**trip(60, distance_km="x"), "big": 2**70 + 1, "=cmd": "=1+1", "note": "a\u202eb"},
        trip(61, user_id="user-61", distance_km="y"),
    ]
    rows = [others[0], trip(62, user_id=PERSON, distance_km="x"), others[1]]
    file = home.parent / "=new\u202e.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    convert(home, file)
    [kept] = [
        path for path in (home / "quarantine").rglob("*") if path.is_file() and "big" in path.read_text()
    ]
    before = kept.read_bytes().splitlines()

    erase(home, PERSON, platform=WUHAN_PLATFORM)
    after = kept.read_bytes().splitlines()
    convert(home, file)

    assert len(before) == 3
    assert (after[0], after[2]) == (before[0], before[2])
    assert b'"erased":true' in after[1]
    assert "\u202e" not in kept.read_text("utf-8")
    assert b'"=' not in kept.read_bytes()
    assert kept.read_bytes().splitlines() == after


def test_the_same_account_at_another_platform_is_another_person(home: Path) -> None:
    wanted = secrets_of(home, WUHAN_PLATFORM)
    erase(home, PERSON, platform=YUNXI)

    with open_home(home) as opened:
        pseudonym = opened.index().pseudonym(WUHAN_PLATFORM, PERSON)
    assert sum(row.person == pseudonym for row in rows_of(home)) == 4
    assert found_in(wanted, home / "quarantine")


def test_the_index_remembers_that_an_event_was_recorded_and_no_more(home: Path) -> None:
    with open_home(home) as opened:
        theirs, other = (opened.index().event(YUNXI, f"YX-00000{number}") for number in (4, 5))
        before = opened.journal.known_events([other])

    erase(home, PERSON, platform=YUNXI)

    with open_home(home) as opened:
        marks = opened.journal.known_events([theirs, other])
    assert marks[theirs] == (FORGOTTEN, NOWHERE, NOWHERE)
    assert marks[other] == before[other]


def test_receipts_given_out_before_and_those_of_others_still_verify(home: Path) -> None:
    erase(home, PERSON, platform=YUNXI)

    checks = trusting(home / "trust")
    for name in ("theirs", "another"):
        given = (home.parent / f"{name}.json").read_bytes()
        record = checks.verify(given)
        anew = receipt_of(home, str(record["id"]), disclose=[])
        assert checks.verify(anew) == record
    assert checks.verify(receipt_of(home, str(record["id"]), disclose=["event", "subject"])) == record


def test_an_erased_record_can_be_shown_and_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((home.parent / "theirs.json").read_bytes())["record"]
    another = json.loads((home.parent / "another.json").read_bytes())["record"]
    erase(home, PERSON, platform=YUNXI)

    for document, erased in ((record, True), (another, False)):
        assert run(["record", "show", document["id"], "--home", str(home), "--private"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["record"] == document
        assert shown["erased"] is erased
        assert (shown["private"] == {"event": None, "pseudonym": None}) is erased
    assert run(["receipt", "show", record["id"], "--home", str(home), "--disclose", "subject"]) == 3
    assert "was erased with its person" in capsys.readouterr().err
    assert run(["record", "find", "YX-000004", "--home", str(home)]) == 3
    assert "its person was erased since" in capsys.readouterr().err


def test_the_same_files_again_count_nothing_and_bring_nothing_back(home: Path) -> None:
    wanted = forget(home)
    before, aside = rows_of(home), set_aside(home)

    again = convert(home, home.parent / "rides.csv", mapping=mapping_of(home))

    assert (again.accepted, again.points, again.duplicates) == (0, 0, 31)
    assert rows_of(home) == before
    assert set_aside(home) == aside, "what was erased stays so, and what others sent stays as it was"
    assert found_in(wanted, home) == []
    assert audited(home).differences == []


def test_an_erased_act_that_comes_with_other_content_is_a_repetition_and_is_not_kept(home: Path) -> None:
    wanted = forget(home)
    changed = [yunxi_ride("YX-000004", PERSON, "2025-03-10 08:00:00", km="77")]

    counts = convert(home, write_csv(home.parent / "new.csv", changed), mapping=mapping_of(home))

    assert (counts.duplicates, counts.accepted, dict(counts.rejected)) == (1, 0, {})
    assert found_in(wanted, home) == []


def test_a_new_act_makes_the_person_known_again_and_finds_the_cap_used(home: Path) -> None:
    with open_home(home) as opened:
        pseudonym = opened.index().pseudonym(YUNXI, PERSON)
    day = "2025-03-10"
    granted = sum(row.points for row in rows_of(home) if (row.person, row.day) == (pseudonym, day))
    assert granted == 200, "the cap of the day is used up"
    erase(home, PERSON, platform=YUNXI)

    new = [
        yunxi_ride("YX-300001", PERSON, f"{day} 20:00:00"),
        yunxi_ride("YX-300002", PERSON, "2025-03-13 08:00:00"),
    ]
    counts = convert(home, write_csv(home.parent / "new.csv", new), mapping=mapping_of(home))

    assert (counts.accepted, counts.points) == (2, 143)
    assert audited(home).differences == []
    assert erase(home, PERSON, platform=YUNXI).records == 2
    assert audited(home).differences == []


def test_the_notice_in_the_log_tells_nothing_but_that_it_happened(home: Path) -> None:
    entries = [erase(home, PERSON, platform=platform).log_entry for platform in (YUNXI, WUHAN_PLATFORM)]

    with open_home(home) as opened:
        bodies = [read_strict_object(opened.log.entry(int(entry or 0)))["body"] for entry in entries]
    for body in bodies:
        assert isinstance(body, dict)
        assert set(body) == {"type", "issuer", "notice", "issued"}
        assert body["type"] == "tanqiao/erasure/1"
    assert len({str(body["notice"]) for body in bodies if isinstance(body, dict)}) == 2


def test_what_killed_runs_have_left_goes_too(home: Path) -> None:
    """Half-written files, record files of a part that was never decided, and temporary files."""
    file = next(path for path in (home / "quarantine").rglob("*.ndjson") if PERSON in path.read_text("utf-8"))
    record = next(path for path in (home / "records").rglob("*.parquet") if "yunxi" in str(path))
    file.with_name(file.name + ".half").write_bytes(file.read_bytes())
    record.with_name("batch-000000099.parquet").write_bytes(record.read_bytes())
    record.with_name("batch-000000099.parquet.half").write_bytes(record.read_bytes())
    (home / "tmp").mkdir(exist_ok=True)
    (home / "tmp" / "left").write_bytes(file.read_bytes())

    assert found_in(forget(home), home) == []
    assert not (home / "erasing").exists()


@pytest.mark.parametrize("name", ["records/notes.txt", "quarantine/notes.csv", "quarantine/notes.ndjson"])
def test_a_file_that_nobody_knows_is_named_and_nothing_is_changed(home: Path, name: str) -> None:
    (home / name).write_text(f"{PERSON}\n", "utf-8")
    before = bytes_below(home / "records", home / "quarantine")

    with pytest.raises(Refused, match=name):
        erase(home, PERSON, platform=YUNXI)

    assert bytes_below(home / "records", home / "quarantine") == before
    (home / name).unlink()
    assert erase(home, PERSON, platform=YUNXI).records == 7


def test_a_set_aside_file_that_was_damaged_is_named(home: Path) -> None:
    file = next((home / "quarantine").rglob("*.ndjson"))
    file.write_bytes(b"{\n" + file.read_bytes())

    with pytest.raises(LocalFileError, match="line 1 of"):
        erase(home, PERSON, platform=YUNXI)


def test_a_person_only_among_rows_that_were_set_aside_is_erased_without_a_notice(home: Path) -> None:
    rejected = [yunxi_ride("YX-400001", "居民-9-99999", "2025-03-10 09:00:00", km="x")]
    convert(home, write_csv(home.parent / "new.csv", rejected), mapping=mapping_of(home))

    erased = erase(home, "居民-9-99999", platform=YUNXI)

    assert erased == Erased(rows_set_aside=1, files_set_aside=1)
    assert found_in(spellings("居民-9-99999"), home) == []
    assert audited(home).differences == []


def test_a_short_account_takes_no_figure_for_itself(home: Path) -> None:
    """An account called 3: 10.3 km, the third of the month and row 3 are not that person."""
    rows = [
        yunxi_ride("YX-500001", "3", "2025-03-03 09:00:00", km="x"),
        yunxi_ride("YX-500002", "居民-3", "2025-03-03 09:00:00", km="10.3y"),
    ]
    convert(home, write_csv(home.parent / "new.csv", rows), mapping=mapping_of(home))

    assert erase(home, "3", platform=YUNXI) == Erased(rows_set_aside=1, files_set_aside=1)


def command(home: Path, *more: str, platform: str = YUNXI) -> int:
    return run(["erase", "--home", str(home), "--platform", platform, *more, "--format", "json"])


@pytest.mark.parametrize("how", ["stdin", "file", "argument", "asked"])
def test_the_account_is_taken_from_where_nobody_sees_it_and_never_repeated(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    file = home.parent / "account.txt"
    file.write_text(f"{PERSON}\r\n", "utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_more: PERSON)
    given = {"stdin": ["-"], "file": ["--person-file", str(file)], "argument": [PERSON], "asked": []}

    assert command(home, *given[how]) == 0

    said = capsys.readouterr()
    assert json.loads(said.out)["records"] == 7
    assert PERSON not in said.out + said.err
    assert ("history" in said.err) is (how == "argument")
    assert command(home, *given[how] if how != "stdin" else ["--person-file", str(file)]) == 3
    said = capsys.readouterr()
    assert "nothing-found" in said.err
    assert PERSON not in said.out + said.err


@pytest.mark.parametrize("account", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"a\x00b", b"x" * 5000])
def test_what_is_no_account_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], account: bytes
) -> None:
    (home.parent / "account.txt").write_bytes(account)

    assert command(home, "--person-file", str(home.parent / "account.txt")) == 2
    assert "one line of text" in capsys.readouterr().err


def test_what_cannot_be_erased_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "nobody at all") == 3
    assert "nothing-found" in capsys.readouterr().err
    assert command(home, PERSON, platform="cn-310000/shanghai") == 2
    assert YUNXI in capsys.readouterr().err
    assert command(home, PERSON, "--person-file", "x") == 2
    assert command(home, "--person-file", str(home / "absent")) == 3


def test_acts_of_wuhan_in_json_lines_come_again_as_repetitions(home: Path) -> None:
    wanted = forget(home)
    again = [trip(number, user_id=PERSON) for number in (0, 3)]

    counts = convert(home, write_trips(home.parent / "again.ndjson", again))

    assert (counts.duplicates, counts.accepted) == (2, 0)
    assert found_in(wanted, home) == []
    assert audited(home).differences == []


def test_what_the_database_has_deleted_is_gone_from_its_file(home: Path) -> None:
    """Many builds of SQLite leave what was deleted where it stood, until another row needs the place."""
    with closing(sqlite3.connect(home / "tanqiao.db")) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE old (name TEXT)")
        connection.execute("INSERT INTO old VALUES (?)", ["deleted-but-still-there" * 300])
        connection.commit()
        connection.execute("DELETE FROM old")
        connection.commit()
    assert b"deleted-but-still-there" in (home / "tanqiao.db").read_bytes()

    erase(home, PERSON, platform=YUNXI)

    assert found_in([b"deleted-but-still-there"], home) == []
