"""Many receipts under one verifier: what it remembers helps the honest alone, and every failure is named."""

import base64
import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.app.records.check import receipt_of, verifier
from gateway.cli.root import run
from gateway.errors import GatewayError, MalformedDocument
from gateway.model.canonical import canonical_bytes
from gateway.service.receipts.proving import REMEMBERED_MAX, ReceiptVerifier
from gateway.signing import KeyRing
from gateway.transparency import BadSignature, QuorumPending, cosign_note, read_note, read_policy
from tests.fakes.homes import convert_in_parts, make_home, rows_of, trips, write_trips
from tests.unit.transparency.signers import witness_signer

ROOT = Path(__file__).resolve().parents[2]
WUHAN_V2 = ROOT / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a home with two batches and return its trust folder."""
    folder = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(folder, patch)
        convert_in_parts(home, [write_trips(folder / "a.ndjson", trips(12, days=2))], 6)
        yield home / "trust"


@pytest.fixture(scope="module")
def receipts(trust: Path) -> list[dict[str, Any]]:
    """Make every receipt of that home: six of the first batch, six of the second, under one checkpoint."""
    rows = rows_of(trust.parent)
    return [json.loads(receipt_of(trust.parent, row.id, disclose=["event"])) for row in rows]


@pytest.fixture
def checks(trust: Path) -> ReceiptVerifier:
    policy, ring = ((trust / name).read_bytes() for name in ("policy", "keys.json"))
    return verifier(policy, ring, mappings=[WUHAN_V2])


def verified_all(checks: ReceiptVerifier, receipts: list[dict[str, Any]]) -> None:
    for receipt in receipts:
        checks.verify(canonical_bytes(receipt))


def remembered(checks: ReceiptVerifier) -> tuple[int, int]:
    """Count what a verifier remembers: statements with their proofs, and checkpoints."""
    statements: Any = checks._require_logged
    checkpoints: Any = checks._verify_checkpoint
    return statements.cache_info().currsize, checkpoints.cache_info().currsize


def flipped(text: str, place: int) -> str:
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


def test_the_signatures_of_a_batch_are_verified_once(
    checks: ReceiptVerifier, receipts: list[dict[str, Any]]
) -> None:
    verified_all(checks, receipts)
    verified_all(checks, receipts)

    assert remembered(checks) == (2, 1)
    statements: Any = checks._require_logged
    assert statements.cache_info().misses == 2


def test_a_statement_changed_in_any_letter_is_refused_after_the_good_one(
    checks: ReceiptVerifier, receipts: list[dict[str, Any]]
) -> None:
    verified_all(checks, receipts)
    statement, log_proof = receipts[0]["statement"], receipts[0]["log_proof"]
    signature = statement["signatures"][0]["value"]
    tried = 0
    for place in range(len(log_proof)):
        with pytest.raises(GatewayError):
            checks.verify(canonical_bytes({**receipts[0], "log_proof": flipped(log_proof, place)}))
        tried += 1
    for place in range(len(signature)):
        changed = {"signatures": [{**statement["signatures"][0], "value": flipped(signature, place)}]}
        with pytest.raises(GatewayError):
            checks.verify(canonical_bytes({**receipts[0], "statement": statement | changed}))
        tried += 1
    for name, value in statement["body"].items():
        if isinstance(value, str):
            changed = {"body": {**statement["body"], name: flipped(value, len(value) - 1)}}
            with pytest.raises(GatewayError):
                checks.verify(canonical_bytes({**receipts[0], "statement": statement | changed}))
            tried += 1

    assert tried > 300
    assert remembered(checks) == (2, 1)  # nothing of a forgery stays


def test_a_refusal_that_was_saved_as_a_receipt_says_what_it_is(checks: ReceiptVerifier) -> None:
    refusal = {"code": "request-not-signed", "request_id": "18efdd9cadf57073", "status": 401}
    with pytest.raises(MalformedDocument, match="refusal of one: request-not-signed"):
        checks.verify(canonical_bytes(refusal))


def test_a_record_is_checked_anew_under_a_remembered_statement(
    checks: ReceiptVerifier, receipts: list[dict[str, Any]]
) -> None:
    verified_all(checks, receipts)
    record = receipts[0]["record"]
    for forged in (
        {**record, "reduction": {"co2e_mg": str(int(record["reduction"]["co2e_mg"]) + 1)}},
        {**record, "points": {**record["points"], "amount": "9"}},
        {**record, "id": "00" * 16},
        receipts[1]["record"],
    ):
        with pytest.raises(GatewayError):
            checks.verify(canonical_bytes({**receipts[0], "record": forged}))


def test_parts_of_two_remembered_receipts_cannot_be_mixed(
    checks: ReceiptVerifier, receipts: list[dict[str, Any]]
) -> None:
    verified_all(checks, receipts)
    for name in ("record", "record_proof", "statement", "log_proof"):
        assert receipts[0][name] != receipts[-1][name]
        with pytest.raises(GatewayError):
            checks.verify(canonical_bytes({**receipts[0], name: receipts[-1][name]}))


def test_what_one_verifier_remembers_is_nothing_to_another(
    checks: ReceiptVerifier, receipts: list[dict[str, Any]]
) -> None:
    """The same text, another policy or ring: the signatures are looked at again, and do not hold."""
    verified_all(checks, receipts)
    witness = witness_signer("witness.example/w1")
    ring = checks.ring
    record_key = next(key for key in ring.keys if key.purpose == "record")
    stricter = str(checks.policy.logs[0].key).encode()
    policy = read_policy(b"log %s\nwitness w1 %s\nquorum w1\n" % (stricter, str(witness.key).encode()))

    with pytest.raises(QuorumPending):
        replace(checks, policy=policy).verify(canonical_bytes(receipts[0]))
    revoked = ring.ended(record_key.id, position=0, action="revoked")
    for other in (revoked, KeyRing(ring.issuer, ())):
        with pytest.raises(GatewayError, match=record_key.id):
            replace(checks, ring=other).verify(canonical_bytes(receipts[0]))
    with pytest.raises(FrozenInstanceError):
        checks.policy = policy  # type: ignore[misc]  # the point of the test


def test_a_pending_quorum_is_not_remembered(checks: ReceiptVerifier, receipts: list[dict[str, Any]]) -> None:
    witness = witness_signer("witness.example/w1")
    log = str(checks.policy.logs[0].key).encode()
    policy = read_policy(b"log %s\nwitness w1 %s\nquorum w1\n" % (log, str(witness.key).encode()))
    waiting = replace(checks, policy=policy)
    head, _, note = receipts[0]["log_proof"].partition("\n\n")
    for _ in range(2):
        with pytest.raises(QuorumPending):
            waiting.verify(canonical_bytes(receipts[0]))
    assert remembered(waiting) == (0, 0)
    signed = bytes(cosign_note(read_note(note.encode()), key=witness.key, sign=witness.sign, timestamp=1))

    waiting.verify(canonical_bytes({**receipts[0], "log_proof": f"{head}\n\n{signed.decode()}"}))

    assert remembered(waiting) == (1, 1)
    name, value = signed.decode().splitlines()[-1].rsplit(" ", 1)
    raw = bytearray(base64.b64decode(value))
    raw[-1] ^= 1
    forged = f"{note}{name} {base64.b64encode(raw).decode()}\n"
    with pytest.raises(BadSignature):
        waiting.verify(canonical_bytes({**receipts[0], "log_proof": f"{head}\n\n{forged}"}))


def test_memory_is_bounded(checks: ReceiptVerifier) -> None:
    for remember in (checks._require_logged, checks._verify_checkpoint):
        bounded: Any = remember
        assert bounded.cache_info().maxsize == REMEMBERED_MAX


# The command


@pytest.fixture
def folder(tmp_path: Path, receipts: list[dict[str, Any]]) -> Path:
    """Write six receipts as files and six as lines."""
    for number, receipt in enumerate(receipts[:6]):
        (tmp_path / f"{number}.json").write_text(json.dumps(receipt, indent=1))
    lines = [canonical_bytes(receipt) for receipt in receipts[6:]]
    (tmp_path / "more.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    (tmp_path / "notes.txt").write_text("not a receipt, and not named like one")
    return tmp_path


def verdicts(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any, str]:
    code = run(["receipt", "verify", *map(str, arguments), "--format", "json"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else None, said.err


def test_a_folder_of_good_receipts_is_counted(
    folder: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, _ = verdicts(capsys, folder, "--trust", trust, "--mapping", WUHAN_V2)

    assert code == 0
    assert found == {"verified": 12, "pending": 0, "failed": 0, "recomputed": True, "failures": []}


def test_files_and_lines_that_fail_are_named_and_the_others_counted(
    folder: Path, trust: Path, capsys: pytest.CaptureFixture[str], receipts: list[dict[str, Any]]
) -> None:
    forged = canonical_bytes({**receipts[0], "record": {**receipts[0]["record"], "id": "00" * 16}})
    lines = (folder / "more.ndjson").read_bytes().splitlines()
    lines[2], lines[4] = forged, b"x" * 200_000
    (folder / "more.ndjson").write_bytes(b"\n".join([*lines, b""]))
    (folder / "3.json").write_bytes(b"{}")

    code, found, said = verdicts(capsys, folder / "0.json", folder / "3.json", folder / "more.ndjson",
                                 "--trust", trust)  # fmt: skip

    assert code == 6
    assert (found["verified"], found["failed"]) == (5, 3)
    assert [(failure["where"], failure["code"]) for failure in found["failures"]] == [
        (str(folder / "3.json"), "malformed-document"),
        (f"{folder / 'more.ndjson'}:3", "proof-invalid"),
        (f"{folder / 'more.ndjson'}:5", "malformed-document"),
    ]
    assert "more.ndjson:3: proof-invalid" in said
    assert "3 of 8 receipts do not hold" in said


def test_only_the_first_failures_are_named(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.ndjson").write_bytes(b"{}\n" * 50)

    code, found, _ = verdicts(capsys, tmp_path / "bad.ndjson", "--trust", trust)

    assert (code, found["failed"], len(found["failures"])) == (6, 50, 20)


def test_receipts_that_only_wait_leave_with_1(
    folder: Path, trust: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = witness_signer("witness.example/w1")
    mine = tmp_path / "mine"
    mine.mkdir()
    rules = (trust / "policy").read_bytes()
    stricter = f"witness w1 {witness.key}\nquorum w1\n".encode()
    (mine / "policy").write_bytes(rules.replace(b"quorum none\n", stricter))
    (mine / "keys.json").write_bytes((trust / "keys.json").read_bytes())

    code, found, said = verdicts(capsys, folder / "more.ndjson", "--trust", mine)

    assert (code, found["pending"], found["failed"]) == (1, 6, 0)
    assert "quorum-pending" in said


@pytest.mark.parametrize("name", ["empty", "empty.ndjson", "absent.ndjson"])
def test_nothing_to_verify_is_no_success(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.ndjson").touch()

    assert verdicts(capsys, tmp_path / name, "--trust", trust)[0] == 3
