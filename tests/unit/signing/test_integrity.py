"""Data Integrity proofs: the W3C's own vector, ours, and whatever differs from them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from gateway.errors import GatewayError, MalformedDocument
from gateway.signing import SignatureInvalid, TrustedKey, add_proof, hash_data, verify_proof
from gateway.signing.multibase import multibase, read_multibase
from tests.fakes.changes import changes_of, leaves, put
from tests.unit.signing.signers import SeededSigner, trusted

VECTOR = Path(__file__).resolve().parents[2] / "vectors" / "eddsa-jcs-2022" / "signed.json"
SIGNER = SeededSigner("credential")
DOCUMENT: dict[str, Any] = {
    "@context": ["https://a.example/1"],
    "issuer": "did:web:a.example",
    "name": "碳桥",
}


def secured() -> dict[str, Any]:
    return add_proof(DOCUMENT, SIGNER, method="did:web:a.example#k", created="2026-11-22T05:00:00Z")


def own_key(_url: str, _moment: str) -> TrustedKey:
    return trusted(SIGNER)


def vector_key(url: str, _moment: str) -> TrustedKey:
    public = read_multibase(url.partition("#")[2], 34)
    assert public.startswith(b"\xed\x01")
    return TrustedKey(purpose="record", public=public[2:], since=0)


def test_the_vector_of_the_recommendation_holds() -> None:
    vector = json.loads(VECTOR.read_text("utf-8"))

    document, options = verify_proof(vector, vector_key)

    assert document == {name: value for name, value in vector.items() if name != "proof"}
    assert options == {name: value for name, value in vector["proof"].items() if name != "proofValue"}


def test_the_vector_is_refused_with_any_letter_changed() -> None:
    vector = json.loads(VECTOR.read_text("utf-8"))
    for path, leaf in leaves(vector):
        for value in changes_of(leaf):
            if path == ("proof", "verificationMethod"):
                continue  # names the key itself, which is given here
            with pytest.raises(SignatureInvalid):
                verify_proof(
                    put(vector, path, value),
                    lambda _url, _moment: vector_key(vector["proof"]["verificationMethod"], ""),
                )


def test_signed_are_the_hashes_of_both_parts_in_the_reference_form() -> None:
    options = {name: value for name, value in secured()["proof"].items() if name != "proofValue"}

    expected = (
        hashlib.sha256(rfc8785.dumps(options)).digest() + hashlib.sha256(rfc8785.dumps(DOCUMENT)).digest()
    )

    assert hash_data(DOCUMENT, options) == expected
    assert secured()["proof"]["proofValue"][1:] != ""
    assert read_multibase(secured()["proof"]["proofValue"], 64) == SIGNER.sign(expected)


def test_a_proof_that_was_made_here_holds_and_a_document_is_not_changed_by_it() -> None:
    document, options = verify_proof(secured(), own_key)

    assert document == DOCUMENT
    assert options["@context"] == DOCUMENT["@context"]
    assert "proof" not in DOCUMENT


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "Ed25519Signature2020"),
        ("cryptosuite", "eddsa-rdfc-2022"),
        ("proofPurpose", "authentication"),
        ("@context", ["https://a.example/2"]),
        ("proofValue", ""),
        ("proofValue", "z"),
        ("more", "1"),
    ],
)
def test_another_suite_purpose_context_or_value_is_refused(member: str, value: Any) -> None:
    changed = secured()
    changed["proof"][member] = value

    with pytest.raises(SignatureInvalid):
        verify_proof(changed, own_key)


def signed_as(**options: Any) -> dict[str, Any]:
    """Sign the document with our key and options that say something else."""
    stated = {name: value for name, value in secured()["proof"].items() if name != "proofValue"} | options
    return {
        **DOCUMENT,
        "proof": {**stated, "proofValue": multibase(SIGNER.sign(hash_data(DOCUMENT, stated)))},
    }


def test_what_a_key_has_signed_for_another_suite_purpose_or_context_is_no_proof() -> None:
    assert verify_proof(signed_as(), own_key)[0] == DOCUMENT
    for member, value in (
        ("type", "Ed25519Signature2020"),
        ("cryptosuite", "eddsa-rdfc-2022"),
        ("proofPurpose", "authentication"),
        ("@context", ["https://a.example/2"]),
    ):
        with pytest.raises(SignatureInvalid, match=f"the proof's {member} is not"):
            verify_proof(signed_as(**{member: value}), own_key)


@pytest.mark.parametrize("proof", [None, "z", [], [{"type": "DataIntegrityProof"}], 1])
def test_a_document_without_one_proof_is_refused(proof: Any) -> None:
    changed = {**DOCUMENT} if proof is None else {**DOCUMENT, "proof": proof}

    with pytest.raises(MalformedDocument):
        verify_proof(changed, own_key)


def test_the_key_is_asked_for_by_method_and_moment_and_may_say_no() -> None:
    asked = []

    def no_key(url: str, moment: str) -> TrustedKey:
        asked.append((url, moment))
        raise SignatureInvalid("no")

    with pytest.raises(GatewayError, match="no"):
        verify_proof(secured(), no_key)
    assert asked == [("did:web:a.example#k", "2026-11-22T05:00:00Z")]
