"""Verifier keys: one spelling each, and none that signs for everybody."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.transparency import BadSignature, MalformedLogText, SignatureType, VerifierKey, read_vkey
from gateway.transparency.keys import verify_ed25519
from gateway.transparency.text import write_base64
from tests.unit.transparency.signers import log_signer, witness_signer

EXAMPLE = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"  # C2SP signed-note

PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME
Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    """Add two points of the Edwards curve (RFC 8032 section 5.1)."""
    product = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, PRIME)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, PRIME)
    return x % PRIME, y % PRIME


def times_eight(point: Point) -> Point:
    for _ in range(3):
        point = add(point, point)
    return point


def points_with(y: int) -> list[Point]:
    """Return the points of the curve with that y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    root = pow(square, (PRIME + 3) // 8, PRIME)
    if root * root % PRIME != square:
        root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if root * root % PRIME != square:
        return []
    return [(root, y), (-root % PRIME, y)]


def encodings(y: int) -> list[bytes]:
    """Return every spelling of a y that fits into 255 bits, with both signs."""
    spellings = [value for value in (y, y + PRIME) if value < 2**255]
    return [(value | sign << 255).to_bytes(32, "little") for value in spellings for sign in (0, 1)]


ORDER_EIGHT_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_Y = [0, 1, PRIME - 1, ORDER_EIGHT_Y, PRIME - ORDER_EIGHT_Y]
SMALL = [encoding for y in SMALL_Y for encoding in encodings(y)]


def test_the_table_of_small_order_points_is_right_and_whole() -> None:
    found = {point for y in SMALL_Y for point in points_with(y)}

    assert len(found) == 8
    assert {times_eight(point) for point in found} == {(0, 1)}


@pytest.mark.parametrize("public", SMALL, ids=lambda public: public.hex()[:4] + public.hex()[-4:])
def test_a_small_order_key_in_any_spelling_is_refused(public: bytes) -> None:
    with pytest.raises(MalformedLogText):
        VerifierKey("log.example", SignatureType.ED25519, public)


def test_the_library_underneath_would_take_a_small_order_key() -> None:
    """Show why the refusal must be ours: the identity key accepts a signature that nobody made."""
    identity = (1).to_bytes(32, "little")

    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"any text at all")


@pytest.mark.parametrize("low", range(19))
def test_every_second_spelling_of_a_point_is_refused(low: int) -> None:
    with pytest.raises(MalformedLogText):
        VerifierKey("log.example", SignatureType.ED25519, (PRIME + low).to_bytes(32, "little"))


def test_bytes_that_are_no_point_of_the_curve_are_refused() -> None:
    y = next(y for y in range(2, 100) if not points_with(y))

    with pytest.raises(MalformedLogText, match="not a point"):
        VerifierKey("log.example", SignatureType.ED25519, y.to_bytes(32, "little"))


@pytest.mark.parametrize("public", [b"", log_signer().key.public[:-1], log_signer().key.public + b"\0"])
def test_a_public_key_of_another_length_is_refused(public: bytes) -> None:
    with pytest.raises(MalformedLogText, match="32 bytes"):
        VerifierKey("log.example", SignatureType.ED25519, public)


def test_the_key_of_the_specification_is_read_and_written() -> None:
    key = read_vkey(EXAMPLE)

    assert (key.name, key.kind, key.key_id.hex()) == ("example.com/foo", SignatureType.ED25519, "530d903a")
    assert str(key) == EXAMPLE


@pytest.mark.parametrize("key", [log_signer().key, witness_signer("witness.example/乙").key], ids=str)
def test_a_written_key_is_read_back_the_same(key: VerifierKey) -> None:
    assert read_vkey(str(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        EXAMPLE.replace("530d903a", "530d903b"),
        EXAMPLE.replace("530d903a", "530D903A"),
        EXAMPLE.replace("530d903a", "30d903a"),
        EXAMPLE.replace("example", "sample"),
        EXAMPLE.replace("example.com/foo", ""),
        EXAMPLE.replace("example.com/foo", "example.com foo"),
        EXAMPLE.replace("example.com/foo", "example.com\u3000foo"),
        EXAMPLE + "=",
        EXAMPLE + " ",
        EXAMPLE[:-1],
        EXAMPLE[:-4],
        "example.com/foo+530d903a+",
        "example.com/foo+530d903a+" + write_base64(b"\x02" + bytes(32)),
        "example.com/foo+530d903a+" + write_base64(b"\x06" + bytes(1312)),
    ],
)
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedLogText):
        read_vkey(text)


def test_one_public_key_has_another_id_for_each_type_and_name() -> None:
    public = log_signer().key.public
    keys = [
        VerifierKey("a", SignatureType.ED25519, public),
        VerifierKey("a", SignatureType.COSIGNATURE, public),
        VerifierKey("b", SignatureType.ED25519, public),
    ]

    assert len({key.key_id for key in keys}) == 3


def test_a_signature_over_another_message_is_refused() -> None:
    log = log_signer()
    signature = log.sign(b"one")

    verify_ed25519(b"one", signature, key=log.key)
    for message, wrong in [(b"two", signature), (b"one", signature[:-1]), (b"one", b""), (b"one", bytes(64))]:
        with pytest.raises(BadSignature) as refused:
            verify_ed25519(message, wrong, key=log.key)
        assert refused.value.code == "bad-signature"
