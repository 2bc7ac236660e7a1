"""Requests signed here and verified by npm's http-message-signatures, and the other way round."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import HealthCheck, Phase, given, settings

from gateway.signing import Message, RequestNotSigned, key_id, sign_request, verify_request
from gateway.signing.requests import LIFETIME, required_components
from tests.fakes.messages import altered, messages
from tests.node.packages import CLIENTS, asked, missing_packages

MESSAGES = int(os.environ.get("TANQIAO_SIGNATURE_MESSAGES", "40"))
NONCE = "AAAAAAAAAAAAAAAAAAAAAA"
pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(bool(missing_packages(CLIENTS)), reason=missing_packages(CLIENTS) or "all is here"),
]


class Key:
    """A key of a platform, for both sides."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public, "http")
        self.private_pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.public_pem = (
            self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


KEY = Key()


@pytest.fixture(scope="module")
def drawn() -> list[Message]:
    """Draw messages once: a process of Node.js for each would take minutes."""
    found: list[Message] = []

    @settings(
        max_examples=MESSAGES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(messages())
    def draw(message: Message) -> None:
        found.append(message)

    draw()
    return found


def signed(message: Message, headers: dict[str, str]) -> Message:
    return replace(message, headers={**message.headers, **{name.lower(): headers[name] for name in headers}})


def verifying(message: Message) -> dict[str, Any]:
    sent = {"method": message.method, "url": message.url, "headers": dict(message.headers)}
    return {"verify": sent, "fields": required_components(message), "public": KEY.public_pem}


def test_the_package_accepts_what_we_sign_and_refuses_it_with_any_part_altered(drawn: list[Message]) -> None:
    now = datetime.now(UTC).replace(microsecond=0)  # the package reads the machine's clock
    sent = [signed(one, sign_request(one, KEY, created=now, nonce=NONCE)) for one in drawn]
    changed = [(name, other) for one in sent for name, other in altered(one)]

    answers = asked(CLIENTS / "signatures.mjs", map(verifying, [*sent, *(other for _, other in changed)]))

    assert [answer["holds"] for answer in answers[: len(sent)]] == [True] * len(sent), answers
    held = [name for (name, _), answer in zip(changed, answers[len(sent) :], strict=True) if answer["holds"]]
    assert (held, len(changed) >= 4 * len(sent)) == ([], True)


def test_we_accept_what_the_package_signs_and_refuse_it_with_any_part_altered(drawn: list[Message]) -> None:
    now = datetime.now(UTC).replace(microsecond=0)

    answers = asked(CLIENTS / "signatures.mjs", _signing(drawn, now))

    for message, headers in zip(drawn, answers, strict=True):
        sent = signed(message, headers)
        presented = verify_request(sent, _find, now=now)
        assert (presented.key_id, presented.nonce) == (KEY.key_id, NONCE)
        assert [name for name, other in altered(sent) if _holds(other, now)] == []


def _holds(message: Message, now: datetime) -> bool:
    try:
        verify_request(message, _find, now=now)
    except RequestNotSigned:
        return False
    return True


def _signing(drawn: list[Message], now: datetime) -> Iterator[dict[str, Any]]:
    values = {
        "created": int(now.timestamp()),
        "expires": int((now + LIFETIME).timestamp()),
        "nonce": NONCE,
        "keyid": KEY.key_id,
        "tag": "tanqiao",
    }
    for message in drawn:
        sent = {"method": message.method, "url": message.url, "headers": dict(message.headers)}
        fields = required_components(message)
        yield {"sign": sent, "fields": fields, "values": values, "private": KEY.private_pem}


def _find(wanted: str) -> bytes | None:
    return KEY.public if wanted == KEY.key_id else None
