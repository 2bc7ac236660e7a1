"""Opaque cursors: where the next page of a list begins."""

from typing import Final

__all__ = ["CURSOR", "read_cursor", "write_cursor"]

CURSOR: Final = "^([0-9a-f]{15})?$"


def write_cursor(number: int) -> str:
    """Write a cursor."""
    return f"{number:015x}"


def read_cursor(cursor: str) -> int | None:
    """Read a cursor of the form ``CURSOR``; None where there is none."""
    return int(cursor, 16) if cursor else None
