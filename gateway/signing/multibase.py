"""Multibase texts in base58btc: how DID documents and Data Integrity proofs write bytes.

Of all multibases only this one is in use there, so a package for all of them would bring what nothing calls.
The reader knows how many bytes it wants and takes one spelling of them.
"""

from typing import Final

from gateway.errors import MalformedDocument

__all__ = ["multibase", "read_multibase"]

_PREFIX: Final = "z"
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def multibase(data: bytes) -> str:
    """Write bytes as ``z`` and base58 in Bitcoin's alphabet."""
    number, letters = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    zeros = len(data) - len(data.lstrip(b"\x00"))  # they add nothing to the number
    return _PREFIX + _ALPHABET[0] * zeros + letters


def read_multibase(text: str, size: int) -> bytes:
    """Read exactly ``size`` bytes.

    Raises:
        MalformedDocument: the text is not what :func:`multibase` writes for so many bytes.
    """
    number = 0
    for letter in text[1 : 2 * size + 1]:  # base58 needs fewer than 1.4 letters a byte
        number = number * len(_ALPHABET) + max(_ALPHABET.find(letter), 0)
    data = number.to_bytes(size, "big") if number.bit_length() <= 8 * size else b""
    if not data or multibase(data) != text:
        raise MalformedDocument(f"{text[:60]!r} is not {size} bytes in multibase base58btc")
    return data
