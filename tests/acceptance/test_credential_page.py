"""The page about credentials shows values that are right, and commands that work."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.app.records.credential import credential_verifier, publish_keys
from gateway.cli.root import run
from gateway.errors import IntegrityBroken
from tests.acceptance import worked_credential as worked
from tests.acceptance.documents import ROOT, blocks
from tests.fakes.homes import convert, make_home, rows_of, trips, write_trips
from tests.node.verifier import missing_for_node


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    return worked.shown()


@pytest.fixture(scope="module")
def credential(page: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page["credential.json"])
    return found


def test_the_worked_credential_is_right_in_every_value(
    page: dict[str, str], credential: dict[str, Any]
) -> None:
    found = worked.values(credential, did=json.loads(page["did.json"]))
    key = bytes.fromhex(found["multikey"])

    assert {name: page[name] for name in found} == found
    assert set(page) == {*found, "credential.json", "did.json"}
    assert key[:2] == b"\xed\x01"
    Ed25519PublicKey.from_public_bytes(key[2:]).verify(
        bytes.fromhex(found["signature"].replace("\n", "")),
        bytes.fromhex(found["proof-hash"] + found["document-hash"]),
    )


def test_the_worked_credential_is_accepted_and_refused_with_one_milligram_more(
    page: dict[str, str], credential: dict[str, Any]
) -> None:
    mapping = ROOT / "mappings/cn-420100-wuhan/travel.v2.yaml"
    checks = credential_verifier(page["did.json"].encode(), mappings=[mapping])
    text = json.dumps(credential, ensure_ascii=False)

    checks.verify(text.encode())

    assert '"829002"' in text
    with pytest.raises(IntegrityBroken):
        checks.verify(text.replace('"829002"', '"829003"').encode())


@pytest.mark.node
def test_the_command_of_the_page_checks_a_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing := missing_for_node():
        pytest.skip(missing)
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(1)))
    publish_keys(home, tmp_path / "public", domain="gateway.example")
    capsys.readouterr()
    code = run(
        ["credential", "export", rows_of(home)[0].id, "--home", str(home), "--domain", "gateway.example"]
    )
    (tmp_path / "credential.json").write_text(capsys.readouterr().out, "utf-8")
    [command] = [block.text for block in blocks(worked.PAGE) if block.kind == "sh"]
    settings = {"PUBLISHED": str(tmp_path / "public"), "CREDENTIAL": str(tmp_path / "credential.json")}

    done = subprocess.run(
        ["sh", "-e"], input=command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True
    )

    assert code == 0
    assert (done.stdout, done.stderr) == ("holds\n", "")
