"""Parse the expressions of a formula: names, decimals, + - * /, min, max, floor and tables; nothing else."""

import re
from collections.abc import Iterator
from fractions import Fraction

from gateway.convert.program import Binary, Call, Expr, Floor, MinMax, Name, Number

__all__ = ["RESERVED_NAMES", "ExpressionError", "called", "named", "parse_expression", "parts"]

RESERVED_NAMES = frozenset({"min", "max", "floor"})
DEPTH_MAX = 24  # brackets; a formula that people can check stays below 5

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)|(?P<name>[a-z][a-z0-9_]*)|(?P<sign>[-+*/(),]))"
)


class ExpressionError(ValueError):
    """An expression cannot be read; the message says at which character."""


def parse_expression(text: str) -> Expr:
    """Return the tree of one expression; products bind stronger than sums, equals bind to the left.

    Raises:
        ExpressionError: something else stands there.
    """
    return _Parser(text).whole()


def parts(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and everything inside it."""
    yield expr
    for inner in _inner(expr):
        yield from parts(inner)


def named(expr: Expr) -> set[str]:
    """Return the names of inputs, factors and steps that an expression uses."""
    return {part.name for part in parts(expr) if isinstance(part, Name)}


def called(expr: Expr) -> set[str]:
    """Return the tables that an expression uses."""
    return {part.table for part in parts(expr) if isinstance(part, Call)}


def _inner(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Number() | Name():
            return ()
        case Binary():
            return (expr.left, expr.right)
        case MinMax():
            return expr.args
        case Floor() | Call():
            return (expr.arg,)


class _Parser:
    """Recursive descent over the tokens, one method for each level of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Expr:
        expr = self._sum()
        if self._peek():
            raise self._error("an operator or the end")
        return expr

    def _sum(self) -> Expr:
        expr = self._product()
        while (op := self._peek()) in {"+", "-"}:
            self._next += 1
            expr = Binary("+" if op == "+" else "-", expr, self._product())
        return expr

    def _product(self) -> Expr:
        expr = self._atom()
        while (op := self._peek()) in {"*", "/"}:
            self._next += 1
            expr = Binary("*" if op == "*" else "/", expr, self._atom())
        return expr

    def _atom(self) -> Expr:
        word = self._peek()
        if not word or word in "+-*/),":
            raise self._error("a name, a number or a bracket")
        self._next += 1
        if word == "(":
            return self._bracketed()[0]
        if word[0].isdigit():
            return Number(Fraction(word))
        if self._peek() != "(":
            return Name(word)
        self._next += 1
        return self._call(word)

    def _call(self, function: str) -> Expr:
        separated = function in {"min", "max"}
        args = self._bracketed(separated=separated)
        if function == "floor":
            return Floor(args[0])
        if not separated:
            return Call(function, args[0])
        if len(args) == 1:
            raise self._error(f"two or more values in {function}(...)")
        return MinMax("min" if function == "min" else "max", args)

    def _bracketed(self, *, separated: bool = False) -> tuple[Expr, ...]:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._error(f"at most {DEPTH_MAX} brackets inside each other")
        args = [self._sum()]
        while separated and self._peek() == ",":
            self._next += 1
            args.append(self._sum())
        if self._peek() != ")":
            raise self._error("a closing bracket")
        self._next += 1
        self._depth -= 1
        return tuple(args)

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _error(self, expected: str) -> ExpressionError:
        token, at = (
            self._tokens[self._next] if self._next < len(self._tokens) else ("the end", len(self._text))
        )
        return ExpressionError(f"expected {expected}, got {token} at character {at + 1}")


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            wrong = end - len(text[at:end].lstrip())
            expected = "a name, a number or an operator"
            raise ExpressionError(f"expected {expected}, got {text[wrong]!r} at character {wrong + 1}")
        group = match.lastgroup or "sign"
        yield match[group], match.start(group)
        at = match.end()
