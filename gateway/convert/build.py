"""Building integer forms of expressions: exact quotients, tables as ranks and straight pieces."""

from fractions import Fraction
from math import ceil, floor, gcd, lcm
from typing import NamedTuple, assert_never

from gateway.convert.ir import (
    Assign,
    Const,
    IntExpr,
    Op,
    Pick,
    Rank,
    RefuseBelow,
    RefuseRow,
    Statement,
    Var,
    add,
    floor_divide,
    largest,
    multiply,
    negate,
    positive,
    smallest,
    subtract,
)
from gateway.convert.outcome import Refusal
from gateway.convert.pieces import Piece, pieces, value_bounds
from gateway.convert.program import Binary, Call, Expr, Floor, MinMax, Name, Number, Table, TableRow
from gateway.errors import InvariantBroken
from gateway.model.codes import Rejection

__all__ = ["AlwaysRefused", "Builder", "Value", "constant"]


class Value(NamedTuple):
    """A quotient of integer expressions with a positive denominator, and exact bounds of its value."""

    numerator: IntExpr
    denominator: IntExpr
    low: Fraction
    high: Fraction


def constant(value: Fraction) -> Value:
    """Give a figure or a literal as a value."""
    return Value(Const(value.numerator), Const(value.denominator), value, value)


class AlwaysRefused(Exception):
    """A table has no value for any argument that its inputs allow; its statements refuse every act."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class Builder:
    """Turns expressions into integer forms and collects the statements that they need.

    ``known`` are the values of names; ``editions`` the rows in force of each table.
    """

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.known: dict[str, Value] = {}
        self.editions: dict[str, tuple[Table, tuple[TableRow, ...]]] = {}
        self._names = 0

    def value(self, expr: Expr) -> Value:
        """Build the integer form of an expression."""
        match expr:
            case Number():
                return constant(expr.value)
            case Name():
                return self.known[expr.name]
            case Binary():
                return self._binary(expr, self.value(expr.left), right=self.value(expr.right))
            case MinMax():
                return self._extreme(expr, [self.value(arg) for arg in expr.args])
            case Floor():
                value = self.value(expr.arg)
                low, high = Fraction(floor(value.low)), Fraction(floor(value.high))
                return Value(floor_divide(value.numerator, value.denominator), Const(1), low, high)
            case Call():
                return self.call(expr.table, self.named(self.value(expr.arg)))
            case _:
                assert_never(expr)

    def _binary(self, expr: Binary, left: Value, *, right: Value) -> Value:
        match expr.op:
            case "+":
                (a, b), denominator = self._on_common([left, right])
                return _reduced(Value(add(a, b), denominator, left.low + right.low, left.high + right.high))
            case "-":
                (a, b), denominator = self._on_common([left, right])
                return _reduced(
                    Value(subtract(a, b), denominator, left.low - right.high, left.high - right.low)
                )
            case "*":
                return _product(left, right)
            case "/":
                return _product(left, self._inverse(right))
            case _:
                assert_never(expr.op)

    def _inverse(self, value: Value) -> Value:
        if value.low <= 0 <= value.high:
            raise InvariantBroken(f"a divisor from {value.low} to {value.high} may be zero")
        named = self.named(value)
        numerator, denominator = named.numerator, named.denominator
        if value.high < 0:
            numerator, denominator = negate(numerator), negate(denominator)
        return Value(denominator, positive(numerator), 1 / value.high, 1 / value.low)

    def _extreme(self, expr: MinMax, values: list[Value]) -> Value:
        """Compare by cross multiplication: over a common denominator the numerators decide."""
        numerators, denominator = self._on_common(values)
        choose, bound = (smallest, min) if expr.op == "min" else (largest, max)
        chosen = numerators[0]
        for numerator in numerators[1:]:
            chosen = choose(chosen, numerator)
        return Value(chosen, denominator, bound(v.low for v in values), bound(v.high for v in values))

    def _on_common(self, values: list[Value]) -> tuple[list[IntExpr], IntExpr]:
        """Bring values to one denominator: the constants' least multiple times the others' product."""
        values = [value if isinstance(value.denominator, Const) else self.named(value) for value in values]
        constant = lcm(*(v.denominator.value for v in values if isinstance(v.denominator, Const)))
        others = list(dict.fromkeys(v.denominator for v in values if not isinstance(v.denominator, Const)))
        numerators: list[IntExpr] = []
        for value in values:
            own = value.denominator
            numerator = multiply(
                value.numerator, Const(constant // own.value if isinstance(own, Const) else constant)
            )
            for other in others:
                numerator = numerator if other == own else multiply(numerator, other)
            numerators.append(numerator)
        denominator: IntExpr = Const(constant)
        for other in others:
            denominator = multiply(denominator, other)
        return numerators, denominator

    def call(self, name: str, argument: Value) -> Value:
        """Apply a table: find the row, refuse what it rejects, and put the argument into its line."""
        table, rows = self.editions[name]
        parts = pieces(table, rows)
        rank = self._rank(table, rows, argument=argument)
        detail = "expected an argument that the table has a value for"
        rejected = [None if part.reject is None else Refusal(part.reject, name, detail) for part in parts]
        self.refuse_rows(rank, tuple(rejected))
        bounds = value_bounds(parts, argument.low, high=argument.high)
        if bounds is None:
            raise AlwaysRefused(Refusal(Rejection.OUT_OF_BOUNDS, name, detail))
        numerator, denominator = self._line(rank, _usable(parts), argument=argument)
        return Value(numerator, denominator, *bounds)

    def _rank(self, table: Table, rows: tuple[TableRow, ...], *, argument: Value) -> str:
        """Find the row of an argument by integer thresholds.

        Over a constant denominator the numerator is compared; otherwise the whole part of the
        argument in units of the thresholds, cut down or up as the boundary asks.
        """
        number, own = argument.numerator, argument.denominator
        if isinstance(own, Const):
            limits = [row.at * own.value for row in rows]
            excess, compared = subtract(number, Const(ceil(limits[0]))), number
        else:
            scale = lcm(*(row.at.denominator for row in rows))
            limits = [row.at * scale for row in rows]
            scaled = multiply(number, Const(scale))
            excess = subtract(scaled, multiply(own, Const(int(limits[0]))))
            up = negate(floor_divide(negate(scaled), own))
            compared = floor_divide(scaled, own) if table.boundary == "from" else up
        if argument.low < rows[0].at:
            refusal = Refusal(
                Rejection.OUT_OF_BOUNDS, table.name, f"expected at least {rows[0].at} {table.of}"
            )
            self.statements.append(RefuseBelow(excess, 0, refusal))
        thresholds = [ceil(limit) if table.boundary == "from" else floor(limit) + 1 for limit in limits[1:]]
        rank = self._new_name()
        self.statements.append(Rank(rank, compared, tuple(thresholds)))
        return rank

    def _line(self, rank: str, lines: list[Piece], *, argument: Value) -> tuple[IntExpr, IntExpr]:
        own = argument.denominator
        fixed = own.value if isinstance(own, Const) and any(line.rate for line in lines) else 1
        common = lcm(
            *((line.base * fixed).denominator for line in lines), *(line.rate.denominator for line in lines)
        )
        bases = self.pick(rank, [int(line.base * fixed * common) for line in lines])
        if not any(line.rate for line in lines):
            return bases, Const(common)
        rates = self.pick(rank, [int(line.rate * common) for line in lines])
        if not isinstance(own, Const):
            bases = multiply(bases, own)
        return add(bases, multiply(rates, argument.numerator)), multiply(own, Const(common))

    def pick(self, index: str, values: list[int]) -> IntExpr:
        """Take the value at the index of that name."""
        if len(set(values)) == 1:
            return Const(values[0])
        var = Var(self._new_name(), min(values), max(values))
        self.statements.append(Pick(var.name, index, tuple(values)))
        return var

    def refuse_rows(self, index: str, refusals: tuple[Refusal | None, ...]) -> None:
        """Refuse acts at the indices that have a refusal."""
        if any(refusals):
            self.statements.append(RefuseRow(index, refusals))

    def atom(self, value: IntExpr, name: str = "") -> IntExpr:
        """Give an expression a name, unless it is a name or a number already."""
        if isinstance(value, Const | Var):
            return value
        var = Var(name or self._new_name(), value.low, value.high)
        self.statements.append(Assign(var.name, value))
        return var

    def named(self, value: Value) -> Value:
        """Name both sides of a quotient, so that they may be written more than once."""
        return value._replace(numerator=self.atom(value.numerator), denominator=self.atom(value.denominator))

    def _new_name(self) -> str:
        self._names += 1
        return f"t{self._names}"


def _usable(parts: tuple[Piece, ...]) -> list[Piece]:
    """Put a usable line in the place of rejected ones: their acts are gone before it is computed."""
    usable = next(part for part in parts if part.reject is None)
    return [part if part.reject is None else usable for part in parts]


def _product(left: Value, right: Value) -> Value:
    corners = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    numerator = multiply(left.numerator, right.numerator)
    denominator = multiply(left.denominator, right.denominator)
    return _reduced(Value(numerator, denominator, min(corners), max(corners)))


def _reduced(value: Value) -> Value:
    """Cancel a constant factor of the numerator against the denominator's."""
    numerator, denominator = value.numerator, value.denominator
    divisor = gcd(_constant_factor(numerator), _constant_factor(denominator))
    if divisor == 1:
        return value
    return value._replace(numerator=_divided(numerator, divisor), denominator=_divided(denominator, divisor))


def _constant_factor(value: IntExpr) -> int:
    if isinstance(value, Op) and value.op == "*" and isinstance(value.right, Const):
        return value.right.value
    return value.value if isinstance(value, Const) else 1


def _divided(value: IntExpr, divisor: int) -> IntExpr:
    if isinstance(value, Op):
        return multiply(value.left, Const(_constant_factor(value) // divisor))
    return Const(_constant_factor(value) // divisor)
