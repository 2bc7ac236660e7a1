"""Drive another ledger and the naive one with the same programme and tell the first difference."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import NamedTuple

from tests.oracle.naive_ledger import NaiveLedger
from tests.oracle.operations import Ledger, Operation, State
from tests.oracle.programmes import programme

__all__ = ["PARTS_OF_STATE", "Difference", "disagreement", "first_difference", "seeds", "shortened"]

PARTS_OF_STATE = tuple(part.name for part in fields(State))
_ABSENT = "nothing"


class Difference(NamedTuple):
    """Where two ledgers part: after which operation, over what, and what each said."""

    programme: tuple[Operation, ...]
    step: int
    what: str
    expected: object
    got: object

    def __str__(self) -> str:
        told = "\n".join(f"  {number}. {operation}" for number, operation in enumerate(self.programme))
        return f"step {self.step}, {self.what}: expected {self.expected}, got {self.got}\n{told}"


def seeds() -> range:
    """Tell which seeds to try: ``TANQIAO_ORACLE_SEEDS=500`` tries the first 500, else a few."""
    return range(int(os.environ.get("TANQIAO_ORACLE_SEEDS", "8")))


def disagreement(
    seed: int,
    make_ledger: Callable[[], Ledger],
    *,
    length: int = 60,
    without: Iterable[str] = (),
    compare: Sequence[str] = PARTS_OF_STATE,
) -> Difference | None:
    """Give the programme of a seed to a new ledger and to the naive one; answer with the first difference."""
    return first_difference(programme(seed, length=length, without=without), make_ledger, compare=compare)


def first_difference(
    operations: Sequence[Operation],
    make_ledger: Callable[[], Ledger],
    *,
    compare: Sequence[str] = PARTS_OF_STATE,
) -> Difference | None:
    """Compare outcome and state after every operation; what follows the first difference is left out."""
    naive, other = NaiveLedger(), make_ledger()
    for step, operation in enumerate(operations):
        expected, got = naive.apply(operation), other.apply(operation)
        told = tuple(operations[: step + 1])
        if expected != got:
            return Difference(told, step, "outcome", expected, got)
        for what, left, right in _unequal(naive.state(), other.state(), compare=compare):
            return Difference(told, step, what, left, right)
    return None


def shortened(
    difference: Difference, make_ledger: Callable[[], Ledger], *, compare: Sequence[str] = PARTS_OF_STATE
) -> Difference:
    """Leave out, one by one, the operations without which the ledgers still differ over the same thing."""
    at = 0
    while at < len(difference.programme):
        fewer = (*difference.programme[:at], *difference.programme[at + 1 :])
        found = first_difference(fewer, make_ledger, compare=compare)
        if found is not None and found.what == difference.what:
            difference = found
        else:
            at += 1
    return difference


def _unequal(
    expected: State, got: State, *, compare: Sequence[str]
) -> Iterable[tuple[str, int | str, int | str]]:
    for part in compare:
        left: dict[str, int | str] = getattr(expected, part)
        right: dict[str, int | str] = getattr(got, part)
        for word in sorted({*left, *right}):
            if left.get(word) != right.get(word):
                yield f"{part} {word!r}", left.get(word, _ABSENT), right.get(word, _ABSENT)
