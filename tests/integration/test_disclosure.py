"""Disclosures to an auditor from end to end: what is opened, what stays closed, what is refused."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app.records.check import verifier
from gateway.app.records.disclosure import export_disclosure, verify_disclosure
from gateway.errors import GatewayError, LocalFileError, MalformedDocument, UsageError
from gateway.service.receipts.disclosing import DayScope, DisclosureMismatch, RecordScope, Verified
from gateway.signing import CommitmentMismatch
from gateway.transparency import NotInPolicy, ProofInvalid
from tests.fakes.homes import convert, convert_in_parts, make_home, rows_of, secrets_of, trips, write_trips

WUHAN_V2 = Path(__file__).resolve().parents[2] / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"
PLATFORM, DAY = "cn-420100/wuhan", "2025-03-10"
DAY_OF_WUHAN = DayScope(PLATFORM, DAY)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make one home with two days in five batches, which nothing here changes."""
    folder = tmp_path_factory.mktemp("disclosure")
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(folder, patch)
        convert_in_parts(home, [write_trips(folder / "a.ndjson", trips(30, days=2))], 8)
        convert(home, write_trips(folder / "b.ndjson", trips(5, seed=9, days=1, first=100)))
        yield home


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.ndjson"


def export(home: Path, out: Path, scope: RecordScope | DayScope, *fields: str) -> Path:
    export_disclosure(home, out, scope=scope, fields=fields, auditor="审计局 Audit Office")
    return out


def verified(home: Path, path: Path, *, mapping: bool = False) -> Verified:
    return verify_disclosure(path, home / "trust", mappings=[WUHAN_V2] if mapping else [])


@pytest.mark.parametrize("fields", [["event"], ["subject"], ["subject", "event"]], ids=str)
def test_a_day_is_disclosed_with_the_chosen_fields_and_nothing_else(
    home: Path, fields: list[str], out: Path
) -> None:
    rows = rows_of(home)
    of_day = [row for row in rows if row.day == DAY]
    assert 0 < len(of_day) < len(rows)

    path = export(home, out, DAY_OF_WUHAN, *fields)

    data, found = path.read_bytes(), verified(home, path, mapping=True)
    assert found.ids == {row.id for row in of_day}
    assert found.disclosed == dict.fromkeys(sorted(fields), len(of_day))
    assert found.co2e_mg == sum(row.co2e_mg for row in of_day)
    assert found.points == sum(row.points for row in of_day)
    assert found.heading["auditor"] == "审计局 Audit Office"
    for row in rows:
        for name, (value, salt) in secrets_of(row).items():
            opened = name in fields and row.day == DAY
            assert (salt in data) is opened
            if name == "event":
                assert (value in data) is opened
    persons = {row.person for row in of_day} if "subject" in fields else set()
    for row in rows:
        assert (secrets_of(row)["subject"][0] in data) is (row.person in persons)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_record_is_disclosed_alone_and_each_line_is_a_receipt(home: Path, out: Path) -> None:
    row = rows_of(home)[7]

    path = export(home, out, RecordScope(row.id), "event")

    _, line = path.read_bytes().splitlines()
    checks = verifier((home / "trust" / "policy").read_bytes(), (home / "trust" / "keys.json").read_bytes())
    assert checks.verify(line)["id"] == row.id
    assert verified(home, path).ids == {row.id}
    assert json.loads(line)["disclosures"] == [
        {"field": "event", "salt": secrets_of(row)["event"][1].decode(), "value": row.event}
    ]


def changed_line(number: int, change: Callable[[dict[str, Any]], None]) -> Callable[[list[str]], list[str]]:
    def changed(lines: list[str]) -> list[str]:
        document = json.loads(lines[number])
        change(document)
        return [*lines[:number], json.dumps(document), *lines[number + 1 :]]

    return changed


def opening(member: str, value: str) -> Callable[[dict[str, Any]], None]:
    return lambda line: line["disclosures"][0].update({member: value})


def heading(**changes: Any) -> Callable[[list[str]], list[str]]:
    return changed_line(0, lambda head: head.update(changes))


def twice(line: dict[str, Any]) -> None:
    line["disclosures"] *= 2


def more_grams(line: dict[str, Any]) -> None:
    line["record"]["reduction"]["co2e_mg"] = "7"


def exchanged(lines: list[str]) -> list[str]:
    return [lines[0], _swapped(lines[1], lines[2]), *lines[2:]]


