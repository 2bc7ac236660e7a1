"""Canonical bytes: RFC 8785 on the restricted profile of signed documents, and digests over them.

The profile (docs/reference/records.md): ASCII keys; strings in NFC without control or bidirectional
characters; whole numbers within 2^53-1; no floats, no null. On it, ``orjson`` with sorted keys and
the ``rfc8785`` package give equal bytes; a test holds them equal.
"""

import hashlib
import re
import unicodedata
from typing import Final

import orjson

from gateway.errors import MalformedDocument

__all__ = [
    "DISCLOSED_CHARACTERS_MAX",
    "Json",
    "ProfileBroken",
    "canonical_bytes",
    "digest",
    "may_be_disclosed",
    "require_profile",
    "require_text",
]

Json = dict[str, "Json"] | list["Json"] | str | int | bool
"""A value of the restricted profile."""

COUNTER_MAX: Final = 2**53 - 1  # above it JSON readers that use doubles disagree
DISCLOSED_CHARACTERS_MAX: Final = 512  # four texts, every character escaped, fit a receipt's 4,096
DEPTH_MAX: Final = 16  # the deepest signed document has 6 levels

# C0, DEL and C1 controls; bidirectional marks, embeddings, overrides and isolates; line separators;
# lone surrogates. Each could make a signed text look different from what it says.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class ProfileBroken(MalformedDocument):
    """A value is outside the restricted profile of signed documents."""

    code = "profile-broken"
    remedy = "docs/reference/records.md lists what signed documents may contain"


def canonical_bytes(value: Json) -> bytes:
    """Serialise a value of the profile; the caller has checked it or built it from checked parts."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(data: bytes) -> str:
    """Return ``sha256:`` and the lower hexadecimal SHA-256 of the bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def require_profile(
    value: object, pointer: str = "", *, depth: int = 0, texts: frozenset[str] = frozenset()
) -> None:
    """Check a value against the profile.

    Args:
        value: what was read.
        pointer: where it stands, as a JSON Pointer.
        depth: how deep it stands.
        texts: pointers of strings that may have several lines, because another format stands in them.

    Raises:
        ProfileBroken: names the place by JSON Pointer.
    """
    if depth > DEPTH_MAX:
        raise ProfileBroken(f"deeper than {DEPTH_MAX} levels", field=pointer)
    if isinstance(value, str):
        require_text(value.replace("\n", " ") if pointer in texts else value, pointer)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        if abs(value) > COUNTER_MAX:
            raise ProfileBroken(f"{pointer}: whole number beyond 2^53-1; write it as a string", field=pointer)
    elif isinstance(value, dict):
        for key, item in value.items():
            _require_key(key, pointer)
            require_profile(item, f"{pointer}/{key}", depth=depth + 1, texts=texts)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            require_profile(item, f"{pointer}/{index}", depth=depth + 1, texts=texts)
    else:
        raise ProfileBroken(f"{pointer}: {type(value).__name__} is not allowed", field=pointer)


def may_be_disclosed(text: str) -> bool:
    """Tell whether a text, such as an event's id, can stand in a receipt."""
    if len(text) > DISCLOSED_CHARACTERS_MAX:
        return False
    if text.isascii() and text.isprintable():
        return True
    return not _FORBIDDEN.search(text) and unicodedata.is_normalized("NFC", text)


def require_text(text: str, pointer: str) -> None:
    """Check one string: NFC, no control, bidirectional or surrogate characters."""
    if text.isascii() and text.isprintable():
        return
    found = _FORBIDDEN.search(text)
    if found:
        raise ProfileBroken(f"{pointer}: character U+{ord(found[0]):04X} is not allowed", field=pointer)
    if not unicodedata.is_normalized("NFC", text):
        raise ProfileBroken(f"{pointer}: the text is not in Unicode form NFC", field=pointer)


def _require_key(key: object, pointer: str) -> None:
    if not (isinstance(key, str) and key.isascii() and key.isprintable()):
        raise ProfileBroken(f"{pointer}: a key must be printable ASCII", field=pointer)
