"""Requests are signed by RFC 9421: what decides is covered, and nothing else is believed."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ED25519

from gateway.signing.requests import (
    LIFETIME,
    Message,
    RequestNotSigned,
    content_digest,
    required_components,
    sign_request,
    verify_request,
)
from tests.fakes.serving import PlatformSigner

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NONCE = "AAAAAAAAAAAAAAAAAAAAAA"
BODY = json.dumps({"acts": []}).encode()


KEY = PlatformSigner()


def unsigned(**changed: str) -> Message:
    headers = {
        "content-type": "application/json",
        "content-digest": content_digest(BODY),
        "idempotency-key": "k-1",
    }
    return Message("POST", "https://gw.example/v1/acts?mapping=a%2Fb", headers | changed, has_content=True)


def signed(
    message: Message, *, created: datetime = NOW, nonce: str = NONCE, key: PlatformSigner = KEY
) -> Message:
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
    with pytest.raises(RequestNotSigned, match="no key of this `keyid`"):
        verify_request(signed(unsigned(), key=PlatformSigner(2)), find, now=NOW)


@pytest.mark.parametrize(
    ("late", "accepted"),
    [
        pytest.param(-30, True, id="their clock is ahead as far as it may be"),
        pytest.param(-31, False, id="ahead by more"),
        pytest.param(330, True, id="as old as it may be"),
        pytest.param(331, False, id="older"),
    ],
)
def test_a_signature_has_its_time(late: int, accepted: bool) -> None:
    message, now = signed(unsigned()), NOW + timedelta(seconds=late)
    if accepted:
        verify_request(message, find, now=now)
        return

    with pytest.raises(RequestNotSigned):
        verify_request(message, find, now=now)


def signed_for(seconds: int, components: Sequence[str] = ()) -> Message:
    """Sign a message that says itself until when, and over what."""
    message = unsigned()
    sent = replace(message, headers=dict(message.headers))
    library = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = library.prepare(
        sent,
        key_id=KEY.key_id,
        created=NOW,
        expires=NOW + timedelta(seconds=seconds),
        nonce=NONCE,
        label="tanqiao",
        tag="tanqiao",
        covered_component_ids=components or required_components(message),
        use_existing_digest=True,
    )
    library.apply(sent, prepared, KEY.sign(prepared.signature_base))
    return replace(message, headers={name.lower(): value for name, value in sent.headers.items()})


@pytest.mark.parametrize("left_out", required_components(unsigned()))
def test_each_part_that_decides_has_to_be_covered(left_out: str) -> None:
    covered = [name for name in required_components(unsigned()) if name != left_out]

    with pytest.raises(RequestNotSigned, match=f"does not cover {left_out}"):
        verify_request(signed_for(60, covered), find, now=NOW)


@pytest.mark.parametrize(
    "written", ['"content-digest";sf', '"content-digest";bs', '"content-digest";key="sha-256"']
)
def test_a_part_that_is_covered_in_another_form_is_not_the_one_that_decides(written: str) -> None:
    others = [name for name in required_components(unsigned()) if name != "content-digest"]

    with pytest.raises(RequestNotSigned, match="does not cover content-digest"):
        verify_request(signed_for(60, [*others, written]), find, now=NOW)


def test_more_than_what_decides_may_be_covered_in_any_order() -> None:
    covered = ['"@target-uri"', *reversed(required_components(unsigned()))]

    assert verify_request(signed_for(60, covered), find, now=NOW).nonce == NONCE


@pytest.mark.parametrize(
    ("seconds", "late", "said"),
    [
        (0, 0, ""),
        (300, 0, ""),
        (301, 0, "at most 300 seconds after"),
        (-1, 0, "at most 300 seconds after"),
        (60, 90, ""),
        (60, 91, "it has expired"),
    ],
)
def test_a_signature_says_itself_until_when_for_five_minutes_at_most(
    seconds: int, late: int, said: str
) -> None:
    message, now = signed_for(seconds), NOW + timedelta(seconds=late)
    if not said:
        assert verify_request(message, find, now=now).expires == NOW + timedelta(seconds=seconds)
        return

    with pytest.raises(RequestNotSigned, match=said):
        verify_request(message, find, now=now)


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(0, True), (-1, False), (2**33 - 301, True), (2**33 - 300, False)]
)
def test_times_go_from_1970_until_2242(seconds: int, accepted: bool) -> None:
    created = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    message = signed(unsigned(), created=created)
    if accepted:
        assert verify_request(message, find, now=created).created == created
        return

    with pytest.raises(RequestNotSigned, match="no whole seconds"):
        verify_request(message, find, now=created)


def test_the_content_has_one_digest_and_that_of_sha_256() -> None:
    longer = f"sha-512=:{'A' * 86}==:"

    for other in (f"{content_digest(BODY)}, {longer}", longer):
        with pytest.raises(RequestNotSigned, match="expected one `Content-Digest"):
            verify_request(signed(unsigned(**{"content-digest": other})), find, now=NOW)


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
