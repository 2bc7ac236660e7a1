"""Requests are signed by RFC 9421: what decides is covered, and nothing else is believed."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.signing import key_id
from gateway.signing.requests import (
    LIFETIME,
    SKEW,
    Message,
    RequestNotSigned,
    content_digest,
    sign_request,
    verify_request,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NONCE = "AAAAAAAAAAAAAAAAAAAAAA"
BODY = json.dumps({"acts": []}).encode()


class Key:
    """A signer in memory."""

    def __init__(self, seed: int = 1) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id(self.public, "http")

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


KEY = Key()


def unsigned(**changed: str) -> Message:
    headers = {
        "content-type": "application/json",
        "content-digest": content_digest(BODY),
        "idempotency-key": "k-1",
    }
    return Message("POST", "https://gw.example/v1/acts?mapping=a%2Fb", headers | changed, has_content=True)


def signed(message: Message, *, created: datetime = NOW, nonce: str = NONCE, key: Key = KEY) -> Message:
    made = sign_request(message, key, created=created, nonce=nonce)
    return replace(
        message, headers={**message.headers, **{name.lower(): value for name, value in made.items()}}
    )


def find(wanted: str) -> bytes | None:
    return KEY.public if wanted == KEY.key_id else None


def test_a_signed_request_says_who_and_what() -> None:
    presented = verify_request(signed(unsigned()), find, now=NOW)

    assert presented.key_id == KEY.key_id
    assert presented.nonce == NONCE
    assert (presented.created, presented.expires) == (NOW, NOW + LIFETIME)
    assert f"sha-256=:{base64.b64encode(presented.content_sha256 or b'').decode()}:" == content_digest(BODY)


def test_a_request_without_content_needs_no_digest() -> None:
    message = signed(Message("GET", "https://gw.example/v1/operations/1", {}))

    assert verify_request(message, find, now=NOW).content_sha256 is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"method": "PUT"}, id="method"),
        pytest.param({"url": "https://other.example/v1/acts?mapping=a%2Fb"}, id="authority"),
        pytest.param({"url": "https://gw.example/v1/files?mapping=a%2Fb"}, id="path"),
        pytest.param({"url": "https://gw.example/v1/acts?mapping=a%2Fc"}, id="query"),
        pytest.param({"url": "https://gw.example/v1/acts"}, id="no query"),
        pytest.param({"content-digest": content_digest(b"{}")}, id="content"),
        pytest.param({"content-type": "application/x-ndjson"}, id="type of content"),
        pytest.param({"idempotency-key": "k-2"}, id="idempotency key"),
    ],
)
def test_whatever_decides_cannot_be_changed(change: dict[str, str]) -> None:
    message = signed(unsigned())
    parts = {name: value for name, value in change.items() if name in ("method", "url")}
    headers = {**message.headers, **{name: value for name, value in change.items() if name not in parts}}

    with pytest.raises(RequestNotSigned, match="refused"):
        verify_request(replace(message, headers=headers, **parts), find, now=NOW)


@pytest.mark.parametrize("dropped", ["signature", "signature-input", "content-digest", "content-type"])
def test_whatever_decides_cannot_be_left_out(dropped: str) -> None:
    message = signed(unsigned())
    headers = {name: value for name, value in message.headers.items() if name != dropped}

    with pytest.raises(RequestNotSigned):
        verify_request(replace(message, headers=headers), find, now=NOW)


@pytest.mark.parametrize("added", ["idempotency-key"])
def test_what_decides_cannot_be_added(added: str) -> None:
    bare = unsigned()
    message = signed(replace(bare, headers={n: v for n, v in bare.headers.items() if n != added}))

    with pytest.raises(RequestNotSigned, match=added):
        verify_request(replace(message, headers={**message.headers, added: "k"}), find, now=NOW)


def test_a_key_that_is_not_in_force_is_refused() -> None:
    with pytest.raises(RequestNotSigned, match="Unable to resolve"):
        verify_request(signed(unsigned(), key=Key(2)), find, now=NOW)


@pytest.mark.parametrize(
    ("late", "accepted"),
    [
        pytest.param(-SKEW, True, id="their clock is ahead as far as it may be"),
        pytest.param(-SKEW - timedelta(seconds=1), False, id="ahead by more"),
        pytest.param(LIFETIME + SKEW, True, id="as old as it may be"),
        pytest.param(LIFETIME + SKEW + timedelta(seconds=1), False, id="older"),
    ],
)
def test_a_signature_has_its_time(late: timedelta, accepted: bool) -> None:
    message = signed(unsigned())
    if accepted:
        verify_request(message, find, now=NOW + late)
        return

    with pytest.raises(RequestNotSigned):
        verify_request(message, find, now=NOW + late)


@pytest.mark.parametrize("nonce", ["short", "A" * 65, "A" * 21 + "!"])
def test_a_nonce_must_be_long_enough_to_be_one(nonce: str) -> None:
    with pytest.raises(RequestNotSigned, match="nonce"):
        verify_request(signed(unsigned(), nonce=nonce), find, now=NOW)


def test_two_signatures_of_ours_are_one_too_many() -> None:
    message = signed(unsigned())
    twice = {
        **message.headers,
        "signature": message.headers["signature"]
        + ", "
        + message.headers["signature"].replace("tanqiao=", "b="),
        "signature-input": message.headers["signature-input"]
        + ", "
        + message.headers["signature-input"].replace("tanqiao=(", "b=("),
    }

    with pytest.raises(RequestNotSigned, match="one signature"):
        verify_request(replace(message, headers=twice), find, now=NOW)
