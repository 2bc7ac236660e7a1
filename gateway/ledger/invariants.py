"""The invariants of the books: after each transaction on what it changed, offline on the whole."""

from collections import Counter, defaultdict
from typing import Final

from gateway.errors import InvariantBroken
from gateway.ledger.accounts import CO2E, AccountKind
from gateway.ledger.book import Book
from gateway.ledger.lots import Lot
from gateway.ledger.positions import ALL, Pair, Position

__all__ = ["require_step", "require_whole"]

_OF_LOTS: Final = (AccountKind.HELD, AccountKind.IN_TRANSIT, AccountKind.RETIRED)
_Where = tuple[str, AccountKind, str]


def require_step(before: Book, after: Book) -> None:
    """Check that a transaction has kept the invariants I1 to I4, given a book before and after it.

    Raises:
        InvariantBroken: names the invariant; nothing of the transaction may be kept.
    """
    _require_balanced(before, after)
    _require_lots(before, after)
    for pair, position in after.positions.items():
        old = before.positions.get(pair)
        if old is not position:
            _require_position(pair, position, before=old)


def require_whole(book: Book) -> None:
    """Check a complete book: it came about by steps from an empty one.

    Raises:
        InvariantBroken: names the invariant.
    """
    require_step(Book(), Book(book.balances, book.lots))
    for pair, position in book.positions.items():
        _require_not_negative(pair, position)
        if pair.other != ALL:
            mirror = book.positions.get(Pair(pair.other, pair.platform), Position())
            if (mirror.committed_out, mirror.committed_in) != (position.committed_in, position.committed_out):
                raise InvariantBroken(f"I8: {pair} and its mirror differ: {position}, {mirror}")
    _require_sums(book)


def _require_balanced(before: Book, after: Book) -> None:
    totals: Counter[str] = Counter()
    for account, balance in after.balances.items():
        totals[account.asset] += balance - before.balances.get(account, 0)
        if balance < 0 and account.kind is not AccountKind.RECORDED:
            raise InvariantBroken(f"I3: {account} stands at {balance}")
    for asset, total in totals.items():
        if total:
            raise InvariantBroken(f"I1: debits and credits of {asset} differ by {total}")


def _require_lots(before: Book, after: Book) -> None:
    """I2: lots say what their platforms' accounts say. I3: none is used beyond what it holds."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
    for name, lot in after.lots.items():
        old = before.lots.get(name)
        if old is lot:
            continue
        _count(sums, lot, sign=1)
        if old is not None:
            _count(sums, old, sign=-1)
        if min(lot.free_mg, lot.free_points, lot.origin_mg, *lot.uses) < 0:
            raise InvariantBroken(f"I3: a lot of the record {lot.record} is used beyond what it holds: {lot}")
    differences: defaultdict[_Where, int] = defaultdict(int)
    for (platform, unit), counted in sums.items():
        places = ((platform, kind, asset) for asset in (CO2E, unit) for kind in _OF_LOTS)
        for where, amount in zip(places, counted, strict=True):
            differences[where] += amount
    for account, balance in after.balances.items():
        if account.kind in _OF_LOTS:
            differences[account] -= balance - before.balances.get(account, 0)
    for where, difference in differences.items():
        if difference:
            raise InvariantBroken(f"I2: lots and the account {where} differ by {difference}")


def _count(sums: defaultdict[tuple[str, str], list[int]], lot: Lot, *, sign: int) -> None:
    """Add what a lot says of itself to what its platform's accounts should hold, in mg and then in points."""
    counted = sums[lot.platform, lot.unit]
    counted[0] += sign * lot.held_mg
    counted[1] += sign * lot.transit_mg
    counted[2] += sign * lot.retired_mg
    counted[3] += sign * lot.free_points
    counted[4] += sign * lot.transit_points
    counted[5] += sign * lot.retired_points


def _require_position(pair: Pair, position: Position, *, before: Position | None) -> None:
    """I4: nothing grows beyond its limit; what a limit was lowered below may only shrink."""
    _require_not_negative(pair, position)
    limit, owed = position.limit, position.owed
    if limit is not None and owed > limit and (before is None or owed > before.owed):
        raise InvariantBroken(f"I4: {pair.platform} owes {pair.other or 'all'} {owed}, at most {limit}")


def _require_not_negative(pair: Pair, position: Position) -> None:
    if min(position.committed_out, position.committed_in, position.reserved_out) < 0:
        raise InvariantBroken(f"I3: the position of {pair.platform} stands at {position}")


def _require_sums(book: Book) -> None:
    """I8: what a platform owes to all is what it owes to each; all of it, with mirrors, sums to nothing."""
    sums: dict[str, Counter[str]] = {}
    for pair, position in book.positions.items():
        if pair.other != ALL:
            some = sums.setdefault(pair.platform, Counter())
            some.update(
                out=position.committed_out, into=position.committed_in, reserved=position.reserved_out
            )
    for platform, some in sums.items():
        whole = book.positions.get(Pair(platform, ALL), Position())
        if (whole.committed_out, whole.committed_in, whole.reserved_out) != (
            some["out"], some["into"], some["reserved"],
        ):  # fmt: skip
            raise InvariantBroken(f"I8: the position of {platform} is not the sum of its pairs")
