"""The intermediate form: what a formula is for one behaviour and one stretch of days, in integers only.

Every quantity is a quotient of two integer expressions with a positive denominator, every figure is
folded in, and every node knows its bounds, so that a consumer can prove what fits its own integers.
The generated function and the column kernel are both made from this form.
"""

from dataclasses import dataclass, replace
from math import gcd
from typing import Literal, NamedTuple

from gateway.convert.outcome import Refusal
from gateway.convert.program import RoundingMode

__all__ = [
    "Assign", "Block", "Check", "Const", "Guard", "IntExpr", "Op", "Outcome", "Pick", "Quotient", "Rank",
    "RefuseBelow", "RefuseRow", "Round", "Statement", "StepForm", "Var", "add", "floor_divide", "largest",
    "multiply", "negate", "nodes", "positive", "round_to", "smallest", "subtract",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Const:
    """An integer."""

    value: int

    @property
    def low(self) -> int:
        """The value itself."""
        return self.value

    @property
    def high(self) -> int:
        """The value itself."""
        return self.value


@dataclass(frozen=True, slots=True)
class Var:
    """An input or an earlier assignment, with the bounds of what it can hold."""

    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Op:
    """``//`` is towards minus infinity, its right side is positive."""

    op: Literal["+", "-", "*", "//", "min", "max"]
    left: "IntExpr"
    right: "IntExpr"
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Round:
    """``numerator / denominator`` rounded to an integer; the denominator is positive."""

    mode: RoundingMode
    numerator: "IntExpr"
    denominator: "IntExpr"
    low: int
    high: int


IntExpr = Const | Var | Op | Round


@dataclass(frozen=True, slots=True)
class Assign:
    """Give an expression a name."""

    name: str
    value: IntExpr


@dataclass(frozen=True, slots=True)
class Rank:
    """Count the thresholds (ascending) that are not above the argument."""

    name: str
    argument: IntExpr
    thresholds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """Take the value at an index."""

    name: str
    index: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RefuseBelow:
    """Refuse the act if the argument is less than the threshold."""

    argument: IntExpr
    threshold: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class RefuseRow:
    """Refuse the act if there is a refusal at the index."""

    index: str
    refusals: tuple[Refusal | None, ...]


Statement = Assign | Rank | Pick | RefuseBelow | RefuseRow


class Quotient(NamedTuple):
    """An exact value: a quotient of integer expressions, the denominator positive."""

    numerator: IntExpr
    denominator: IntExpr


@dataclass(frozen=True, slots=True)
class StepForm:
    """One step: its exact value, the value that goes on, and the labels of its ratings by index."""

    name: str
    exact: Quotient
    value: Quotient
    labels: tuple[str | None, ...] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the results of a block are found once its statements have run."""

    co2e_mg: IntExpr
    points: IntExpr
    points_exact: Quotient


@dataclass(frozen=True, slots=True)
class Block:
    """The formula for one behaviour and the days from ``first`` to before ``until`` (ordinal numbers)."""

    behaviour: str
    first: int
    until: int
    inputs: dict[str, Var]
    statements: tuple[Statement, ...]
    steps: tuple[StepForm, ...]
    outcome: Outcome | Refusal


@dataclass(frozen=True, slots=True)
class Check:
    """Hold an act to one side of a limit: a margin below zero is a refusal, or a finding where it is None."""

    rule: str
    margin: IntExpr
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Guard:
    """What is checked of each act of one behaviour before the formula: by its inputs and its time.

    ``values`` has the variables that a finding of each rule states.
    """

    inputs: dict[str, Var]
    time: Var
    checks: tuple[Check, ...]
    values: dict[str, tuple[Var, ...]]


def add(left: IntExpr, right: IntExpr) -> IntExpr:
    """Build ``left + right``."""
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(left.value + right.value)
    if left == Const(0):
        return right
    if right == Const(0):
        return left
    return Op("+", left, right, left.low + right.low, left.high + right.high)


def subtract(left: IntExpr, right: IntExpr) -> IntExpr:
    """Build ``left - right``."""
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(left.value - right.value)
    if right == Const(0):
        return left
    return Op("-", left, right, left.low - right.high, left.high - right.low)


def negate(value: IntExpr) -> IntExpr:
    """Build ``-value``."""
    return subtract(Const(0), value)


def multiply(left: IntExpr, right: IntExpr) -> IntExpr:
    """Build ``left * right``, with one constant factor at most, on the right."""
    if isinstance(left, Const):
        left, right = right, left
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(left.value * right.value)
    if right == Const(1):
        return left
    if right == Const(0):
        return right
    if isinstance(right, Const) and isinstance(left, Op) and left.op == "*" and isinstance(left.right, Const):
        return multiply(left.left, Const(left.right.value * right.value))
    corners = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    return Op("*", left, right, min(corners), max(corners))


def floor_divide(left: IntExpr, right: IntExpr) -> IntExpr:
    """Build ``left // right`` towards minus infinity; the right side must be positive."""
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(left.value // right.value)
    if right == Const(1):
        return left
    corners = [a // b for a in (left.low, left.high) for b in (right.low, right.high)]
    return Op("//", left, right, min(corners), max(corners))


def smallest(left: IntExpr, right: IntExpr) -> IntExpr:
    """Build the smaller of two."""
    return Op("min", left, right, min(left.low, right.low), min(left.high, right.high))


def largest(left: IntExpr, right: IntExpr) -> IntExpr:
    """Build the larger of two."""
    return Op("max", left, right, max(left.low, right.low), max(left.high, right.high))


def round_to(value: Quotient, scale: int, *, mode: RoundingMode) -> IntExpr:
    """Build the quotient rounded to ``scale`` decimals, as an integer of that scale."""
    numerator, denominator = _cancelled(value.numerator, value.denominator, factor=Const(10**scale))
    if denominator == Const(1):
        return numerator
    corners = [a // b for a in (numerator.low, numerator.high) for b in (denominator.low, denominator.high)]
    return Round(mode, numerator, denominator, min(corners), max(corners) + 1)


def _cancelled(numerator: IntExpr, denominator: IntExpr, *, factor: Const) -> tuple[IntExpr, IntExpr]:
    """Multiply a quotient by a constant, in lowest terms as far as constants show."""
    common = gcd(factor.value, denominator.value) if isinstance(denominator, Const) else 1
    left = Const(denominator.value // common) if isinstance(denominator, Const) else denominator
    return multiply(numerator, Const(factor.value // common)), left


def positive(value: IntExpr) -> IntExpr:
    """Narrow the bounds of an expression that is known to be above zero."""
    return value if isinstance(value, Const) or value.low > 0 else replace(value, low=1)


def nodes(expr: IntExpr) -> list[IntExpr]:
    """List an expression and everything below it."""
    match expr:
        case Op(left=left, right=right):
            return [expr, *nodes(left), *nodes(right)]
        case Round(numerator=numerator, denominator=denominator):
            return [expr, *nodes(numerator), *nodes(denominator)]
        case _:
            return [expr]
