"""RFC 9421 held against its own example, and against a plain implementation of what is signed."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ED25519
from hypothesis import given, settings

from gateway.signing import Message, RequestNotSigned, sign_request, verify_request
from gateway.store.files.keys import FileSigner
from tests.fakes.messages import altered, messages
from tests.fakes.signatures import plain_signature_base
from tests.unit.signing.signers import SeededSigner

# RFC 9421, appendix B.1.4 (the key) and B.2.6 (signing a request using ed25519)
PRIVATE = base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
PUBLIC = base64.urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
COVERED = ("date", "@method", "@path", "@authority", "content-type", "content-length")
HEADERS = {
    "host": "example.com",
    "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-length": "18",
}
URL = "https://example.com/foo?param=Value&Pet=dog"
SIGNATURE_INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
BASE = b"""\
"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")\
;created=1618884473;keyid="test-key-ed25519\""""
SIGNATURE = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NONCE = "AAAAAAAAAAAAAAAAAAAAAA"
SIGNER = SeededSigner("a platform", "http")


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    """Keep the key of the standard in a file of ours."""
    key = Ed25519PrivateKey.from_private_bytes(PRIVATE)
    path = tmp_path / "b26.key"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return FileSigner(path, "http")


def test_the_example_of_the_standard_comes_out_byte_by_byte(signer: FileSigner) -> None:
    message = Message("POST", URL, dict(HEADERS), has_content=True)
    library = HTTPMessageSigner(signature_algorithm=ED25519)

    prepared = library.prepare(
        message,
        key_id="test-key-ed25519",
        created=datetime.fromtimestamp(1618884473, UTC),
        label="sig-b26",
        include_alg=False,
        covered_component_ids=COVERED,
    )
    library.apply(message, prepared, signer.sign(prepared.signature_base))

    assert prepared.signature_base == BASE
    assert signer.public == PUBLIC
    assert message.headers["Signature-Input"] == SIGNATURE_INPUT
    assert message.headers["Signature"] == f"sig-b26=:{SIGNATURE}:"


def test_the_plain_implementation_gives_the_example_of_the_standard() -> None:
    assert plain_signature_base("POST", URL, HEADERS | {"signature-input": SIGNATURE_INPUT}) == BASE


def signed(message: Message) -> Message:
    made = sign_request(message, SIGNER, created=NOW, nonce=NONCE)
    return replace(message, headers={**message.headers, **{name.lower(): made[name] for name in made}})


@settings(deadline=None)
@given(messages())
def test_what_is_signed_is_what_the_standard_says(message: Message) -> None:
    sent = signed(message)
    base = plain_signature_base(sent.method, sent.url, dict(sent.headers))
    signature = base64.b64decode(sent.headers["signature"].removeprefix("tanqiao=:").removesuffix(":"))

    Ed25519PublicKey.from_public_bytes(SIGNER.public).verify(signature, base)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(SIGNER.public).verify(signature, base + b" ")


@settings(deadline=None)
@given(messages())
def test_what_the_standard_says_is_accepted_and_refused_with_any_part_altered(message: Message) -> None:
    sent = signed(message)
    base = plain_signature_base(sent.method, sent.url, dict(sent.headers))
    plainly = base64.b64encode(SIGNER.sign(base)).decode()
    by_hand = replace(sent, headers={**sent.headers, "signature": f"tanqiao=:{plainly}:"})

    assert verify_request(by_hand, _find, now=NOW).key_id == SIGNER.key_id
    assert [name for name, other in altered(by_hand) if _holds(other)] == []


def _holds(message: Message) -> bool:
    try:
        verify_request(message, _find, now=NOW)
    except RequestNotSigned:
        return False
    return True


def _find(wanted: str) -> bytes | None:
    return SIGNER.public if wanted == SIGNER.key_id else None
