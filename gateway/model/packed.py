"""Columns of values of one length, packed one behind the other."""

import numpy as np

__all__ = ["cut", "cut_hex"]


def cut(packed: bytes, size: int) -> list[bytes]:
    """Take values of ``size`` bytes apart."""
    values: list[bytes] = np.frombuffer(packed, f"V{size}").tolist()
    return values


def cut_hex(packed: bytes, size: int) -> list[str]:
    """Take values of ``size`` bytes apart and write each in lower hexadecimal."""
    values: list[str] = np.frombuffer(packed.hex().encode(), f"S{2 * size}").astype(str).tolist()
    return values
