"""Credentials from end to end by our own verifier: whatever is changed in one is refused."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gateway.app.base.home import open_home
from gateway.app.base.keys import end_key, rotate_record_key
from gateway.app.records.check import receipt_of
from gateway.app.records.credential import credential_of, credential_schema, credential_verifier, publish_keys
from gateway.cli.output import exit_code
from gateway.errors import GatewayError, LocalFileError, MalformedDocument, UsageError
from gateway.model.canonical import ProfileBroken, canonical_bytes
from gateway.model.credential import CONTEXT_DOCUMENT, CONTEXT_PATH, SCHEMA_PATH
from gateway.service.receipts.credentials import CredentialMismatch, CredentialVerifier
from gateway.service.receipts.replaying import QuantityDiffers
from gateway.signing import CommitmentMismatch, SignatureInvalid, Signer, add_proof
from gateway.transparency import NotInPolicy, QuorumPending
from tests.fakes.changes import changes_of, leaves, put, some_of
from tests.fakes.homes import convert, make_home, rows_of, secrets_of, trips, write_trips
from tests.unit.transparency.signers import witness_signer

WUHAN_V2 = Path(__file__).resolve().parents[2] / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"
BYTES = int(os.environ.get("TANQIAO_CREDENTIAL_BYTES", "150"))  # 0: every one of them
DOMAIN = "gateway.example"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make one home for all tests that leave its keys as they are."""
    folder = tmp_path_factory.mktemp("credential")
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(folder, patch)
        convert(home, write_trips(folder / "a.ndjson", trips(5)))
        yield home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of that home with its checkpoint store, free to be changed."""
    for name in ("home", "state"):
        shutil.copytree(made.parent / name, tmp_path / name)
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    return tmp_path / "home"


def exported(home: Path, **more: Any) -> bytes:
    return credential_of(home, rows_of(home)[0].id, domain=DOMAIN, **more)


def trust_of(home: Path) -> tuple[bytes, bytes]:
    return (home / "trust" / "policy").read_bytes(), (home / "trust" / "keys.json").read_bytes()


def checks_of(home: Path, *, trust: bool = False, mappings: bool = False) -> CredentialVerifier:
    publish_keys(home, home.parent / "public", domain=DOMAIN)
    did = (home.parent / "public" / ".well-known" / "did.json").read_bytes()
    return credential_verifier(
        did, trust=trust_of(home) if trust else None, mappings=[WUHAN_V2] if mappings else []
    )


def record_signer(home: Path) -> Signer:
    with open_home(home) as opened:
        return opened.record_signers()[0]


def signed_again(home: Path, credential: dict[str, Any], *, created: str = "") -> bytes:
    """Return a credential with a good proof over what it says now."""
    document = {name: value for name, value in credential.items() if name != "proof"}
    signer = record_signer(home)
    method = f"{document['issuer']}#{signer.key_id}"
    moment = created or credential["proof"]["created"]
    return canonical_bytes(add_proof(document, signer, method=method, created=moment))


def test_a_credential_says_what_the_record_says_and_discloses_what_was_asked_for(home: Path) -> None:
    row = rows_of(home)[0]
    bare = json.loads(exported(home))
    more = json.loads(exported(home, disclose=["event"], receipt=True))
    record = json.loads(receipt_of(home, row.id, disclose=[]))["record"]

    assert bare["credentialSubject"] == {"record": record}
    assert "evidence" not in bare
    assert bare["validFrom"] == record["issued"]
    assert more["credentialSubject"]["disclosures"][0]["value"] == row.event
    assert more["evidence"][0]["receipt"]["record"] == record
    assert "Not an official certificate" in bare["description"][0]["@value"]
    assert "非官方证书" in bare["description"][1]["@value"]


@pytest.mark.parametrize("receipt", [False, True])
@pytest.mark.parametrize("disclose", [[], ["event"], ["event", "subject"]], ids=str)
def test_every_kind_of_export_holds(home: Path, receipt: bool, disclose: list[str]) -> None:
    checks = checks_of(home, trust=True, mappings=True)

    found = checks.verify(exported(home, disclose=disclose, receipt=receipt))

    assert ("evidence" in found) is receipt


def test_what_is_not_disclosed_is_nowhere_in_the_bytes(home: Path) -> None:
    row = rows_of(home)[0]
    secrets = secrets_of(row)

    for disclose in ([], ["event"], ["subject"]):
        data = exported(home, disclose=disclose, receipt=True)
        for name, texts in secrets.items():
            assert all((text in data) is (name in disclose) for text in texts), (disclose, name)


def test_every_changed_leaf_is_refused_as_a_contradiction(home: Path) -> None:
    """What is still within the profile leaves with 6; a control character in a text is refused before."""
    checks = checks_of(home)
    credential = json.loads(exported(home, disclose=["event"], receipt=True))
    changed = [
        put(credential, path, value) for path, leaf in leaves(credential) for value in changes_of(leaf)
    ]
    assert len(changed) > 2500
    for document in some_of(changed, BYTES):
        with pytest.raises(GatewayError) as refused:
            checks.verify(json.dumps(document).encode())
        assert exit_code(refused.value) == 6 or isinstance(refused.value, ProfileBroken), refused.value


def test_every_changed_byte_is_refused(home: Path) -> None:
    checks = checks_of(home)
    data = exported(home, disclose=["event"], receipt=True)
    for place in some_of(list(range(len(data))), BYTES):
        for bit in (1, 0x20):
            changed = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            with pytest.raises(GatewayError) as refused:
                checks.verify(changed)
            assert exit_code(refused.value) in (4, 6), refused.value


def test_a_credential_that_was_cut_or_lengthened_is_refused(home: Path) -> None:
    checks = checks_of(home)
    data = exported(home)
    for changed in (b"", data[:-1], data + b"}", data + b"x", b"\xef\xbb\xbf" + data, data * 2, b"[]", b"{}"):
        with pytest.raises(GatewayError):
            checks.verify(changed)


def moment_of_last_entry(home: Path) -> str:
    with open_home(home) as opened:
        entry = json.loads(opened.log.entry(opened.log.size - 1))
    assert entry["body"]["type"] == "tanqiao/keys-change/1"
    return str(entry["body"]["issued"])


@pytest.mark.parametrize("action", ["retired", "revoked"])
def test_a_retired_key_keeps_what_it_signed_and_a_revoked_one_loses_it(home: Path, action: str) -> None:
    first = exported(home)
    old = record_signer(home).key_id
    rotate_record_key(home)
    during = json.loads(exported(home))
    end_key(home, old, action=action)
    checks = checks_of(home)
    second = exported(home)

    [(_, ended)] = [each for each in checks.did.methods.items() if each[0].endswith(old)]
    assert (ended.expires, ended.revoked) == (
        (moment_of_last_entry(home), "") if action == "retired" else ("", moment_of_last_entry(home))
    )
    assert during["proof"]["verificationMethod"].endswith(old)
    assert not json.loads(second)["proof"]["verificationMethod"].endswith(old)
    checks.verify(second)
    if action == "retired":
        checks.verify(first)
    else:
        with pytest.raises(SignatureInvalid, match="was revoked at"):
            checks.verify(first)


def test_a_retired_key_signs_nothing_dated_after_its_end(home: Path) -> None:
    credential = json.loads(exported(home))
    forged = signed_again(home, credential, created="2099-01-01T00:00:00Z")
    checks_of(home).verify(forged)
    rotate_record_key(home)
    end_key(home, record_signer(home).key_id, action="retired")

    with pytest.raises(SignatureInvalid, match="ended at"):
        checks_of(home).verify(forged)


def test_a_credential_of_another_home_or_domain_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = checks_of(home)
    elsewhere = credential_of(home, rows_of(home)[0].id, domain="other.example")
    other = make_home(tmp_path / "other", monkeypatch)
    convert(other, write_trips(tmp_path / "b.ndjson", trips(2)))

    with pytest.raises(CredentialMismatch, match="issuer"):
        checks.verify(elsewhere)
    with pytest.raises(SignatureInvalid, match="not a key"):
        checks.verify(credential_of(other, rows_of(other)[0].id, domain=DOMAIN))


WRONG: dict[str, tuple[tuple[Any, ...], Any, type[GatewayError]]] = {
    "context": (("@context", 1), f"https://x.example/{CONTEXT_PATH}", CredentialMismatch),
    "another context": (
        ("@context",), ["https://www.w3.org/ns/credentials/v2", *[f"https://{DOMAIN}/{CONTEXT_PATH}"] * 2],
        MalformedDocument),
    "schema": (("credentialSchema", "id"), f"https://x.example/{SCHEMA_PATH}", CredentialMismatch),
    "date": (("validFrom",), "2026-01-01T00:00:00Z", CredentialMismatch),
    "opening": (("credentialSubject", "disclosures", 0, "value"), "WH-9", CommitmentMismatch),
    "receipt": (("evidence", 0, "receipt", "record", "day"), "2025-01-01", CredentialMismatch),
    "type": (("type",), ["VerifiableCredential"], MalformedDocument),
    "more": (("more",), "x", MalformedDocument),
    "quantity as a number": (("credentialSubject", "record", "reduction", "co2e_mg"), 1, MalformedDocument),
    "big": (("credentialSubject", "record", "inputs"),
            {f"i{n}": {"value": "x" * 64, "unit": "y" * 40} for n in range(32)}, CredentialMismatch),
}  # fmt: skip


@pytest.mark.parametrize(("path", "value", "error"), WRONG.values(), ids=WRONG)
def test_a_good_proof_over_wrong_content_is_refused(
    home: Path, path: tuple[Any, ...], value: Any, error: type[GatewayError]
) -> None:
    credential = put(json.loads(exported(home, disclose=["event"], receipt=True)), path, value)

    with pytest.raises((error, MalformedDocument) if path[-1] == "inputs" else error):
        checks_of(home).verify(signed_again(home, credential))


def test_a_proof_older_than_its_record_is_refused(home: Path) -> None:
    forged = signed_again(home, json.loads(exported(home)), created="2025-01-01T00:00:00Z")

    with pytest.raises(CredentialMismatch, match="before the record"):
        checks_of(home).verify(forged)


def test_the_gateway_itself_cannot_state_another_quantity_than_the_mapping_gives(home: Path) -> None:
    path = ("credentialSubject", "record", "reduction", "co2e_mg")
    forged = signed_again(home, put(json.loads(exported(home)), path, "999999"))

    checks_of(home).verify(forged)
    with pytest.raises(QuantityDiffers):
        checks_of(home, mappings=True).verify(forged)


def test_the_receipt_in_a_credential_counts_under_the_verifiers_own_trust_files(home: Path) -> None:
    data = exported(home, receipt=True)
    policy, ring = trust_of(home)
    did = checks_of(home).did
    witness = witness_signer("witness.example/w1")
    strict = policy.replace(b"quorum none", b"witness w1 %s\nquorum w1" % str(witness.key).encode())
    credential = json.loads(data)
    proof = credential["evidence"][0]["receipt"]["record_proof"]
    proof["hashes"][0] = "00" * 32
    receipt = signed_again(home, credential)

    with pytest.raises(QuorumPending):
        credential_verifier(did.to_bytes(), trust=(strict, ring)).verify(data)
    with pytest.raises(NotInPolicy):
        credential_verifier(did.to_bytes(), trust=(b"quorum none\n", ring)).verify(data)
    with pytest.raises(GatewayError, match="proof"):
        checks_of(home, trust=True).verify(receipt)


def test_an_erased_commitment_cannot_be_disclosed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erasing has no command yet, so the row is emptied where it is read."""
    row = rows_of(home)[0]
    erased = row._replace(event=None, event_salt=None, person=None, subject_salt=None)
    reading = "gateway.store.files.records.ParquetRecordFiles.read"
    rows = [erased, *rows_of(home)[1:]]
    monkeypatch.setattr(reading, lambda _self, file: [one for one in rows if one.day == file.day])

    with pytest.raises(LocalFileError, match="was erased"):
        credential_of(home, row.id, domain=DOMAIN, disclose=["event"])
    checks_of(home).verify(credential_of(home, row.id, domain=DOMAIN))


def test_published_files_are_what_credentials_refer_to(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "public"
    answer = publish_keys(home, out, domain=DOMAIN)
    credential = json.loads(exported(home, receipt=True))
    prefix = f"https://{DOMAIN}/"

    schema = json.loads((out / credential["credentialSchema"]["id"].removeprefix(prefix)).read_bytes())
    context = json.loads((out / credential["@context"][1].removeprefix(prefix)).read_bytes())

    assert answer["did"] == credential["issuer"]
    assert schema["$id"] == credential["credentialSchema"]["id"]
    assert schema == credential_schema(schema["$id"])
    assert context == CONTEXT_DOCUMENT
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(credential)
    assert not jsonschema.Draft202012Validator(schema).is_valid({**credential, "more": 1})
    record = put(credential, ("credentialSubject", "record", "reduction", "co2e_mg"), "01")
    assert not jsonschema.Draft202012Validator(schema).is_valid(record)


def test_a_home_whose_name_is_no_domain_is_asked_for_one(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a domain name"):
        credential_of(home, rows_of(home)[0].id)
    with pytest.raises(UsageError, match="not a domain name"):
        publish_keys(home, tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
