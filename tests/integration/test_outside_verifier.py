"""A converted home's log and its receipts, checked by a program that shares no code with ours."""

import json
from pathlib import Path

import pytest

from gateway.app.records.check import receipt_of
from gateway.model.canonical import canonical_bytes
from tests.fakes.homes import bytes_below, convert_in_parts, make_home, rows_of, trips, write_trips
from tests.go.verifier import GoVerifier, go_verifier

__all__ = ["go_verifier"]

pytestmark = pytest.mark.go


def vkey_of(home: Path) -> str:
    line = (home / "trust" / "policy").read_text().splitlines()[0]
    return line.removeprefix("log ")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_home(tmp_path, monkeypatch)
    convert_in_parts(made, [write_trips(tmp_path / "a.ndjson", trips(24))], 2)
    return made


def test_go_accepts_the_log_and_every_receipts_proof(go_verifier: GoVerifier, home: Path) -> None:
    rows = rows_of(home)
    for row in (rows[0], rows[11], rows[-1]):
        receipt = json.loads(receipt_of(home, row.id, disclose=[]))
        answer = go_verifier(
            vkey=vkey_of(home),
            log=home / "log",
            proof=(receipt["log_proof"], canonical_bytes(receipt["statement"])),
        )

        assert answer.returncode == 0, answer.stderr


def test_go_refuses_what_was_tampered_with(go_verifier: GoVerifier, home: Path) -> None:
    receipt = json.loads(receipt_of(home, rows_of(home)[0].id, disclose=[]))
    statement, text, vkey = receipt["statement"], receipt["log_proof"], vkey_of(home)
    statement["body"]["records"]["size"] += 1

    assert go_verifier(vkey=vkey, proof=(text, canonical_bytes(statement))).returncode == 1
    size = (home / "log" / "checkpoint").read_text().splitlines()[1]
    for path, data in bytes_below(home / "log").items():
        if ".p/" in str(path) and path.name != size:
            continue  # a partial file of an earlier checkpoint
        path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        assert go_verifier(vkey=vkey, log=home / "log").returncode == 1, path
        path.write_bytes(data)
    assert go_verifier(vkey=vkey, log=home / "log").returncode == 0
