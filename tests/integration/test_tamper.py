"""Whatever is changed in a home or a receipt is noticed, and named."""

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.app.base.home import open_home
from gateway.app.records.check import audit, receipt_of, verifier
from gateway.app.records.days import close_day_of
from gateway.cli.output import exit_code
from gateway.cli.root import run
from gateway.errors import GatewayError, IntegrityBroken
from gateway.model.canonical import canonical_bytes
from gateway.ports import PrivateRow
from gateway.signing import KeyRing
from gateway.store.files.sorted_runs import Entries, Run, write_run
from gateway.transparency import QuorumPending, cosign_note, read_note
from tests.fakes.changes import changes_of, leaves, put
from tests.fakes.homes import (
    WUHAN,
    audited,
    bytes_below,
    capped_mapping,
    change_database,
    convert,
    convert_in_parts,
    make_home,
    rows_of,
    trips,
    write_trips,
    yunxi_ride,
)
from tests.unit.transparency.signers import witness_signer

ROOT = Path(__file__).resolve().parents[2]
WUHAN_V2 = ROOT / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"
CAP = (
    "name: daily, of: points, per: [person, local_day], max: 200, order: accepted_sequence,"
    " late: counts_on_activity_day"
)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make one home with several batches, two schemes, a cap, two closed days, for all tests."""
    folder = tmp_path_factory.mktemp("tamper")
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(folder, patch)
        convert_in_parts(home, [write_trips(folder / "a.ndjson", trips(24, days=2))], 8)
        rides = [yunxi_ride(f"e{n}", f"u{n % 3}", "2025-03-16 08:00:00") for n in range(9)]
        mapping = capped_mapping(folder / "yunxi.yaml", CAP)
        convert(home, write_trips(folder / "b.ndjson", [*rides, {**rides[0], "用户": "u9"}]), mapping=mapping)
        close_day_of(home, "2025-03-16")
        close_day_of(home, "2025-03-10")
        assert audited(home).differences == []
        yield home


@pytest.fixture
def home(converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of that home with its checkpoint store, free to be spoilt."""
    shutil.copytree(converted, tmp_path / "home")
    shutil.copytree(converted.parent / "state", tmp_path / "state")
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    return tmp_path / "home"


def found_by_audit(home: Path) -> str:
    """Audit and return everything that was said, whether as differences or as an error that stops it."""
    try:
        return "\n".join(audit(home, lambda _rows: None).differences)
    except IntegrityBroken as error:
        return str(error)


def spoilt(data: bytes, step: int) -> Iterator[tuple[str, bytes]]:
    """Change single bytes, first and last among them, cut the file and lengthen it."""
    places = sorted({0, len(data) - 1, *range(0, len(data), step)})
    for place in places:
        yield f"byte {place}", data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    yield "cut by one", data[:-1]
    yield "emptied", b""
    yield "one byte more", data + b"\n"


PUBLISHED = ("log", "trust", "records")


