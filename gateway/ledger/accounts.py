"""Accounts and postings: double entry in whole milligrams of CO2e and whole points.

Each platform has one account of each kind for each asset. A posting takes an amount from one account and
gives it to another of the same asset, so that debits equal credits whatever is posted (I1). Only
``RECORDED`` stands below zero: it is the other side of whatever entered the books.
"""

from collections.abc import Iterable, MutableMapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.errors import InvariantBroken

__all__ = ["CO2E", "Account", "AccountKind", "Posting", "post"]

CO2E: Final = "co2e-mg"
"""The asset of reductions; every other asset is a unit of points."""


class AccountKind(StrEnum):
    """Where an amount is. What a record holds is in exactly one of them, ``RECORDED`` aside (I2)."""

    RECORDED = "recorded"
    HELD = "held"
    IN_TRANSIT = "in-transit"
    UNRECOGNISED = "unrecognised"
    RETIRED = "retired"
    CANCELLED = "cancelled"


class Account(NamedTuple):
    """An account of a platform."""

    platform: str
    kind: AccountKind
    asset: str


class Posting(NamedTuple):
    """An amount that one account gives (debit) and another gets (credit)."""

    debit: Account
    credit: Account
    amount: int


def post(balances: MutableMapping[Account, int], postings: Iterable[Posting]) -> None:
    """Write postings into balances; a balance is what an account got less what it gave.

    Raises:
        InvariantBroken: a posting is not an exchange inside one asset, or an account would go below zero.
    """
    for debit, credit, amount in postings:
        if debit.asset != credit.asset or amount <= 0:
            raise InvariantBroken(f"I1: no exchange inside one asset: {Posting(debit, credit, amount)}")
        left = balances.get(debit, 0) - amount
        if left < 0 and debit.kind is not AccountKind.RECORDED:
            raise InvariantBroken(f"I3: {amount} taken from {debit}, which has {left + amount}")
        balances[debit] = left
        balances[credit] = balances.get(credit, 0) + amount
