"""Change one rule of a mapping at a time: a test of the document should notice each change."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal, NamedTuple, get_args

from gateway.convert.document import Value, leaves
from gateway.convert.program import RoundingMode

__all__ = ["Mutant", "MutantKind", "mutants"]

MutantKind = Literal["figure", "boundary", "comparison", "rounding", "limit", "window", "then", "cap", "date"]

_DAY: Final = timedelta(days=1)
_NUMBER: Final = re.compile(r"(?<![a-z0-9_.])[0-9]+(?:\.[0-9]+)?")
_RULES: Final[tuple[tuple[MutantKind, str], ...]] = (
    ("figure", "/factors/[^/]+/values/[0-9]+/value(/[^/]+)?"),
    ("figure", "/tables/[^/]+/values/[0-9]+/rows/[0-9]+/value"),
    ("figure", "/formula/[0-9]+/(expr|cases/[^/]+)"),
    ("boundary", "/tables/[^/]+/values/[0-9]+/rows/[0-9]+/at"),
    ("comparison", "/tables/[^/]+/boundary"),
    ("rounding", "/formula/[0-9]+/round/mode"),
    ("limit", "/source/plausibility/(speed|duration)/[0-9]+/(min|max)"),
    ("limit", "/source/(plausibility/overlap/tolerance|claim_tolerance/value)"),
    ("window", "/source/claim_window/(opens|closes)"),
    ("then", "/source/(claim_tolerance|plausibility/(overlap|(speed|duration)/[0-9]+))/then"),
    ("cap", "/credit/caps/[0-9]+/max"),
    ("date", "/(effective|(factors|tables)/[^/]+/values/[0-9]+)/(from|until)"),
)


class Mutant(NamedTuple):
    """A document with one text changed."""

    kind: MutantKind
    pointer: str
    old: str
    new: str
    document: Value

    @property
    def description(self) -> str:
        """Say what was changed, for example ``/factors/per_km/values/0/value: 40 -> 41``."""
        return f"{self.pointer}: {self.old} -> {self.new}"


def mutants(document: Value) -> Iterator[Mutant]:
    """Yield every document that differs in one figure, threshold, comparison, rounding, limit, cap or day.

    Figures, thresholds, limits and caps move by one unit of their last written digit, days by one day;
    a rounding gets every other mode, a table the other side for its boundaries, and what is implausible
    the other consequence.
    """
    for pointer, old in leaves(document):
        for kind, pattern in _RULES:
            if re.fullmatch(pattern, pointer):
                for new in _changed(kind, old, pointer=pointer):
                    changed = _replaced(document, pointer.split("/")[1:], new=new)
                    yield Mutant(kind, pointer, old, new, changed)


def _changed(kind: MutantKind, old: str, *, pointer: str) -> Iterator[str]:
    match kind:
        case "date":
            day = date.fromisoformat(old)
            yield from ((day - _DAY).isoformat(), (day + _DAY).isoformat())
        case "rounding":
            yield from (mode for mode in get_args(RoundingMode) if mode != old)
        case "comparison":
            yield "above" if old == "from" else "from"
        case "then":
            yield "finding" if old == "reject" else "reject"
        case "window":
            yield from (f"P{number}D" for number in _neighbours(old[1:-1]))
        case _ if pointer.startswith("/formula/"):
            for match in _NUMBER.finditer(old):
                for number in _neighbours(match.group()):
                    yield f"{old[: match.start()]}{number}{old[match.end() :]}"
        case _:
            yield from _neighbours(old)


def _neighbours(text: str) -> Iterator[str]:
    """Yield the decimals one unit of the last written digit below and above."""
    number = Decimal(text)
    ulp = Decimal(1).scaleb(-len(text.partition(".")[2]))
    yield from (f"{number - ulp:f}", f"{number + ulp:f}")


def _replaced(value: Value, path: list[str], *, new: str) -> Value:
    """Return a copy with the scalar at a path replaced; what lies beside the path is shared."""
    if not path:
        return new
    if isinstance(value, list):
        at = int(path[0])
        return [*value[:at], _replaced(value[at], path[1:], new=new), *value[at + 1 :]]
    key = path[0].replace("~1", "/").replace("~0", "~")
    return {**value, key: _replaced(value[key], path[1:], new=new)} if isinstance(value, dict) else value