def test_every_changed_file_is_noticed_and_named(home: Path) -> None:
    """About eight changes of each file, with a full audit after each of them."""
    files = bytes_below(*(home / name for name in PUBLISHED))
    kinds = {path.relative_to(home).as_posix(): data for path, data in files.items()}
    assert {"trust/policy", "trust/keys.json", "log/checkpoint"} < set(kinds)
    for name, data in kinds.items():
        for what, changed in spoilt(data, max(1, len(data) // 3)):
            (home / name).write_bytes(changed)
            said = found_by_audit(home)
            assert named(name, said), (name, what, said)
        (home / name).write_bytes(data)
    assert audited(home).differences == []


def named(name: str, said: str) -> bool:
    """Tell whether a file is named, by its path or by the end of it that its own folder's check uses."""
    return name in said or name.removeprefix("log/") in said


def test_every_byte_of_the_trust_files_counts(home: Path) -> None:
    """Cheap to look at, so every position: convert and audit compare them first."""
    for name in ("trust/policy", "trust/keys.json"):
        data = (home / name).read_bytes()
        for place in range(len(data)):
            (home / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with open_home(home) as opened, pytest.raises(IntegrityBroken, match=name):
                opened.trust.require_pinned()
        (home / name).write_bytes(data)


def test_every_missing_file_is_noticed_and_named(home: Path) -> None:
    with open_home(home) as opened:
        newest = f".p/{opened.log.size}"
    for path, data in bytes_below(*(home / name for name in PUBLISHED)).items():
        if ".p/" in str(path) and not str(path).endswith(newest):
            continue  # a server may drop the partial files of earlier checkpoints
        path.unlink()
        said = found_by_audit(home)
        assert named(path.relative_to(home).as_posix(), said), (path, said)
        path.write_bytes(data)


@pytest.mark.parametrize(
    "name",
    [
        "log/stray",
        "log/tile/9/000",
        "log/tile/entries/001",
        "log/tile/0/x.p/1",
        "records/platform=cn-420100%2Fwuhan/day=2025-03-10/batch-000000077.parquet",
        "records/notes.txt",
    ],
)
def test_a_file_too_much_is_noticed_and_named(home: Path, name: str) -> None:
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_bytes(b"stray")

    assert named(name, found_by_audit(home))


def flip(blob: bytes) -> bytes:
    return blob[:-1] + bytes([blob[-1] ^ 1])


SQL: dict[str, tuple[str, str]] = {
    "root": ("UPDATE batches SET root = zeroblob(32) WHERE number = 1", "batch 1"),
    "size": ("UPDATE batches SET size = size + 1 WHERE number = 1", "batch 1"),
    "issued": ("UPDATE batches SET issued = '2026-01-01T00:00:00Z' WHERE number = 1", "batch 1"),
    "submission": ("UPDATE batches SET submission = (SELECT MAX(id) FROM submissions)"
                   " WHERE submission <> (SELECT MAX(id) FROM submissions)", "batch"),
    "entry digest": ("UPDATE batches SET entry_digest = 'sha256:00' WHERE number = 2", "batch 2"),
    "batch left out": ("DELETE FROM batches WHERE number = 3", "log entry"),
    "file digest": ("UPDATE files SET digest = '00' WHERE batch = 1", "records/platform="),
    "file of another day": ("UPDATE files SET day = '2025-03-17' WHERE batch = 1", "records/platform="),
    "file with other rows": ("UPDATE files SET rows = rows + 1 WHERE batch = 1", "records/platform="),
    "file left out": ("DELETE FROM files WHERE batch = 1", "batch 1"),
    "mapping changed": ("UPDATE mappings SET canonical = CAST(replace(canonical, '78.4', '98.4') AS BLOB)",
                        "mapping"),
    "mapping broken": ("UPDATE mappings SET canonical = x'7b'", "mapping"),
    "mapping of another type": ("UPDATE mappings SET canonical = 5", "batch 0"),
    "mapping renumbered": ("UPDATE mappings SET version = version + 1", "mapping"),
    "mapping forgotten": ("DELETE FROM mappings WHERE version = 2", "mapping"),
    "mapping published later": ("UPDATE mappings SET position = 9", "mapping"),
    "day through another batch": ("UPDATE days SET through = 0", "day 2025-03-"),
    "day forgotten": ("DELETE FROM days WHERE day = '2025-03-10'", "day statement"),
    "queue cut": ("DELETE FROM queue WHERE position = (SELECT MAX(position) FROM queue)", "journal"),
    "queue lengthened": ("INSERT INTO queue VALUES ((SELECT 1 + MAX(position) FROM queue), x'00')",
                         "journal"),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "name"), SQL.values(), ids=SQL)
def test_a_changed_database_is_noticed_and_says_where(home: Path, statement: str, name: str) -> None:
    change_database(home, statement)

    assert name in found_by_audit(home)


def other_values(entries: Entries, values: Callable[[list[bytes]], list[bytes]]) -> Entries:
    changed = entries.copy()
    joined = b"".join(values(entries["value"].tolist()))
    changed["value"] = np.frombuffer(joined, entries.dtype["value"])
    return changed


RUNS: dict[str, tuple[str, Callable[[Entries], Entries], str]] = {
    "event removed": ("events", lambda entries: entries[1:], "record "),
    "event elsewhere": ("events", lambda entries: other_values(
        entries, lambda values: [value[:8] + b"\x02" + value[9:] for value in values]), "record "),
    "event content": ("events", lambda entries: other_values(
        entries, lambda values: [bytes(8) + value[8:] for value in values]), "record "),
    "event invented": ("events", lambda entries: np.concatenate([np.zeros(1, entries.dtype), entries]),
                       "events"),
    "cap used less": ("caps", lambda entries: other_values(
        entries, lambda values: [bytes([value[0] - 1]) + value[1:] for value in values]), "caps"),
    "cap forgotten": ("caps", lambda entries: entries[1:], "caps"),
    "cap invented": ("caps", lambda entries: np.concatenate([np.zeros(1, entries.dtype), entries]), "caps"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "name"), RUNS.values(), ids=RUNS)
def test_a_changed_index_is_noticed_even_if_its_digest_was_changed_too(
    home: Path, kind: str, change: Callable[[Entries], Entries], name: str
) -> None:
    change_index(home, kind, change)

    assert name in found_by_audit(home)


def change_index(home: Path, kind: str, change: Callable[[Entries], Entries]) -> None:
    """Change the first run of a kind, and what the database says of it."""
    with closing(sqlite3.connect(home / "tanqiao.db")) as connection:
        query = "SELECT file, rows FROM runs WHERE kind = ? ORDER BY number LIMIT 1"
        file, rows = connection.execute(query, (kind,)).fetchone()
    path = home / "index" / file
    width = {"events": 16, "caps": 8}[kind]
    changed = change(Run(path, rows, width=width).entries.copy())
    written = write_run(path, iter((changed,)), width=width)
    statement = "UPDATE runs SET digest = ?, rows = ? WHERE file = ?"
    change_database(home, statement, written.digest, written.rows, file)


@pytest.mark.parametrize("kind", ["events", "caps"])
@pytest.mark.parametrize("at", [0, 20, -1])
def test_a_changed_byte_of_the_index_is_noticed_and_names_the_file(home: Path, kind: str, at: int) -> None:
    path = sorted((home / "index").glob(f"{kind}-*"))[0]
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)

    assert f"index/{path.name}" in found_by_audit(home)


@pytest.mark.parametrize("left", [0, 1, -1])
def test_an_index_file_that_was_cut_or_is_gone_is_named(home: Path, left: int) -> None:
    path = sorted((home / "index").glob("events-*"))[0]
    data = path.read_bytes()
    path.write_bytes(data[:left])
    assert path.name in found_by_audit(home)

    path.unlink()

    assert path.name in found_by_audit(home)


def test_every_queued_entry_is_compared_with_the_log(home: Path) -> None:
    with closing(sqlite3.connect(home / "tanqiao.db")) as connection:
        entries = connection.execute("SELECT position, entry FROM queue").fetchall()
    for position, entry in entries:
        change_database(home, "UPDATE queue SET entry = ? WHERE position = ?", flip(entry), position)
        assert f"log entry {position}" in found_by_audit(home)
        change_database(home, "UPDATE queue SET entry = ? WHERE position = ?", entry, position)


def test_a_database_that_is_gone_or_broken_is_an_integrity_error(home: Path) -> None:
    data = (home / "tanqiao.db").read_bytes()
    for changed in (b"not a database at all" * 100, data[:100] + bytes(4096) + data[4196:], None):
        (home / "tanqiao.db").unlink()
        if changed is not None:
            (home / "tanqiao.db").write_bytes(changed)
        assert found_by_audit(home)
        assert run(["audit", "--home", str(home)]) == 6


ROW_CHANGES: dict[str, Callable[[PrivateRow], PrivateRow]] = {
    "points": lambda row: row._replace(points=row.points + 1),
    "uncapped": lambda row: row._replace(points_uncapped=row.points_uncapped + 1),
    "reduction": lambda row: row._replace(co2e_mg=row.co2e_mg + 1),
    "day": lambda row: row._replace(day="2025-03-12"),
    "behaviour": lambda row: row._replace(behaviour="TRV-BUS"),
    "unknown behaviour": lambda row: row._replace(behaviour="TRV-TRAM"),
    "inputs": lambda row: row._replace(inputs=row.inputs.replace("km", "m")),
    "inputs that are no JSON": lambda row: row._replace(inputs="{"),
    "no day": lambda row: row._replace(day="2025-02-30"),
    "evidence": lambda row: row._replace(evidence="device"),
    "ownership": lambda row: row._replace(ownership="pooled"),
    "mapping": lambda row: row._replace(mapping="sha256:" + "00" * 32),
    "id": lambda row: row._replace(id="00" * 16),
    "leaf": lambda row: row._replace(leaf=bytes(32)),
    "leaf index": lambda row: row._replace(leaf_index=row.leaf_index + 100),
    "claim": lambda row: row._replace(claimed_mg=1),
    "event": lambda row: row._replace(event="another"),
    "event salt": lambda row: row._replace(event_salt=bytes(16)),
    "event commitment": lambda row: row._replace(event_commitment=bytes(32)),
    "person": lambda row: row._replace(person=bytes(32)),
    "subject salt": lambda row: row._replace(subject_salt=bytes(16)),
    "subject commitment": lambda row: row._replace(subject_commitment=bytes(32)),
    "record left out": lambda row: row._replace(id=""),
}


@pytest.mark.parametrize("change", ROW_CHANGES.values(), ids=ROW_CHANGES)
def test_a_changed_row_is_noticed_even_where_the_digest_was_changed_with_it(
    home: Path, change: Callable[[PrivateRow], PrivateRow]
) -> None:
    """Somebody who may write everything in the home cannot make its records agree with the signed roots."""
    with open_home(home) as opened:
        file = opened.journal.files(1)[0]
        rows = opened.records.read(file)
        changed = [made for made in (change(rows[0]), *rows[1:]) if made.id]
        rewrite(home / "records" / file.path, changed)
        digest = sha256((home / "records" / file.path).read_bytes()).hexdigest()
    change_database(
        home, "UPDATE files SET digest = ?, rows = ? WHERE path = ?", digest, len(changed), file.path
    )

    said = found_by_audit(home)

    assert "batch 1" in said or f"record {changed[0].id}" in said or f"record {rows[0].id}" in said, said


def rewrite(path: Path, rows: list[PrivateRow]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from gateway.store.files.records import ROW_SCHEMA

    packed = [row._replace(id=bytes.fromhex(row.id)) for row in rows]  # type: ignore[arg-type]  # as it is kept
    columns = [
        pa.array(column, field.type)
        for column, field in zip(zip(*packed, strict=True), ROW_SCHEMA, strict=True)
    ]
    pq.write_table(pa.table(columns, schema=ROW_SCHEMA), path)


def test_the_command_leaves_with_6_and_prints_what_differs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_database(home, "UPDATE batches SET root = zeroblob(32) WHERE number = 1")

    code = run(["audit", "--home", str(home), "--format", "json"])

    said = capsys.readouterr()
    assert code == 6
    assert json.loads(said.out)["ok"] is False
    assert "batch 1" in said.err
    assert "integrity-broken" in said.err


@pytest.mark.parametrize("key", ["log", "record", "index"])
def test_a_home_with_anothers_key_writes_nothing(home: Path, tmp_path: Path, key: str) -> None:
    run(["keys", "new", "--purpose", "http", "--out", str(tmp_path / "other")])
    new = "ab" * 32 if key == "index" else (tmp_path / "other").read_text()
    (home / "keys" / key).write_text(new)
    before = bytes_below(home / "log", home / "trust")

    code = run(
        [
            "convert",
            "--home",
            str(home),
            "--mapping",
            WUHAN,
            str(write_trips(tmp_path / "n.ndjson", trips(3))),
        ]
    )

    if key == "index":  # names of events differ, which only an audit can know
        assert "the event index does not lead to it" in found_by_audit(home)
        return
    assert code in (3, 6)
    assert bytes_below(home / "log", home / "trust") == before


@pytest.mark.parametrize("member", ["issuer", "origin", "profile"])
def test_a_home_under_another_name_writes_nothing(home: Path, tmp_path: Path, member: str) -> None:
    facts = json.loads((home / "home.json").read_text())
    facts[member] = "default" if member == "profile" else "somebody.else-test"
    (home / "home.json").write_text(json.dumps(facts))
    before = bytes_below(home / "log", home / "trust", home / "records")
    file = write_trips(tmp_path / "n.ndjson", trips(3, first=900))

    assert run(["convert", "--home", str(home), "--mapping", WUHAN, str(file)]) == 6
    assert run(["audit", "--home", str(home)]) == 6
    assert bytes_below(home / "log", home / "trust", home / "records") == before


# Receipts


def trust_of(home: Path) -> tuple[bytes, bytes]:
    return (home / "trust" / "policy").read_bytes(), (home / "trust" / "keys.json").read_bytes()


def test_every_changed_leaf_of_a_receipt_is_refused(home: Path) -> None:
    checks = verifier(*trust_of(home), mappings=[WUHAN_V2])
    row = next(row for row in rows_of(home) if row.event and row.event.startswith("WH"))
    receipt = json.loads(receipt_of(home, row.id, disclose=["event", "subject"]))
    checks.verify(canonical_bytes(receipt))
    tried = 0
    for path, value in leaves(receipt):
        for changed in changes_of(value):
            if path == ("disclosures",) and changed == receipt["disclosures"][:-1]:
                continue  # who opens less says nothing untrue
            if path == ("disclosures",):
                continue  # the same opening twice says nothing untrue either
            with pytest.raises(GatewayError):
                checks.verify(json.dumps(put(receipt, path, changed)).encode())
            tried += 1
    assert tried > 1500


def test_every_member_of_a_receipt_is_needed_and_none_may_be_added(home: Path) -> None:
    checks = verifier(*trust_of(home))
    receipt = json.loads(receipt_of(home, rows_of(home)[0].id, disclose=["event"]))

    def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        if isinstance(value, dict):
            yield path
        for name, item in items:
            yield from objects(item, (*path, name))

    for path in objects(receipt):
        inner = receipt
        for step in path:
            inner = inner[step]
        for name in inner:
            less = {key: value for key, value in inner.items() if key != name}
            with pytest.raises(GatewayError):
                checks.verify(json.dumps(put(receipt, path, less) if path else less).encode())
        more = {**inner, "more": "x"}
        with pytest.raises(GatewayError):
            checks.verify(json.dumps(put(receipt, path, more) if path else more).encode())


def test_two_receipts_cannot_be_mixed(home: Path) -> None:
    checks = verifier(*trust_of(home))
    rows = rows_of(home)
    one, other = (json.loads(receipt_of(home, row.id, disclose=["event"])) for row in (rows[0], rows[-1]))
    for name in one:
        if name == "type" or one[name] == other[name]:
            continue
        with pytest.raises(GatewayError):
            checks.verify(json.dumps({**one, name: other[name]}).encode())


def test_a_receipt_is_refused_under_a_policy_of_another_log(home: Path, tmp_path: Path) -> None:
    policy, ring = trust_of(home)
    receipt = receipt_of(home, rows_of(home)[0].id, disclose=[])
    make_other = tmp_path / "other"
    assert run(["init", "--home", str(make_other), "--profile", "test"]) == 0
    other_policy, other_ring = trust_of(make_other)
    renamed = policy.replace(b"log tanqiao-", b"log tanqiao+")

    for wrong_policy, wrong_ring in ((other_policy, ring), (policy, other_ring), (renamed, ring)):
        with pytest.raises(GatewayError):
            verifier(wrong_policy, wrong_ring).verify(receipt)


def test_a_receipt_needs_its_record_key_in_the_trust_file(home: Path) -> None:
    policy, ring = trust_of(home)
    receipt = receipt_of(home, rows_of(home)[0].id, disclose=[])
    parsed = KeyRing.parse(ring)
    without = KeyRing(parsed.issuer, tuple(key for key in parsed.keys if key.purpose != "record"))

    with pytest.raises(GatewayError, match="not in the trust file") as refused:
        verifier(policy, without.to_bytes()).verify(receipt)
    assert exit_code(refused.value) == 6


def test_a_receipt_under_a_key_revoked_before_it_is_refused(home: Path) -> None:
    policy, ring = trust_of(home)
    receipt = receipt_of(home, rows_of(home)[0].id, disclose=[])
    record_key = next(key for key in KeyRing.parse(ring).keys if key.purpose == "record")
    index = int(json.loads(receipt)["log_proof"].split("index ")[1].split("\n")[0])
    revoked = {
        at: KeyRing.parse(ring).ended(record_key.id, position=at, action="revoked").to_bytes()
        for at in (index - 1, index)
    }

    verifier(policy, revoked[index]).verify(receipt)
    with pytest.raises(GatewayError, match="revoked"):
        verifier(policy, revoked[index - 1]).verify(receipt)


def test_a_quorum_is_pending_until_the_witness_has_signed(home: Path, tmp_path: Path) -> None:
    policy, ring = trust_of(home)
    witness = witness_signer("witness.example/w1")
    rules = policy.replace(b"quorum none\n", f"witness w1 {witness.key}\nquorum w1\n".encode())
    receipt = json.loads(receipt_of(home, rows_of(home)[0].id, disclose=[]))
    head, _, note = receipt["log_proof"].partition("\n\n")
    cosigned = bytes(
        cosign_note(read_note(note.encode()), key=witness.key, sign=witness.sign, timestamp=1_790_000_000)
    )
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "policy").write_bytes(rules)
    (tmp_path / "trust" / "keys.json").write_bytes(ring)
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))

    with pytest.raises(QuorumPending):
        verifier(rules, ring).verify(json.dumps(receipt).encode())
    command = ["receipt", "verify", str(tmp_path / "receipt.json"), "--trust", str(tmp_path / "trust")]
    assert run(command) == 1
    receipt["log_proof"] = f"{head}\n\n{cosigned.decode()}"
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    assert run(command) == 0
    forged = cosigned.decode().splitlines()
    name, signature = forged[-1].rsplit(" ", 1)
    raw = bytearray(base64.b64decode(signature))
    raw[20] ^= 1
    forged[-1] = f"{name} {base64.b64encode(bytes(raw)).decode()}"
    receipt["log_proof"] = f"{head}\n\n" + "\n".join(forged) + "\n"
    with pytest.raises(GatewayError) as refused:
        verifier(rules, ring).verify(json.dumps(receipt).encode())
    assert exit_code(refused.value) == 6


def test_a_home_makes_no_receipt_from_a_spoilt_record(home: Path) -> None:
    with open_home(home) as opened:
        file = opened.journal.files(1)[0]
        rows = opened.records.read(file)
    rewrite(home / "records" / file.path, [rows[0]._replace(points=rows[0].points + 1), *rows[1:]])

    for command in (["receipt", "show", rows[0].id], ["record", "show", rows[0].id]):
        assert run([*command, "--home", str(home)]) == 6
    (home / "records" / file.path).write_bytes(b"PAR1")
    for command in (["receipt", "show", rows[0].id], ["record", "show", rows[0].id]):
        assert run([*command, "--home", str(home)]) == 6
