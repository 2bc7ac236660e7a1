"""A quick reader for documents that are written canonically already, as all of ours are.

If the bytes equal the canonical bytes of what was read from them, then every reader reads the same: no
key stands twice, no number has a second spelling, nothing surrounds the document. What remains is to see
that the value is one of the profile. Whatever is not seen at a glance to be good is left to the strict
reader, which decides and says what is wrong; so this one never refuses anything.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any

import orjson

from gateway.model.canonical import COUNTER_MAX, DEPTH_MAX, Json, canonical_bytes

__all__ = ["read_canonical"]


def read_canonical(data: bytes, texts: frozenset[str] = frozenset()) -> Json | None:
    """Read a document of the profile that is in canonical form; None: see what the strict reader says.

    ``texts``: see :func:`gateway.model.canonical.require_profile`.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not _is_plain(value, 0) or canonical_bytes(value) != data:
        return None
    text = data.decode()
    if data.count(b"\\") != _line_ends(value, texts) or not text.isprintable():
        return None
    # Forms of normalisation are closed under substrings (UAX #15), so the whole text speaks for each string.
    good: Json | None = value if unicodedata.is_normalized("NFC", text) else None
    return good


def _line_ends(value: Any, texts: frozenset[str]) -> int:  # noqa: ANN401 - any JSON
    """Count the line ends that may be there: each is one backslash of the canonical text."""
    if not texts or not isinstance(value, dict):
        return 0
    members = (
        value.get(pointer[1:]) for pointer in texts
    )  # of the document itself; deeper ones are not found
    return sum(member.count("\n") for member in members if isinstance(member, str))


def _is_plain(value: object, depth: int) -> bool:
    """Tell whether a value has no null, float, large number, odd key or deep level; texts aside."""
    kind = type(value)
    if kind is str or kind is bool:
        return True
    if isinstance(value, int):
        return -COUNTER_MAX <= value <= COUNTER_MAX
    if depth >= DEPTH_MAX:
        return False
    items: Iterable[object] = ()
    if isinstance(value, dict):
        items = value.values() if "".join(value).isascii() else (None,)
    elif isinstance(value, list):
        items = value
    else:
        return False
    for item in items:  # noqa: SIM110 - all() with a generator takes half as long again
        if type(item) is not str and not _is_plain(item, depth + 1):
            return False
    return True
