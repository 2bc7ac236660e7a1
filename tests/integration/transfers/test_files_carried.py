"""Cities to which files are carried: a transfer ends as with any other, whatever becomes of a file."""

import csv
import io
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.sandbox.city import answer_file
from gateway.app.serving.platforms import speak
from gateway.app.transfers.corridor_files import MANIFEST, export_file, import_file, listed, write_pair
from gateway.app.transfers.moving import carrier
from gateway.errors import GatewayError
from gateway.model.canonical import digest
from gateway.service.transfers import carrying_files
from gateway.service.transfers.carrying_files import Taken
from gateway.signing import seal
from gateway.store.files.keys import FileSigner
from gateway.store.ledger.books import SqlLedger
from tests.fakes.claims import At
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id
from tests.fakes.ends import require_same_ends
from tests.fakes.servers import STORES, stores

pytestmark = pytest.mark.xdist_group("transfers")
DAY = 24 * 3600
PATIENCE_SECONDS = 90


@pytest.fixture(scope="module", params=STORES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with (
        pytest.MonkeyPatch.context() as patch,
        stores(request.param, patch),
        between_cities(tmp_path_factory.mktemp("files"), patch) as made,
    ):
        yield made


@pytest.fixture
def between(made: Between) -> Iterator[Between]:
    """Carry files to the source, unless a test says otherwise."""
    spoken(made, SOURCE)
    yield made
    spoken(made)
    with made.carried():
        _drained(made)
    require_same_ends(made.home, list(made.cities.values()))


def _drained(made: Between) -> None:
    with open_home(made.home) as opened, opened.database.read() as connection:
        query = "SELECT id FROM transfers WHERE state NOT IN ('COMPLETED', 'ABORTED', 'REJECTED')"
        open_ones = list(connection.exec_driver_sql(query).scalars())
    for name in open_ones:
        made.until(name, "committed", "aborted")


def spoken(between: Between, *by_file: str) -> None:
    """Carry files to these cities, and speak common JSON with the others."""
    for city in between.cities.values():
        speak(between.home, city.platform, dialect="file" if city.name in by_file else "json")


def exported(between: Between, city: str, folder: Path) -> Path:
    found = export_file(between.home, between.cities[city].platform, folder=folder)
    return Path(str(found["file"]))


def answered(between: Between, city: str, file: Path) -> Path:
    return Path(str(answer_file(between.cities[city].folder, file, out=file.parent)["file"]))


def carried_once(between: Between, city: str, folder: Path) -> Taken:
    """Carry a file to a city and its answer back."""
    return import_file(between.home, answered(between, city, exported(between, city, folder)))


def later(between: Between, seconds: int) -> None:
    """Look after transfers as if so many seconds had passed."""
    with open_home(between.home) as opened, SqlLedger(opened.database) as ledger:
        clock = At(opened.clock.now() + timedelta(seconds=seconds))
        carrier(opened, ledger, clock=clock).look_after()


@pytest.mark.parametrize("by_file", [(SOURCE,), (DESTINATION,), (SOURCE, DESTINATION)], ids="+".join)
def test_a_transfer_ends_the_same_with_cities_to_which_files_are_carried(
    between: Between, tmp_path: Path, by_file: tuple[str, ...]
) -> None:
    spoken(between, *by_file)
    before = between.points(SOURCE), between.points(DESTINATION)
    name = transfer_id()
    between.start(between.quote(20), name=name)
    with between.carried():
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            for city in by_file:
                if export_file(between.home, between.cities[city].platform, folder=tmp_path)["messages"]:
                    carried_once(between, city, tmp_path)
            if between.show(name)["state"] == "committed" and not between.waiting():
                break
            until_moved(between, name)
        shown = between.until(name, "committed")
    after = between.points(SOURCE), between.points(DESTINATION)

    assert before[0] - after[0] == int(shown["points_out"])
    assert after[1] - before[1] == int(shown["points_in"])


def until_moved(between: Between, name: str) -> None:
    """Give those who are called a moment."""
    shown = between.show(name)
    for _ in range(20):
        if between.show(name) != shown:
            return
        time.sleep(0.05)


def started(between: Between, points: int = 3, **wish: Any) -> str:
    name = transfer_id()
    between.start(between.quote(points, **wish), name=name, person=wish.get("person", 1))
    return name


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(), newline="")))


