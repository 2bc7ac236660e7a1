"""The commands about credentials and disclosures as their users meet them."""

import json
from pathlib import Path

import pytest

from tests.acceptance.test_cli import refused, tanqiao
from tests.fakes.homes import change_database, convert, make_home, rows_of, trips, write_trips

ROOT = Path(__file__).resolve().parents[2]
MAPPING = ROOT / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"
DOMAIN = ("--domain", "gateway.example")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(3, days=1)))
    monkeypatch.setenv("TANQIAO_HOME", str(home))
    return home


def test_a_credential_goes_from_one_command_to_the_other(home: Path, tmp_path: Path) -> None:
    record, out = rows_of(home)[0], tmp_path / "credential.json"
    did = tmp_path / "public" / ".well-known" / "did.json"
    published = tanqiao("keys", "publish", "--out", tmp_path / "public", *DOMAIN)
    shown = tanqiao("credential", "export", record.id, *DOMAIN, "--disclose", "event", "--receipt")
    out.write_text(shown.stdout, "utf-8")

    plain = tanqiao("credential", "verify", out, "--did", did)
    full = tanqiao("credential", "verify", out, "--did", did, "--trust", home / "trust", "--mapping", MAPPING)
    by_environment = tanqiao("credential", "export", record.id, TANQIAO_DOMAIN="gateway.example")

    assert json.loads(published.stdout)["did"] == "did:web:gateway.example"
    assert shown.stdout.count("\n") == 1
    assert (plain.returncode, full.returncode) == (0, 0)
    assert [json.loads(done.stdout)["in_log"] for done in (plain, full)] == [False, True]
    assert [json.loads(done.stdout)["recomputed"] for done in (plain, full)] == [False, True]
    assert "was not checked" in plain.stderr
    assert json.loads(full.stdout)["subject"]["disclosures"][0]["value"] == record.event
    assert json.loads(by_environment.stdout)["issuer"] == "did:web:gateway.example"


def test_a_changed_credential_leaves_with_6_and_what_is_none_with_4(home: Path, tmp_path: Path) -> None:
    out, did = tmp_path / "credential.json", tmp_path / "public" / ".well-known" / "did.json"
    tanqiao("keys", "publish", "--out", tmp_path / "public", *DOMAIN)
    text = tanqiao("credential", "export", rows_of(home)[0].id, *DOMAIN).stdout

    out.write_text(text.replace("gram", "gran"), "utf-8")
    refused(tanqiao("credential", "verify", out, "--did", did), exit_code=6, code="signature-invalid")
    out.write_text(text.replace("did:web:gateway.example", "did:web:gateway.exampl"), "utf-8")
    refused(tanqiao("credential", "verify", out, "--did", did), exit_code=6, code="credential-mismatch")
    out.write_text(text.replace("proof", "prove"), "utf-8")
    assert tanqiao("credential", "verify", out, "--did", did).returncode == 4
    out.write_text("{", "utf-8")
    assert tanqiao("credential", "verify", out, "--did", did).returncode == 4
    assert tanqiao("credential", "verify", did, "--did", out).returncode == 4
    assert tanqiao("credential", "verify", out, "--did", tmp_path / "none").returncode == 3


def test_a_disclosure_goes_from_one_command_to_the_other(home: Path, tmp_path: Path) -> None:
    out, record = tmp_path / "day.ndjson", rows_of(home)[0]
    asked = ("--auditor", "Audit Office", "--field", "event", "--out", out)
    made = tanqiao("disclosure", "export", "--platform", "cn-420100/wuhan", "--day", record.day, *asked)

    verified = tanqiao("disclosure", "verify", out, "--trust", home / "trust", "--mapping", MAPPING)
    again = tanqiao("disclosure", "export", record.id, *asked)

    found = json.loads(verified.stdout)
    assert (made.returncode, verified.returncode) == (0, 0), made.stderr + verified.stderr
    assert "3 records for Audit Office" in made.stderr
    assert (found["records"], found["disclosed"], found["auditor"]) == (3, {"event": 3}, "Audit Office")
    assert found["co2e_mg"] == str(sum(row.co2e_mg for row in rows_of(home)))
    refused(again, exit_code=3, code="local-file")
    out.write_bytes(out.read_bytes().replace(b'"records":3', b'"records":2'))
    broken = tanqiao("disclosure", "verify", out, "--trust", home / "trust")
    refused(broken, exit_code=6, code="disclosure-mismatch")


@pytest.mark.parametrize(
    "arguments",
    [
        ["credential", "export", "ID", "--disclose", "name"],
        ["credential", "export", "ID", "--domain", "no domain"],
        ["credential", "export", "ID"],
        ["keys", "publish", "--out", "OUT", "--domain", "localhost"],
        ["disclosure", "export", "--auditor", "a", "--field", "event", "--out", "OUT"],
        ["disclosure", "export", "--auditor", "a", "--field", "event", "--out", "OUT", "--day", "2025-03-16"],
        ["disclosure", "export", "ID", "--auditor", "a", "--field", "event", "--out", "OUT", "--day", "d"],
        ["disclosure", "export", "ID", "--auditor", "a", "--field", "name", "--out", "OUT"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_not_understood_leaves_with_2_and_writes_nothing(
    home: Path, tmp_path: Path, arguments: list[str]
) -> None:
    named = {"ID": rows_of(home)[0].id, "OUT": str(tmp_path / "out")}

    done = tanqiao(*[named.get(each, each) for each in arguments])

    refused(done, exit_code=2, code="usage")
    assert not (tmp_path / "out").exists()


def test_a_record_that_is_not_there_leaves_with_3(home: Path, tmp_path: Path) -> None:
    assert home.exists()
    for command in (
        ["credential", "export", "0" * 32, *DOMAIN],
        ["disclosure", "export", "0" * 32, "--auditor", "a", "--field", "event", "--out", tmp_path / "out"],
    ):
        assert tanqiao(*command).returncode == 3
    assert not (tmp_path / "out").exists()


def test_a_batch_that_lost_a_record_is_neither_exported_nor_disclosed(home: Path, tmp_path: Path) -> None:
    record = rows_of(home)[0]
    change_database(home, "UPDATE batches SET size = size + 1")

    credential = tanqiao("credential", "export", record.id, *DOMAIN, "--receipt")
    disclosure = tanqiao(
        "disclosure", "export", record.id, "--auditor", "a", "--field", "event", "--out", tmp_path / "out"
    )

    for done in (credential, disclosure):
        refused(done, exit_code=6, code="integrity-broken")
    assert list(tmp_path.glob("out*")) == []
