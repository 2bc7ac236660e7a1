"""Which 32 bytes may serve as an Ed25519 public key.

``cryptography`` accepts keys of small order, for which one signature fits many messages, and
non-canonical encodings, for which two byte strings are one key. Both are refused at admission.
Source: RFC 8032 §5.1.3; the eight points of small order of edwards25519.
"""

from typing import Final

from gateway.errors import Refused

__all__ = ["UnsoundKey", "require_sound_key"]

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ORDER_8_Y: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _ORDER_8_Y, _P - _ORDER_8_Y})


class UnsoundKey(Refused):
    """The bytes are not an Ed25519 public key that may be trusted with anything."""

    code = "unsound-key"
    remedy = "generate a new key pair with `tanqiao keys new`; never reuse this one"


def require_sound_key(raw: bytes) -> None:
    """Check length, canonical encoding, that the point is on the curve, and that its order is large."""
    if len(raw) != 32:
        raise UnsoundKey(f"an Ed25519 public key has 32 bytes, this has {len(raw)}")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P:
        raise UnsoundKey("the public key is not encoded canonically")
    if y in _SMALL_ORDER_Y:
        raise UnsoundKey("the public key is a point of small order")
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(x_squared, (_P - 1) // 2, _P) != 1:
        raise UnsoundKey("the public key is not a point of the curve")
