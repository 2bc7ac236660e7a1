"""What the expressions of a formula are made of."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

__all__ = ["Binary", "Call", "Expr", "Floor", "MinMax", "Name", "Number"]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal of the formula."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Name:
    """An input, a factor or an earlier step."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary:
    """Exact ``left op right``; a divisor's bounds never include zero (checked)."""

    op: Literal["+", "-", "*", "/"]
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class MinMax:
    """The smallest or largest of two or more values of one unit."""

    op: Literal["min", "max"]
    args: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """Whole units only: the greatest integer not above the value (towards minus infinity)."""

    arg: "Expr"


@dataclass(frozen=True, slots=True)
class Call:
    """A table applied to a value."""

    table: str
    arg: "Expr"


Expr = Number | Name | Binary | MinMax | Floor | Call
