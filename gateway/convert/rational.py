"""Exact rounding of quotients of integers."""

from math import gcd
from typing import assert_never

from gateway.convert.program import RoundingMode

__all__ = ["lowest_terms", "round_quotient"]


def round_quotient(numerator: int, denominator: int, *, mode: RoundingMode) -> int:
    """Round ``numerator / denominator`` to an integer; the denominator must be positive."""
    below, rest = divmod(numerator, denominator)
    if rest == 0:
        return below
    return below + _goes_up(below, 2 * rest - denominator, mode=mode)


def _goes_up(below: int, beyond_half: int, *, mode: RoundingMode) -> bool:
    """Tell whether a value between ``below`` and ``below + 1`` rounds to the upper one."""
    match mode:
        case "floor":
            return False
        case "ceiling":
            return True
        case "down":
            return below < 0
        case "up":
            return below >= 0
        case "half_up":
            return beyond_half > 0 or (beyond_half == 0 and below >= 0)
        case "half_down":
            return beyond_half > 0 or (beyond_half == 0 and below < 0)
        case "half_even":
            return beyond_half > 0 or (beyond_half == 0 and below % 2 == 1)
        case _:
            assert_never(mode)


def lowest_terms(numerator: int, denominator: int) -> tuple[int, int]:
    """Reduce a quotient with a positive denominator."""
    divisor = gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor
