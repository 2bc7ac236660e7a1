"""Ed25519 keys made from a number, so that a test that fails can be repeated."""

from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.transparency import SignatureType, VerifierKey
from gateway.transparency.keys import Sign


class LogSigner(NamedTuple):
    """A public key with the function that signs for it."""

    key: VerifierKey
    sign: Sign


def signer(name: str, kind: SignatureType = SignatureType.ED25519, seed: str = "") -> LogSigner:
    private = Ed25519PrivateKey.from_private_bytes(sha256((seed or name).encode()).digest())
    return LogSigner(VerifierKey(name, kind, private.public_key().public_bytes_raw()), private.sign)


def log_signer(name: str = "log.example/one") -> LogSigner:
    return signer(name)


def witness_signer(name: str) -> LogSigner:
    return signer(name, SignatureType.COSIGNATURE)