OTHER_DAY = {"platform": PLATFORM, "day": "2025-03-11"}
OTHER_PLATFORM = {"platform": "cn-440300/x", "day": DAY}
Spoil = tuple[Callable[[list[str]], list[str]], type[GatewayError], str]
SPOILT: dict[str, Spoil] = {
    "value": (changed_line(2, opening("value", "WH-0")), CommitmentMismatch, "line 3"),
    "salt": (changed_line(2, opening("salt", "00" * 16)), CommitmentMismatch, "line 3"),
    "field": (changed_line(2, opening("field", "subject")), CommitmentMismatch, "line 3"),
    "a quantity": (changed_line(3, more_grams), ProofInvalid, "line 4"),
    "another opening": (exchanged, CommitmentMismatch, "line 2"),
    "an opening twice": (changed_line(1, twice), DisclosureMismatch, "line 2"),
    "a line left out": (lambda lines: lines[:-1], DisclosureMismatch, ""),
    "a line twice": (lambda lines: [*lines, lines[-1]], DisclosureMismatch, "line"),
    "no heading": (lambda lines: lines[1:], MalformedDocument, ""),
    "nothing": (lambda _lines: [], MalformedDocument, ""),
    "an empty line": (lambda lines: [*lines, ""], MalformedDocument, "line"),
    "heading of another day": (heading(scope=OTHER_DAY), DisclosureMismatch, "line 2"),
    "heading of another platform": (heading(scope=OTHER_PLATFORM), DisclosureMismatch, "line 2"),
    "heading with other fields": (heading(fields=["subject"]), DisclosureMismatch, "line 2"),
    "heading of another issuer": (heading(issuer="x"), DisclosureMismatch, ""),
    "heading with another count": (heading(records=1), DisclosureMismatch, ""),
    "heading with more": (heading(more=1), MalformedDocument, ""),
}


def _swapped(line: str, other: str) -> str:
    document = json.loads(line)
    document["disclosures"] = json.loads(other)["disclosures"]
    return json.dumps(document)


@pytest.mark.parametrize(("spoil", "error", "where"), SPOILT.values(), ids=SPOILT)
def test_a_changed_file_is_refused_and_the_line_is_named(
    home: Path, out: Path, spoil: Callable[[list[str]], list[str]], error: type[GatewayError], where: str
) -> None:
    path = export(home, out, DAY_OF_WUHAN, "event")
    path.write_text("".join(f"{line}\n" for line in spoil(path.read_text("utf-8").splitlines())), "utf-8")

    with pytest.raises(error) as refused:
        verified(home, path)
    assert refused.value.field.startswith(where)


def test_a_disclosure_of_another_home_is_refused(
    home: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = export(home, out, DAY_OF_WUHAN, "event")
    other = make_home(tmp_path / "other", monkeypatch)

    with pytest.raises(NotInPolicy):
        verified(other, path)


def test_what_was_erased_stays_closed_and_the_record_is_there_all_the_same(
    home: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing has no command yet, so one row is emptied where it is read."""
    from gateway.store.files.records import ParquetRecordFiles

    gone = next(row for row in rows_of(home) if row.day == DAY)
    read = ParquetRecordFiles.read
    monkeypatch.setattr(
        ParquetRecordFiles,
        "read",
        lambda self, file: [
            row._replace(event=None, event_salt=None) if row.id == gone.id else row
            for row in read(self, file)
        ],
    )

    found = verified(home, export(home, out, DAY_OF_WUHAN, "event"))

    assert gone.id in found.ids
    assert found.disclosed == {"event": len(found.ids) - 1}


def test_a_file_is_never_replaced_and_none_is_left_without_a_record(
    home: Path, out: Path, tmp_path: Path
) -> None:
    path = export(home, out, DAY_OF_WUHAN, "event")
    before = path.read_bytes()

    with pytest.raises(LocalFileError, match="exists already"):
        export(home, out, DAY_OF_WUHAN, "subject")
    for scope in (DayScope(PLATFORM, "2020-01-01"), DayScope("cn-440300/x", DAY), RecordScope("0" * 32)):
        with pytest.raises(LocalFileError, match="no record"):
            export(home, tmp_path / "none", scope, "event")
    with pytest.raises(GatewayError, match=r"U\+202E"):
        export_disclosure(home, tmp_path / "none", scope=DAY_OF_WUHAN, fields=["event"], auditor="a\u202eb")
    for auditor in ("", "a" * 201):
        with pytest.raises(UsageError, match="1 to 200"):
            export_disclosure(home, tmp_path / "none", scope=DAY_OF_WUHAN, fields=["event"], auditor=auditor)

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["out.ndjson"]
