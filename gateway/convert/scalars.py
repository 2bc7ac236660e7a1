"""Strict readers of decimals: one ASCII grammar, a scaled integer out."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from gateway.convert.outcome import Refusal, quoted
from gateway.convert.program import Field
from gateway.convert.rational import round_quotient
from gateway.model.codes import Rejection

__all__ = ["DecimalReader", "Memo", "decimal_text"]

DECIMAL_CHARACTERS_MAX: Final = 40  # 20 digits beyond what 2^63-1 needs, and cheap to read
MEMO_ENTRIES_MAX: Final = 1 << 16  # a city's distances, codes and days repeat; a flood of others stays flat

_DECIMAL = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.([0-9]+))?")

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """Remember what a pure function made of a text or number; forgets all when it has grown too long."""

    def __init__(self, read: Callable[[K], V]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: K) -> V:
        value = self._read(text)
        if len(self) >= MEMO_ENTRIES_MAX:
            self.clear()
        self[text] = value
        return value


class DecimalReader:
    r"""Reads the texts of one decimal field.

    The grammar is ``-?(0|[1-9][0-9]*)(\.[0-9]+)?`` in ASCII, at most 40 characters. More decimals
    than the field declares, as written, are rejected or rounded, as the field says.
    """

    __slots__ = ("_excess", "_high", "_low", "_name", "_scale")

    def __init__(self, field: Field) -> None:
        self._name = field.name
        self._scale = field.scale
        self._excess = field.excess
        self._low = field.low
        self._high = field.high

    def __call__(self, text: str) -> int | Refusal:
        """Give the value as an integer of the field's scale, or say why not."""
        match = _DECIMAL.fullmatch(text) if len(text) <= DECIMAL_CHARACTERS_MAX else None
        if match is None:
            return self._refuse(Rejection.NOT_A_DECIMAL, f"a decimal such as 12.5, not {quoted(text)}")
        whole, decimals = match[1], match[2] or ""
        excess = len(decimals) - self._scale
        if excess <= 0:
            value = int(whole + decimals) * 10**-excess
        elif self._excess == "reject":
            return self._refuse(
                Rejection.EXCESS_DIGITS, f"at most {self._scale} decimals, not {quoted(text)}"
            )
        else:
            value = round_quotient(int(whole + decimals), 10**excess, mode=self._excess)
        return value if self._low <= value <= self._high else self._out_of_bounds(text)

    def _out_of_bounds(self, text: str) -> Refusal:
        low, high = decimal_text(self._low, self._scale), decimal_text(self._high, self._scale)
        return self._refuse(Rejection.OUT_OF_BOUNDS, f"from {low} to {high}, not {quoted(text)}")

    def _refuse(self, code: Rejection, expected: str) -> Refusal:
        return Refusal(code, self._name, f"expected {expected}")


def decimal_text(scaled: int, scale: int) -> str:
    """Write a scaled integer with exactly ``scale`` decimals."""
    digits = str(abs(scaled)).rjust(scale + 1, "0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}"
