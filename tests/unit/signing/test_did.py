"""DID documents and key sets: what they say of keys that sign, have ended, or never were there."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from gateway.errors import GatewayError, MalformedDocument, UsageError
from gateway.signing import DidDocument, PublishedKey, SignatureInvalid, did_of, domain_of, key_set
from gateway.signing.multibase import multibase
from tests.unit.signing.signers import SeededSigner, trusted

ACTIVE, RETIRED, REVOKED = (trusted(SeededSigner(name)) for name in ("active", "retired", "revoked"))
MOMENT = "2026-11-22T05:00:00Z"
KEYS = [
    PublishedKey(ACTIVE),
    PublishedKey(RETIRED, retired=MOMENT),
    PublishedKey(REVOKED, retired=MOMENT, revoked="2026-11-23T05:00:00Z"),
]
DID = "did:web:gateway.example"


def url(key: Any) -> str:
    return f"{DID}#{key.id}"


def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(DidDocument.of("gateway.example", KEYS).to_bytes())
    return made


def test_a_document_lists_all_keys_and_asserts_with_those_that_were_not_revoked() -> None:
    made = document()

    assert made["id"] == DID
    assert [method["id"] for method in made["verificationMethod"]] == [url(one.key) for one in KEYS]
    assert made["assertionMethod"] == [url(ACTIVE), url(RETIRED)]
    assert made["verificationMethod"][0] == {
        "id": url(ACTIVE),
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": multibase(b"\xed\x01" + ACTIVE.public),
    }
    assert made["verificationMethod"][1]["expires"] == MOMENT
    assert made["verificationMethod"][2]["revoked"] == "2026-11-23T05:00:00Z"


def test_a_document_is_read_as_it_was_made() -> None:
    made = DidDocument.of("gateway.example", KEYS)

    assert DidDocument.parse(made.to_bytes()) == made


def test_a_key_counts_until_it_was_retired_and_never_once_it_was_revoked() -> None:
    found = DidDocument.of("gateway.example", KEYS)

    assert found.require_asserting(url(ACTIVE), "2099-01-01T00:00:00Z") == ACTIVE
    assert found.require_asserting(url(RETIRED), MOMENT) == RETIRED
    with pytest.raises(SignatureInvalid, match="ended at"):
        found.require_asserting(url(RETIRED), "2026-11-22T05:00:01Z")
    with pytest.raises(SignatureInvalid, match="was revoked"):
        found.require_asserting(url(REVOKED), "2026-11-01T00:00:00Z")
    with pytest.raises(SignatureInvalid, match="not a key"):
        found.require_asserting(DID, MOMENT)
    for moment in (
        "",
        "2026",
        "２０26-11-22T05:00:00Z",
        "2026-11-22T05:00:00+08:00",
        "2026-11-22T05:00:00.0Z",
    ):
        with pytest.raises(SignatureInvalid, match="no moment"):
            found.require_asserting(url(ACTIVE), moment)


def test_a_key_that_is_no_assertion_method_is_refused() -> None:
    changed = {**document(), "assertionMethod": [url(RETIRED)]}

    with pytest.raises(SignatureInvalid, match="assertion methods"):
        DidDocument.parse(json.dumps(changed).encode()).require_asserting(url(ACTIVE), MOMENT)


def test_keys_of_others_and_of_other_kinds_are_passed_over() -> None:
    made = document()
    mine = made["verificationMethod"][0]
    others = [
        {**mine, "id": f"{DID}#1", "controller": "did:web:other.example"},
        {**mine, "id": f"{DID}#2", "type": "JsonWebKey"},
        {**mine, "id": f"{DID}#3", "publicKeyMultibase": "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"},
        "text",
    ]
    changed = {**made, "verificationMethod": [mine, *others], "service": [{"id": f"{DID}#s"}]}

    found = DidDocument.parse(json.dumps(changed).encode())

    assert list(found.methods) == [url(ACTIVE)]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "did:key:z6Mk"},
        {"id": "did:web:"},
        {"id": "did:web:GATEWAY.example"},
        {"id": 1},
        {"verificationMethod": "none"},
        {"assertionMethod": {}},
        {"verificationMethod": [document()["verificationMethod"][0]] * 2},
        {"verificationMethod": [{**document()["verificationMethod"][0], "publicKeyMultibase": "z6Mk"}]},
        {"verificationMethod": [{**document()["verificationMethod"][0], "revoked": "yes"}]},
        {
            "verificationMethod": [
                {
                    **document()["verificationMethod"][0],
                    "publicKeyMultibase": multibase(b"\xed\x01" + b"\x01" + bytes(31)),
                }
            ]
        },
    ],
    ids=str,
)
def test_what_is_no_did_document_of_a_domain_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(GatewayError) as refused:
        DidDocument.parse(json.dumps({**document(), **change}).encode())

    assert isinstance(refused.value, MalformedDocument) or refused.value.code == "unsound-key"


def test_a_domain_name_becomes_a_did_and_nothing_else_does() -> None:
    for domain in ("gateway.example", "a.b-c.xn--fiqs8s", "worked.example-test"):
        assert domain_of(did_of(domain)) == domain
    for text in (
        "", "localhost", "Gateway.example", "gateway.example:8443", "gateway.example/path", "碳桥.中国",
        "-a.example", "a-.example", "a..example", "a.example.", "a.example\n", f"{'a' * 64}.example",
        ".".join(["a" * 60] * 5), "did:web:a.example",
    ):  # fmt: skip
        with pytest.raises(UsageError, match="not a domain name"):
            did_of(text)


def test_a_key_set_has_the_keys_that_count_in_the_form_of_rfc_8037() -> None:
    keys = json.loads(key_set(KEYS))["keys"]

    assert [key["kid"] for key in keys] == [ACTIVE.id, RETIRED.id]
    for key, one in zip(keys, KEYS, strict=False):
        assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
        assert urlsafe_b64decode(key["x"] + "=") == one.key.public
        assert "d" not in key