def test_nothing_is_sent_where_files_are_carried(between: Between, tmp_path: Path) -> None:
    city = between.cities[SOURCE]
    calls = city.column("SELECT count(*) FROM nonces")
    with between.carried():
        name = started(between)
        until_moved(between, name)

        assert city.column("SELECT count(*) FROM nonces") == calls
        (row,) = {one["transfer"]: one for one in rows_of(exported(between, SOURCE, tmp_path))}.values()
    assert (row["about"], row["transfer"], row["points"]) == ("hold", name, "3")
    assert row["expected_in_s"] == str(DAY)
    assert between.show(name)["state"] == "pending"


def test_what_is_lost_on_the_way_is_in_the_next_file(between: Between, tmp_path: Path) -> None:
    name = started(between)
    lost = exported(between, SOURCE, tmp_path)
    again = exported(between, SOURCE, tmp_path)
    lost_answer = answered(between, SOURCE, again)
    third = exported(between, SOURCE, tmp_path)
    taken = import_file(between.home, answered(between, SOURCE, third))

    assert rows_of(lost) == rows_of(again) == rows_of(third)
    assert taken.news == 1
    assert taken.missing == [(taken.sequence - 1, taken.sequence - 1)]
    late = import_file(between.home, lost_answer)
    assert (late.news, late.known, late.missing, late.repeated) == (0, 1, [], False)
    assert between.show(name)["state"] == "pending"


def test_the_same_file_twice_changes_nothing(between: Between, tmp_path: Path) -> None:
    started(between)
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    first, second = import_file(between.home, file), import_file(between.home, file)

    assert (first.news, first.known, first.repeated) == (1, 0, False)
    assert (second.news, second.known, second.repeated, second.refused) == (0, 1, True, 0)
    files = listed(between.home, between.cities[SOURCE].platform)
    numbers = [one["sequence"] for one in files if one["heading"] == "in"]
    assert numbers == list(range(1, len(numbers) + 1))


def resigned(
    between: Between, file: Path, *, city: str = SOURCE, content: bytes = b"", **changed: Any
) -> Path:
    """Write a file anew as a city would, with another manifest."""
    body = json.loads(file.with_name(file.name + MANIFEST).read_bytes())["body"]
    content = content or file.read_bytes()
    body |= {"digest": digest(content), **changed}
    other = file.with_name(f"other-{file.name}")
    other.write_bytes(content)
    signer = FileSigner(between.cities[city].folder / "http.key", "http")
    other.with_name(other.name + MANIFEST).write_bytes(seal(body, [signer]))
    return other


def refusal(between: Between, file: Path) -> str:
    with pytest.raises(GatewayError) as refused:
        import_file(between.home, file)
    return refused.value.code


def test_a_file_that_is_not_what_its_platform_signed_is_refused_whole(
    between: Between, tmp_path: Path
) -> None:
    name = started(between)
    outgoing = exported(between, SOURCE, tmp_path)
    file = answered(between, SOURCE, outgoing)
    good = file.read_bytes()
    file.write_bytes(good.replace(b"done", b"don "))

    assert refusal(between, file) == "corridor-file-altered"
    file.write_bytes(good)
    assert refusal(between, resigned(between, file, city=DESTINATION)) == "signature-invalid"
    assert refusal(between, resigned(between, file, to="elsewhere.example")) == "malformed-document"
    assert refusal(between, resigned(between, file, sequence=0)) == "malformed-document"
    stranger = {"from": "cn-000000/nobody"}
    assert refusal(between, resigned(between, file, **stranger)) == "not-admitted"
    other = {"from": between.cities[DESTINATION].platform}
    assert refusal(between, resigned(between, file, city=DESTINATION, **other)) == "other-dialect"
    assert refusal(between, outgoing) == "malformed-document"
    assert import_file(between.home, file).news == 1
    conflict = resigned(between, file, content=good.replace(b"done,", b"refused,lot-spent"))
    assert refusal(between, conflict) == "corridor-file-conflict"
    assert between.show(name)["state"] == "pending"


