"""Signatures of webhooks."""

import base64

from gateway.signing import webhook_headers, webhook_public_key, webhook_secret
from tests.unit.signing.signers import SeededSigner, trusted

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SIGNER = SeededSigner("endpoint", "http")


def test_the_shared_signature_is_that_of_the_published_example() -> None:
    """The example of the libraries of Standard Webhooks."""
    headers = webhook_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        timestamp=1614265330,
        secret=SECRET,
        signer=SIGNER,
    )

    shared, own = headers["webhook-signature"].split()
    assert shared == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    trusted(SIGNER).verify(base64.b64decode(own.removeprefix("v1a,")), signed)


def test_keys_are_written_as_verifiers_take_them() -> None:
    assert webhook_secret(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert webhook_public_key(SIGNER) == "whpk_" + base64.b64encode(SIGNER.public).decode()
