"""Units as products of symbols, so that a sum of metres and trips is found before it is computed."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

__all__ = ["CO2E_MG", "DIMENSIONLESS", "Unit", "UnitError", "divided", "parse_unit", "shown", "times"]

Unit = frozenset[tuple[str, int]]
"""Symbols with their powers; no power is zero."""

DIMENSIONLESS: Final[Unit] = frozenset()
CO2E_MG: Final = {"mgCO2e": 1, "gCO2e": 10**3, "kgCO2e": 10**6, "tCO2e": 10**9}
"""Milligrams in one unit of reduction. The symbols stay different: a step never converts them unseen."""

_SYMBOL = re.compile(r"1|[^\s\d*/()][^\s*/()]*")


class UnitError(ValueError):
    """A unit is not written as symbols joined by * and /."""


def parse_unit(text: str, *, credit: str) -> Unit:
    """Read ``a*b/c``; ``1`` is dimensionless and the credit unit, slash included, one symbol.

    Raises:
        UnitError: something else stands there.
    """
    powers: Counter[str] = Counter()
    sign, at = 1, 0
    while sign:
        symbol = _symbol(text, at, credit=credit)
        powers[symbol] += sign
        at += len(symbol)
        sign = {"": 0, "*": 1, "/": -1}.get(text[at : at + 1], 0)
        at += 1
    if at != len(text) + 1:
        raise UnitError(f"expected symbols joined by * and /, got {text!r}")
    return _unit((symbol, power) for symbol, power in powers.items() if symbol != "1")


def _symbol(text: str, at: int, *, credit: str) -> str:
    end = at + len(credit)
    if credit and text.startswith(credit, at) and text[end : end + 1] in {"", "*", "/"}:
        return credit
    match = _SYMBOL.match(text, at)
    if match is None:
        raise UnitError(f"expected symbols joined by * and /, got {text!r}")
    return match.group()


def times(left: Unit, right: Unit) -> Unit:
    """Return the unit of a product."""
    return _combined(left, right, sign=1)


def divided(left: Unit, right: Unit) -> Unit:
    """Return the unit of a quotient."""
    return _combined(left, right, sign=-1)


def shown(unit: Unit) -> str:
    """Write a unit for a reader."""
    above = [symbol for symbol, power in sorted(unit) for _ in range(power)]
    below = [symbol for symbol, power in sorted(unit) for _ in range(-power)]
    return "/".join(["*".join(above) or "1", *below])


def _combined(left: Unit, right: Unit, *, sign: int) -> Unit:
    powers = Counter(dict(left))
    for symbol, power in right:
        powers[symbol] += sign * power
    return _unit(powers.items())


def _unit(powers: Iterable[tuple[str, int]]) -> Unit:
    return frozenset((symbol, power) for symbol, power in powers if power)