def test_a_bad_row_is_named_and_keeps_no_other(between: Between, tmp_path: Path) -> None:
    names = [started(between, person=person) for person in (1, 2)]
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    head, *lines = file.read_text().splitlines(keepends=True)
    mine = [line for line in lines if line.startswith(tuple(names))]
    bad = [
        mine[0].replace(",done", ",maybe"),
        mine[0].replace("sha256:", "sha256:0")[:40] + "\r\n",
        mine[0].replace(mine[0][:29], transfer_id()),
        mine[0].replace(",hold,", ",credit,"),
        re.sub("sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, mine[0]),
        "=cmd|' /C calc'!A0,hold,x,done,\r\n",
    ]
    changed = "".join([head, *bad, mine[1]]).encode()
    taken = import_file(between.home, resigned(between, file, content=changed, sequence=900))

    assert [one.row for one in taken.named] == [1, 2, 3, 4, 5, 6]
    assert [one.code for one in taken.named] == [
        "malformed-document",
        "malformed-row",
        "not-found",
        "not-found",
        "answer-differs",
        "malformed-document",
    ]
    assert all(one.remedy for one in taken.named)
    assert (taken.news, taken.sequence) == (1, 900)
    assert taken.missing[-1][1] == 899


def test_all_refused_rows_are_reported_whatever_their_number_and_name_nobody(
    between: Between, tmp_path: Path
) -> None:
    account, _ = f"{SOURCE}-00001", started(between)
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    head, line = file.read_text().splitlines(keepends=True)
    bad = f"{account},hold,{account},done,{account}\r\n"
    content = "".join([head, *[bad] * 700, line, f'"{account}\r\n']).encode()
    other = resigned(between, file, content=content, sequence=700_000)
    report = tmp_path / "report.ndjson"
    taken = import_file(between.home, other, report=report)

    assert (taken.news, taken.refused, len(taken.named)) == (1, 701, 20)
    told = [json.loads(one) for one in report.read_text().splitlines()]
    assert [one["row"] for one in told] == [*range(1, 701), 702]
    assert account not in report.read_text()
    assert os.stat(report).st_mode & 0o077 == 0


def test_nothing_is_taken_where_its_report_cannot_be_written(between: Between, tmp_path: Path) -> None:
    started(between)
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    (tmp_path / "taken").write_text("")
    with pytest.raises(FileExistsError):
        import_file(between.home, file, report=tmp_path / "taken" / "report.ndjson")

    assert import_file(between.home, file).news == 1


def test_a_file_without_its_manifest_is_not_taken(between: Between, tmp_path: Path) -> None:
    started(between)
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    manifest = file.with_name(file.name + MANIFEST)
    kept = manifest.read_bytes()
    manifest.unlink()

    assert refusal(between, file) == "local-file"
    manifest.write_bytes(kept)
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])
    assert refusal(between, file) == "corridor-file-altered"
    file.write_bytes(good)
    assert import_file(between.home, file).news == 1


def test_a_file_that_is_written_anew_for_another_day_changes_nothing(
    between: Between, tmp_path: Path
) -> None:
    name = started(between)
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    assert import_file(between.home, file).news == 1
    shown = between.show(name)

    for number, day in enumerate(("2019-02-03", "2126-02-03"), 600_000):
        again = import_file(between.home, resigned(between, file, sequence=number, made=f"{day}T00:00:00Z"))
        assert (again.news, again.known, again.refused) == (0, 1, 0)
    assert between.show(name) == shown


def test_a_decision_cannot_be_refused_and_comes_again(between: Between, tmp_path: Path) -> None:
    name = started(between)
    later(between, DAY + 1)
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    refusing = file.read_bytes().replace(b"done,", b"refused,conflict")
    taken = import_file(between.home, resigned(between, file, content=refusing, sequence=500_000))

    assert (taken.news, taken.known) == (0, 0)
    assert {one.code for one in taken.named} == {"answer-open"}
    assert name in {row["transfer"] for row in rows_of(exported(between, SOURCE, tmp_path))}
    assert import_file(between.home, file).refused == 0


@pytest.mark.parametrize("limit", ["MESSAGES_MAX", "LINES_MAX"])
def test_what_has_no_room_in_a_file_comes_first_in_the_next(
    between: Between, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    names = {started(between, person=person) for person in (1, 2)}
    monkeypatch.setattr(carrying_files, limit, 1)
    files = [exported(between, SOURCE, tmp_path) for _ in range(2)]

    assert {row["transfer"] for file in files for row in rows_of(file)} == names
    for file in files:
        assert import_file(between.home, answered(between, SOURCE, file)).news == 1


def test_what_a_killed_command_has_left_names_nobody_for_long(between: Between, tmp_path: Path) -> None:
    started(between)
    first = exported(between, SOURCE, tmp_path)
    half = first.with_name(f"{first.name}.half")
    others = [tmp_path / f"cn-000000-{name}-000001.csv.half" for name in ("elsewhere", f"{SOURCE}-metro")]
    for left in (half, *others):
        left.write_bytes(first.read_bytes())
    exported(between, SOURCE, tmp_path)

    assert not half.exists()
    assert all(other.exists() for other in others)


def test_a_city_works_through_a_long_file(between: Between, tmp_path: Path) -> None:
    for person in (1, 2):
        started(between, person=person)
    file = exported(between, SOURCE, tmp_path)
    head, *lines = file.read_bytes().splitlines(keepends=True)
    content = head + b"".join(lines) * 500
    body = json.loads(file.with_name(file.name + MANIFEST).read_bytes())["body"]
    with open_home(between.home) as opened:
        manifest = seal(body | {"digest": digest(content)}, opened.record_signers())
    write_pair(file, content, manifest=manifest)
    taken = import_file(between.home, answered(between, SOURCE, file))

    assert len(content) > 256 * 1024
    assert (taken.news, taken.known, taken.refused) == (2, 998, 0)


def test_what_comes_after_a_day_changes_no_end(between: Between, tmp_path: Path) -> None:
    before, name = between.points(SOURCE), started(between)
    file = answered(between, SOURCE, exported(between, SOURCE, tmp_path))
    later(between, DAY - 10)

    assert between.show(name)["state"] == "pending"
    later(between, DAY + 1)
    shown = between.show(name)
    assert (shown["state"], shown["reason"]) == ("aborted", "timed-out")
    late = import_file(between.home, file)
    assert (late.news, late.known, late.refused) == (0, 1, 0)
    assert between.show(name) == shown
    assert between.points(SOURCE) == before - int(shown["points_out"])
    assert carried_once(between, SOURCE, tmp_path).refused == 0
    assert between.points(SOURCE) == before
    assert between.show(name) == shown


def test_a_refusal_in_a_file_ends_the_transfer(between: Between, tmp_path: Path) -> None:
    with closing(sqlite3.connect(between.cities[SOURCE].folder / "city.db")) as db, db:
        db.execute("UPDATE residents SET suspended = 1 WHERE account = 'songling-00001'")
    name = started(between)
    taken = carried_once(between, SOURCE, tmp_path)
    with closing(sqlite3.connect(between.cities[SOURCE].folder / "city.db")) as db, db:
        db.execute("UPDATE residents SET suspended = 0")
    shown = between.show(name)

    assert taken.news == 1
    assert (shown["state"], shown["reason"], shown["detail"]) == (
        "aborted",
        "hold-refused",
        "account-suspended",
    )


def test_a_city_takes_only_files_of_its_gateway(between: Between, tmp_path: Path) -> None:
    started(between)
    file = exported(between, SOURCE, tmp_path)
    manifest = file.with_name(file.name + MANIFEST)
    good, body = file.read_bytes(), json.loads(manifest.read_bytes())["body"]
    file.write_bytes(good.replace(b'"', b"'") + b"\r\n")
    with pytest.raises(GatewayError):
        answered(between, SOURCE, file)
    file.write_bytes(good)
    signer = FileSigner(between.cities[SOURCE].folder / "http.key", "http")
    manifest.write_bytes(seal(body, [signer]))
    with pytest.raises(GatewayError):
        answered(between, SOURCE, file)


def test_a_file_is_for_nobody_else_to_read(between: Between, tmp_path: Path) -> None:
    """It names accounts."""
    started(between)
    file = exported(between, SOURCE, tmp_path)

    assert os.stat(file).st_mode & 0o077 == 0


def test_there_is_no_file_where_nothing_is_owed_or_none_are_carried(between: Between, tmp_path: Path) -> None:
    spoken(between, DESTINATION)

    assert export_file(between.home, between.cities[DESTINATION].platform, folder=tmp_path)["messages"] == 0
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(GatewayError) as other:
        export_file(between.home, between.cities[SOURCE].platform, folder=tmp_path)
    assert other.value.code == "other-dialect"


ADAPTER = """
from gateway.contract import CommonForm, read_csv
from gateway.model.source import SourceFormat, SourceRow

THEIRS = {"about": "业务", "digest": "摘要", "transfer": "流水号", "outcome": "结果", "code": "原因"}
OURS = {theirs: ours for ours, theirs in THEIRS.items()}
GB = SourceFormat(kind="csv", encodings=("gb18030",))

def named(row, names):
    if not isinstance(row, SourceRow):
        return row
    return row._replace(fields={names.get(name, name): text for name, text in row.fields.items()})

class Files:
    name, platform, assembly = "city_files", None, None

    def rows(self, document, file, *, source):
        return (named(row, OURS) for row in read_csv(document, file, source=GB))

    def render(self, rows, *, source):
        return CommonForm().render(named(row, THEIRS) for row in rows).decode().encode("gb18030")
"""


def test_a_city_may_have_columns_of_its_own(
    between: Between, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "city_files.py").write_text(ADAPTER, "utf-8")
    info = tmp_path / "city_files-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: city-files\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tanqiao.adapters]\ncity_files = city_files:Files\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    platform = between.cities[SOURCE].platform
    speak(between.home, platform, dialect="file:city_files")
    name = started(between)
    file = exported(between, SOURCE, tmp_path)
    asked = list(csv.DictReader(io.StringIO(file.read_bytes().decode("gb18030"), newline="")))
    answer = (
        f"结果,原因,摘要,业务,流水号,备注\r\nrefused,lot-spent,{asked[0]['摘要']},hold,{name},余额不足\r\n"
    )
    manifest = {"from": platform, "to": issuer(file), "sequence": 5000}
    taken = import_file(between.home, resigned(between, file, content=answer.encode("gb18030"), **manifest))

    assert (asked[0]["业务"], asked[0]["流水号"]) == ("hold", name)
    assert (taken.news, taken.refused) == (1, 0)
    assert between.show(name)["detail"] == "lot-spent"


def issuer(file: Path) -> str:
    """Return the gateway's name, from a manifest of its own."""
    return str(json.loads(file.with_name(file.name + MANIFEST).read_bytes())["body"]["from"])


@pytest.mark.parametrize(
    "dialect",
    ["", "fax", "json:common", "callback:x", "file:", "file:nobody", "file:shenzhen_transit"],
)
def test_a_dialect_that_there_is_not_is_refused(between: Between, dialect: str) -> None:
    platform = between.cities[SOURCE].platform
    with pytest.raises(GatewayError) as refused:
        speak(between.home, platform, dialect=dialect)
    assert refused.value.code == "usage"
