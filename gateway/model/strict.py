"""The strict reader: what it returns is safe to hash, and everything else is refused first.

Stock JSON readers accept duplicate keys, NaN, lone surrogates or a byte order mark, and two readers
may understand one text in two ways. A signature over such a text proves nothing.
"""

import json
from collections import Counter
from decimal import Decimal
from typing import Final, NoReturn

from gateway.errors import MalformedDocument
from gateway.model.canonical import COUNTER_MAX, DEPTH_MAX, Json, require_profile
from gateway.model.canonical_text import read_canonical

__all__ = ["DOCUMENT_BYTES_MAX", "read_strict", "read_strict_object"]

DOCUMENT_BYTES_MAX: Final = 256 * 1024  # the largest signed document, a day statement, stays far below

_DIGITS_MAX: Final = 15  # after the first one, of 2^53-1


def read_strict(
    data: bytes,
    bytes_max: int = DOCUMENT_BYTES_MAX,
    *,
    texts: frozenset[str] = frozenset(),
    by_value: bool = False,
) -> Json:
    """Read one JSON document of the restricted profile.

    Args:
        data: the document.
        bytes_max: how many bytes are read.
        texts: see :func:`require_profile`.
        by_value: whether whole numbers may be written with a fraction or an exponent, as `1.0`; never in
            what is signed, for readers that use doubles write such a number in another way.

    Raises:
        MalformedDocument: says what is wrong and where; nothing of the document may be used.
    """
    if len(data) > bytes_max:
        raise MalformedDocument(f"the document has {len(data)} bytes, at most {bytes_max} are read")
    canonical = read_canonical(data, texts)
    return _read_any_spelling(data, texts, by_value=by_value) if canonical is None else canonical


def _read_any_spelling(data: bytes, texts: frozenset[str], *, by_value: bool) -> Json:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedDocument(f"byte {error.start} is not UTF-8") from error
    if text.startswith("\ufeff"):
        raise MalformedDocument("the document starts with a byte order mark")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_whole if by_value else _no_float,
            parse_int=_whole if by_value else _counter,
            parse_constant=_no_float,
        )
    except json.JSONDecodeError as error:
        raise MalformedDocument(f"line {error.lineno} column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise MalformedDocument(f"nested deeper than {DEPTH_MAX} levels") from error
    require_profile(value, texts=texts)
    checked: Json = value
    return checked


def read_strict_object(
    data: bytes,
    bytes_max: int = DOCUMENT_BYTES_MAX,
    *,
    texts: frozenset[str] = frozenset(),
    by_value: bool = False,
) -> dict[str, Json]:
    """Read one JSON object of the restricted profile; the rest as :func:`read_strict`."""
    value = read_strict(data, bytes_max, texts=texts, by_value=by_value)
    if not isinstance(value, dict):
        raise MalformedDocument(f"expected a JSON object, found {type(value).__name__}")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        repeated = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise MalformedDocument(f"the key {repeated!r} stands twice in one object")
    return result


def _counter(number: str) -> int:
    if len(number) > 17:  # int() of a huge token is quadratic; 2^53-1 has 16 digits and a sign
        raise MalformedDocument(f"a whole number of {len(number)} characters; quantities are strings")
    if number == "-0":
        raise MalformedDocument("-0 is not a canonical number")
    return int(number)


def _whole(token: str) -> int:
    """Read a number by its value, exactly; 1.0 and 1e0 are 1."""
    try:
        value = Decimal(token)
        whole = value.to_integral_value() if not value or value.adjusted() <= _DIGITS_MAX else None
    except ArithmeticError:  # an exponent beyond all bounds
        whole = None
    if whole is None or whole != value or abs(whole) > COUNTER_MAX:
        raise MalformedDocument(f"the number {token[:40]} is not whole and within 2^53-1")
    return int(whole)


def _no_float(token: str) -> NoReturn:
    raise MalformedDocument(f"the number {token[:40]} is not whole; quantities are strings")
