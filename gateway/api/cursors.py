"""Opaque cursors: where the next page of a list begins."""

import base64
import binascii

from gateway.errors import UsageError

__all__ = ["read_cursor", "write_cursor"]


def write_cursor(number: int) -> str:
    """Write a cursor."""
    return base64.urlsafe_b64encode(f"1:{number}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> int | None:
    """Read a cursor; None where there is none.

    Raises:
        UsageError: it is none of ours.
    """
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    form, _, number = text.partition(":")
    if form != "1" or not (number.isascii() and number.isdigit()) or len(number) > 18:
        raise UsageError("no cursor of this list", field="/query/cursor", remedy="use `next` as it came")
    return int(number)
