"""Bound how fine a value can be: products of products must not grow digits without end."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from gateway.convert.bounds import MAGNITUDE_MAX
from gateway.convert.program import Binary, Call, Expr, Factor, Floor, Formula, MinMax, Name, Number, Table

__all__ = ["FINENESS_MAX", "figures_of", "fineness"]

FINENESS_MAX: Final = 1024  # bits; a distance times a factor has 20, a quotient of two inputs 230
_NUMERATOR_BITS: Final = MAGNITUDE_MAX.bit_length()


def fineness(expr: Expr, formula: Formula, *, behaviour: str, earlier: Mapping[str, int]) -> int:
    """Return how many bits the denominator of an expression's exact value can have.

    ``earlier`` holds those of the earlier steps after their rounding.
    """
    return _Fineness(formula, behaviour, earlier=earlier).of(expr)


def figures_of(factor: Factor, behaviour: str) -> Iterable[Fraction]:
    """Yield every value that a factor can have for a behaviour, over all dates and classes."""
    for dated in factor.values:
        if not isinstance(dated.value, dict):
            yield dated.value
        elif factor.by == "behaviour":
            yield from (figure for key, figure in dated.value.items() if key == behaviour)
        else:
            yield from dated.value.values()


class _Fineness:
    def __init__(self, formula: Formula, behaviour: str, *, earlier: Mapping[str, int]) -> None:
        self._formula = formula
        self._behaviour = behaviour
        self._earlier = earlier

    def of(self, expr: Expr) -> int:
        match expr:
            case Number():
                return _bits(expr.value)
            case Name():
                return self._named(expr.name)
            case Floor():
                return 0
            case MinMax():
                return sum(map(self.of, expr.args))
            case Call():
                table = self._formula.tables.get(expr.table)
                return self.of(expr.arg) + (0 if table is None else _table_bits(table))
            case Binary():
                # at most the product of both denominators; a quotient turns its divisor over
                right = self._turned(expr.right) if expr.op == "/" else self.of(expr.right)
                return self.of(expr.left) + right

    def _turned(self, divisor: Expr) -> int:
        """Return how many bits the numerator of a divisor can have."""
        if isinstance(divisor, Number):
            return divisor.value.numerator.bit_length()
        return self.of(divisor) + _NUMERATOR_BITS

    def _named(self, name: str) -> int:
        if name in self._formula.inputs:
            return _bits(Fraction(1, 10 ** self._formula.inputs[name].scale))
        if name in self._formula.factors:
            figures = figures_of(self._formula.factors[name], self._behaviour)
            return max(map(_bits, figures), default=0)
        return self._earlier.get(name, 0)


def _table_bits(table: Table) -> int:
    figures = [
        figure
        for edition in table.values
        for row in edition.value
        for figure in (row.at, row.value or row.at)
    ]
    slopes = 2 * _NUMERATOR_BITS if table.kind == "linear" else 0
    return 2 * max(map(_bits, figures), default=0) + slopes


def _bits(value: Fraction) -> int:
    return (value.denominator - 1).bit_length()
