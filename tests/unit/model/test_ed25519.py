"""Which 32 bytes are admitted as a public key, by curve arithmetic written once more."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.model.ed25519 import UnsoundKey, require_sound_key

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def times(factor: int, point: Point) -> Point:
    result = (0, 1)
    while factor:
        if factor & 1:
            result = add(result, point)
        point, factor = add(point, point), factor >> 1
    return result


def x_of(y: int) -> int | None:
    squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(squared, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == squared:
            return candidate
    return None


def encoded(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def small_order_points() -> set[Point]:
    """Find the eight points whose order divides 8: any point times the prime order of the subgroup."""
    prime_order = 2**252 + 27742317777372353535851937790883648493
    found: set[Point] = set()
    for y in range(2, 60):
        x = x_of(y)
        if x is not None:
            torsion = times(prime_order, (x, y))
            found |= {times(factor, torsion) for factor in range(8)}
    return found


SMALL = sorted(small_order_points())


def test_there_are_eight_points_of_small_order() -> None:
    assert len(SMALL) == 8
    assert {times(8, point) for point in SMALL} == {(0, 1)}


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("point", SMALL, ids=[f"y={hex(y)[:10]}" for _, y in SMALL])
def test_a_point_of_small_order_is_refused_in_every_encoding(point: Point, sign: int) -> None:
    encodings = [encoded(point[1], sign)]
    if point[1] + P < 2**255:
        encodings.append(encoded(point[1] + P, sign))

    for raw in encodings:
        with pytest.raises(UnsoundKey):
            require_sound_key(raw)


def test_a_y_beyond_the_field_is_refused_even_where_its_point_is_sound() -> None:
    found = [y for y in range(2, 19) if x_of(y) is not None]

    assert found
    for y in found:
        require_sound_key(encoded(y))
        with pytest.raises(UnsoundKey, match="canonical"):
            require_sound_key(encoded(y + P))


def test_a_y_off_the_curve_is_refused() -> None:
    off = [y for y in range(2, 40) if x_of(y) is None]

    assert off
    for y in off:
        with pytest.raises(UnsoundKey, match="curve"):
            require_sound_key(encoded(y))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_only_32_bytes_are_a_key(size: int) -> None:
    with pytest.raises(UnsoundKey, match=f"this has {size}"):
        require_sound_key(bytes(size))


def test_every_generated_key_is_sound() -> None:
    for number in range(50):
        private = Ed25519PrivateKey.from_private_bytes(sha256(bytes([number])).digest())
        require_sound_key(private.public_key().public_bytes_raw())
