"""Rows of the ledger's tables and the values that they stand for."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Table

from gateway.errors import IntegrityBroken
from gateway.ledger import (
    Account,
    AccountKind,
    Book,
    Decision,
    Dispute,
    Entry,
    Flow,
    Limit,
    Lot,
    Pair,
    Position,
    Posting,
    Reservation,
    WindowStep,
)
from gateway.store.ledger import tables as t

__all__ = [
    "Difference",
    "account_text",
    "change_of",
    "changed",
    "decision_of",
    "difference",
    "event_row",
    "fill",
    "lot_of",
    "posting_of",
    "reservation_of",
    "text_of",
]

_CHANGES: Final[dict[str, type[Limit | Dispute | WindowStep]]] = {
    "limit": Limit,
    "dispute": Dispute,
    "windows": WindowStep,
}
_KIND_OF: Final = {kind: name for name, kind in _CHANGES.items()}
_reservations: Final = msgspec.json.Decoder(Reservation)
_decisions: Final = msgspec.json.Decoder(Decision)


class Difference(NamedTuple):
    """Rows of one table that are new; of those that were changed, the key and each column that differs."""

    table: Table
    new: Sequence[tuple[Any, ...]]
    changed: dict[str, tuple[Any, ...]]


def text_of(value: NamedTuple) -> str:
    """Return a value as JSON, an array of its members in their order."""
    return msgspec.json.encode(value).decode()


def reservation_of(text: str) -> Reservation:
    """Read a reservation.

    Raises:
        IntegrityBroken: the row holds none.
    """
    try:
        return _reservations.decode(text)
    except msgspec.MsgspecError as error:
        raise IntegrityBroken(f"a row holds no reservation: {error}", field="reservations") from error


def lot_of(text: str) -> Lot:
    """Read a lot."""
    return msgspec.json.decode(text, type=Lot)


def decision_of(text: str) -> Decision:
    """Read a decision.

    Raises:
        IntegrityBroken: the row holds none.
    """
    try:
        return _decisions.decode(text)
    except msgspec.MsgspecError as error:
        raise IntegrityBroken(f"a row holds no decision: {error}", field="decisions") from error


def change_of(kind: str, text: str) -> Limit | Dispute | WindowStep:
    """Read an entry of the journal that is about no transfer."""
    return msgspec.json.decode(text, type=_CHANGES[kind])


@lru_cache(maxsize=4096)
def account_text(account: Account) -> str:
    """Return the name of an account as postings have it."""
    return " ".join(account)


def posting_of(debit: str, credit: str, *, amount: int) -> Posting:
    """Read a posting."""
    return Posting(_account(debit.split(" ", 2)), _account(credit.split(" ", 2)), amount)


def event_row(entry: Entry) -> tuple[Table, tuple[Any, ...]]:
    """Return the row of the journal for an entry, and its table."""
    number, event, _ = entry
    body = text_of(event)
    if isinstance(event, Reservation):
        return t.reservations, (event.transfer, number, body)
    if isinstance(event, Decision):
        return t.decisions, (event.transfer, number, body)
    return t.changes, (number, _KIND_OF[type(event)], body)


def fill(book: Book, table: Table, *, rows: Iterable[Any]) -> None:
    """Put rows of one table into a book."""
    if table is t.lots:
        book.lots.update((row[0], Lot._make(row[1:])) for row in rows)
    elif table is t.positions:
        book.positions.update((Pair(row.platform, row.other), Position(*row[2:])) for row in rows)
    elif table is t.accounts:
        book.balances.update((_account(row[:3]), row.balance) for row in rows)
    elif table is t.counters:
        book.caps.update((row.key, row.used) for row in rows)
    elif table is t.flows:
        book.flows.update((Flow(*row[:4]), row.mg) for row in rows)


def changed(before: Book, after: Book) -> list[Difference]:
    """Return the rows in which two books differ."""
    return [
        difference(t.lots, before.lots, after=after.lots),
        difference(t.positions, before.positions, after=after.positions),
        difference(t.accounts, before.balances, after=after.balances),
        difference(t.counters, before.caps, after=after.caps),
        difference(t.flows, before.flows, after=after.flows),
    ]


def difference(table: Table, before: Mapping[Any, Any], *, after: Mapping[Any, Any]) -> Difference:
    """Return the rows of a table that stand for the keys and values in which two states differ."""
    new: list[tuple[Any, ...]] = []
    olds: list[tuple[Any, ...]] = []
    nows: list[tuple[Any, ...]] = []
    for key, value in after.items():
        old = before.get(key)
        if old is None:
            new.append((*_members(key), *_members(value)))
        elif old is not value and old != value:
            olds.append((*_members(key), *_members(old)))
            nows.append((*_members(key), *_members(value)))
    columns = zip(table.columns, zip(*olds, strict=True), zip(*nows, strict=True), strict=False)
    changed = {str(one.name): now for one, was, now in columns if one.primary_key or was != now}
    return Difference(table, new, changed)


def _members(value: object) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _account(members: Sequence[str]) -> Account:
    platform, kind, asset = members
    try:
        return Account(platform, AccountKind(kind), asset)
    except ValueError as error:
        raise IntegrityBroken(f"no account is of the kind {kind}", field=platform) from error
