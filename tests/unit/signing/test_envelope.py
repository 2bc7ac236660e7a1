"""Envelopes: what a signature covers, and whose signature counts where."""

import base64
import json
from typing import Any

import pytest

from gateway.errors import GatewayError, InvariantBroken, MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.strict import read_strict_object
from gateway.signing import SignatureInvalid, seal, signed_text, verify_envelope, verify_parties
from tests.unit.signing.signers import SeededSigner, ring_of, trusted

OLD, NEW, STRANGER = SeededSigner("old"), SeededSigner("new"), SeededSigner("stranger")
HTTP = SeededSigner("http", "http")
RING = ring_of(trusted(OLD), trusted(NEW), trusted(HTTP))
BODY: dict[str, Json] = {"type": "tanqiao/batch/1", "size": 3, "names": ["地铁", "b"], "flag": True}


def read(envelope: bytes) -> dict[str, Json]:
    return read_strict_object(envelope)


def altered(**members: Any) -> dict[str, Json]:
    return {**read(seal(BODY, [OLD])), **members}


def test_what_is_signed_is_the_pre_authentication_encoding_of_dsse() -> None:
    payload = b'{"a":"\xe5\x9c\xb0"}'

    assert signed_text({"a": "地"}) == (b"DSSEv1 38 application/vnd.tanqiao.statement+json 11 " + payload)


def test_an_envelope_verifies_and_gives_its_body() -> None:
    for signers in ([OLD], [OLD, NEW]):
        assert verify_envelope(read(seal(BODY, signers)), RING, position=5) == BODY


def test_every_changed_byte_of_an_envelope_is_refused() -> None:
    """Also where the changed text is JSON of the same form: the signature covers it or the reader refuses."""
    sealed = seal(BODY, [OLD])
    for place in range(len(sealed)):
        for bit in (1, 4, 32):
            changed = sealed[:place] + bytes([sealed[place] ^ bit]) + sealed[place + 1 :]
            with pytest.raises(GatewayError):
                verify_envelope(read(changed), RING, position=5)


def test_a_key_that_the_ring_does_not_know_is_refused() -> None:
    with pytest.raises(SignatureInvalid, match="not in the trust file"):
        verify_envelope(read(seal(BODY, [STRANGER])), RING, position=5)
    with pytest.raises(SignatureInvalid, match="not in the trust file"):
        verify_envelope(read(seal(BODY, [OLD, STRANGER])), RING, position=5)


def test_a_key_of_another_purpose_is_refused() -> None:
    with pytest.raises(SignatureInvalid, match="may not sign a statement"):
        verify_envelope(read(seal(BODY, [HTTP])), RING, position=5)


@pytest.mark.parametrize("end", ["retired", "revoked"])
def test_an_ended_key_counts_up_to_the_entry_that_ends_it(end: str) -> None:
    ring = ring_of(trusted(OLD, since=4, **{end: 8}), trusted(NEW))
    sealed = read(seal(BODY, [OLD, NEW]))

    for position in (4, 7, 8):
        verify_envelope(sealed, ring, position=position)
    for position in (3, 9):
        with pytest.raises(SignatureInvalid):
            verify_envelope(sealed, ring, position=position)


def test_a_bad_signature_beside_a_good_one_is_refused() -> None:
    sealed = json.loads(seal(BODY, [OLD, NEW]))
    good = sealed["signatures"]
    swapped = [{**good[0], "value": good[1]["value"]}, good[1]]

    for signatures in (swapped, swapped[::-1], [good[0], {**good[1], "value": good[0]["value"]}]):
        with pytest.raises(SignatureInvalid, match="does not fit"):
            verify_envelope({**sealed, "signatures": signatures}, RING, position=5)


def test_one_key_signs_a_statement_once() -> None:
    with pytest.raises(SignatureInvalid, match="twice"):
        verify_envelope(read(seal(BODY, [OLD, OLD])), RING, position=5)


@pytest.mark.parametrize("count", [0, 9])
def test_an_envelope_has_one_to_eight_signatures(count: int) -> None:
    signatures = json.loads(seal(BODY, [OLD]))["signatures"] * count

    with pytest.raises(SignatureInvalid, match="1 to 8"):
        verify_envelope(altered(signatures=signatures), RING, position=5)
    with pytest.raises(InvariantBroken):
        seal(BODY, [OLD] * count)


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"body": BODY},
        altered(body=[]),
        altered(signatures={}),
        altered(more="x"),
        altered(signatures=[1]),
        altered(signatures=[{"key": OLD.key_id}]),
        altered(signatures=[{"key": OLD.key_id, "value": "!"}]),
        altered(signatures=[{"key": OLD.key_id, "value": "", "more": 1}]),
    ],
)
def test_what_is_no_envelope_is_not_read_as_one(envelope: dict[str, Json]) -> None:
    with pytest.raises((MalformedDocument, SignatureInvalid)):
        verify_envelope(envelope, RING, position=5)


def test_a_signature_is_written_in_one_way_only() -> None:
    """Base64 of 64 bytes ends in a letter of which four bits mean nothing: only zeros are taken."""
    value = base64.b64encode(OLD.sign(signed_text(BODY))).decode()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = value[:-3] + letters[letters.index(value[-3]) + 1] + "=="
    assert base64.b64decode(other) == base64.b64decode(value)

    with pytest.raises(MalformedDocument, match="canonical"):
        verify_envelope(altered(signatures=[{"key": OLD.key_id, "value": other}]), RING, position=5)


def test_a_signature_over_the_bare_body_is_refused() -> None:
    bare = base64.b64encode(OLD.sign(canonical_bytes(BODY))).decode()

    with pytest.raises(SignatureInvalid):
        verify_envelope(altered(signatures=[{"key": OLD.key_id, "value": bare}]), RING, position=5)


def test_eight_signatures_are_the_most_that_an_envelope_has() -> None:
    signers = [SeededSigner(f"key {number}") for number in range(9)]
    ring = ring_of(*map(trusted, signers))

    assert verify_envelope(read(seal(BODY, signers[:8])), ring, position=0) == BODY
    with pytest.raises(InvariantBroken, match="there are 9"):
        seal(BODY, signers)
    more = read(seal(BODY, signers[:8]))["signatures"], read(seal(BODY, signers[8:]))["signatures"]
    with pytest.raises(SignatureInvalid, match="this has 9"):
        verify_envelope({"body": BODY, "signatures": [*more[0], *more[1]]}, ring, position=0)  # type: ignore[misc]  # lists


PARTIES = {OLD.key_id: OLD.public, NEW.key_id: NEW.public}


def test_parties_that_may_sign_are_told_by_their_keys() -> None:
    body, keys = verify_parties(read(seal(BODY, [OLD, NEW])), PARTIES.get)

    assert body == BODY
    assert keys == [OLD.key_id, NEW.key_id]


def test_one_party_that_may_not_sign_refuses_the_whole() -> None:
    for signers in ([STRANGER], [OLD, STRANGER]):
        with pytest.raises(SignatureInvalid, match="unknown here"):
            verify_parties(read(seal(BODY, signers)), PARTIES.get)


def test_a_party_s_signature_of_something_else_is_refused() -> None:
    other = read(seal({**BODY, "size": 4}, [OLD]))

    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify_parties({**other, "body": BODY}, PARTIES.get)


def test_a_party_signs_once() -> None:
    sealed = read(seal(BODY, [OLD]))
    signatures = sealed["signatures"]
    assert isinstance(signatures, list)

    with pytest.raises(SignatureInvalid, match="signs twice"):
        verify_parties({**sealed, "signatures": [*signatures, *signatures]}, PARTIES.get)
