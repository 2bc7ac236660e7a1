"""Key rings: what is read, what is refused, and which key may sign where."""

import base64
import json
from typing import Any

import pytest

from gateway.errors import GatewayError, MalformedDocument, Refused
from gateway.model.ed25519 import UnsoundKey
from gateway.signing import KeyRing, SignatureInvalid, key_id
from tests.unit.signing.signers import SeededSigner, ring_of, trusted

OLD, NEW, HTTP = SeededSigner("old"), SeededSigner("new"), SeededSigner("http", "http")
RING = ring_of(trusted(OLD, retired=9), trusted(NEW, since=4), trusted(HTTP, revoked=7))


def changed(index: int, **members: Any) -> bytes:
    document = json.loads(RING.to_bytes())
    entry = {**document["keys"][index], **members}
    document["keys"][index] = {name: value for name, value in entry.items() if value is not ...}
    return json.dumps(document).encode()


def test_a_ring_reads_back_as_it_was_written() -> None:
    assert KeyRing.parse(RING.to_bytes()) == RING
    assert KeyRing.parse(RING.to_bytes()).to_bytes() == RING.to_bytes()


def test_a_key_may_have_been_retired_and_then_revoked() -> None:
    ended = ring_of(trusted(OLD, retired=9, revoked=12))

    assert KeyRing.parse(ended.to_bytes()) == ended


@pytest.mark.parametrize(
    "members",
    [
        {"id": NEW.key_id},
        {"id": ...},
        {"purpose": "http"},
        {"purpose": "log"},
        {"purpose": ...},
        {"algorithm": "none"},
        {"algorithm": "ed25519"},
        {"algorithm": ...},
        {"public": base64.b64encode(NEW.public).decode()},
        {"public": "!"},
        {"public": base64.b64encode(OLD.public).decode() + " "},
        {"public": ...},
        {"public": base64.b64encode(bytes(32)).decode()},
        {"public": base64.b64encode(bytes(31)).decode()},
        {"since": "0"},
        {"since": -1},
        {"since": True},
        {"since": ...},
        {"retired": "9"},
        {"retired": -1},
        {"revoked": False},
        {"expires": 3},
    ],
    ids=str,
)
def test_a_key_that_is_not_what_it_says_refuses_the_whole_file(members: dict[str, Any]) -> None:
    with pytest.raises((MalformedDocument, UnsoundKey)):
        KeyRing.parse(changed(0, **members))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":"tanqiao/keys/1","issuer":"a","keys":{}}',
        b'{"type":"tanqiao/keys/1","issuer":1,"keys":[]}',
        b'{"type":"tanqiao/keys/2","issuer":"a","keys":[]}',
        b'{"type":"tanqiao/keys/1","issuer":"a","keys":[],"more":1}',
        b'{"type":"tanqiao/keys/1","issuer":"a","keys":[1]}',
        b'{"type":"tanqiao/keys/1","issuer":"a","issuer":"b","keys":[]}',
    ],
)
def test_what_is_no_trust_file_is_not_read_as_one(data: bytes) -> None:
    with pytest.raises(MalformedDocument):
        KeyRing.parse(data)


def test_one_public_key_has_one_purpose() -> None:
    twice = ring_of(trusted(OLD), trusted(SeededSigner("old", "http")))

    with pytest.raises(MalformedDocument, match="twice"):
        KeyRing.parse(twice.to_bytes())
    with pytest.raises(Refused, match="already"):
        ring_of(trusted(OLD)).added(trusted(SeededSigner("old", "http")))


def test_an_id_is_bound_to_the_purpose_and_to_the_key() -> None:
    ids = {key_id(OLD.public, "record"), key_id(OLD.public, "http"), key_id(NEW.public, "record")}

    assert len(ids) == 3
    assert key_id(OLD.public, "record").startswith("record-")


@pytest.mark.parametrize("action", ["retired", "revoked"])
def test_a_key_signs_up_to_its_end_and_not_after(action: str) -> None:
    key = ring_of(trusted(OLD, since=3)).ended(OLD.key_id, position=8, action=action).find(OLD.key_id)

    for position in (3, 7, 8):
        key.require_may_sign(position)
    for position in (2, 9, 10**9):
        with pytest.raises(SignatureInvalid):
            key.require_may_sign(position)


def test_a_later_end_never_gives_a_key_time_back() -> None:
    retired = ring_of(trusted(OLD)).ended(OLD.key_id, position=5, action="retired")
    revoked = retired.ended(OLD.key_id, position=7, action="revoked")

    assert (revoked.find(OLD.key_id).retired, revoked.find(OLD.key_id).revoked) == (5, 7)
    for ring, action in ((retired, "retired"), (revoked, "revoked"), (revoked, "retired")):
        with pytest.raises(Refused, match="ended already"):
            ring.ended(OLD.key_id, position=100, action=action)


def test_a_key_that_is_not_there_cannot_be_ended_or_found() -> None:
    with pytest.raises(Refused, match="no key record-x"):
        RING.ended("record-x", position=1, action="retired")
    with pytest.raises(SignatureInvalid, match="not in the trust file"):
        RING.find("record-x")


def test_a_signature_fits_one_text_and_one_key() -> None:
    key = trusted(OLD)
    key.verify(OLD.sign(b"text"), b"text")

    for signature, text in ((OLD.sign(b"text"), b"texts"), (NEW.sign(b"text"), b"text"), (b"", b"text")):
        with pytest.raises(GatewayError) as refused:
            key.verify(signature, text)
        assert refused.value.code == "signature-invalid"
