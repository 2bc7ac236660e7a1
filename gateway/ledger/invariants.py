"""The invariants of the books: after each transaction on what it changed, offline on the whole."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from gateway.errors import InvariantBroken
from gateway.ledger.accounts import CO2E, AccountKind
from gateway.ledger.book import Book
from gateway.ledger.lots import Lot
from gateway.ledger.positions import ALL, Pair, Position

__all__ = ["require_step", "require_whole"]

_OF_LOTS: Final = (AccountKind.HELD, AccountKind.IN_TRANSIT, AccountKind.RETIRED)
_HELD, _TRANSIT, _RETIRED = _OF_LOTS
_Where = tuple[str, AccountKind, str]


def require_step(before: Book, after: Book) -> None:
    """Check that a transaction has kept the invariants I1 to I4, given a book before and after it.

    Raises:
        InvariantBroken: names the invariant; nothing of the transaction may be kept.
    """
    _require_balanced(before, after)
    _require_lots(lot for name, lot in after.lots.items() if before.lots.get(name) is not lot)
    _require_lots_in_accounts(before, after)
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


def _require_lots(lots: Iterable[Lot]) -> None:
    for lot in lots:
        counted = min(
            lot.free_mg, lot.free_points, lot.transit_mg, lot.transit_points, lot.moved_mg, lot.moved_points,
            lot.retired_mg, lot.retired_points, lot.returned_mg, lot.returned_points, lot.origin_mg,
        )  # fmt: skip
        if counted < 0:
            raise InvariantBroken(f"I3: a lot of the record {lot.record} is used beyond what it holds: {lot}")


def _require_lots_in_accounts(before: Book, after: Book) -> None:
    """I2: what lots say of themselves is what the accounts of their platforms say."""
    differences: defaultdict[_Where, int] = defaultdict(int)
    for name, lot in after.lots.items():
        old = before.lots.get(name)
        if old is not lot:
            _count(differences, lot, sign=1)
            if old is not None:
                _count(differences, old, sign=-1)
    for account, balance in after.balances.items():
        if account.kind in _OF_LOTS:
            differences[account] -= balance - before.balances.get(account, 0)
    for where, difference in differences.items():
        if difference:
            raise InvariantBroken(f"I2: lots and the account {where} differ by {difference}")


def _count(differences: defaultdict[_Where, int], lot: Lot, *, sign: int) -> None:
    """Add what a lot says of itself to what its platform's accounts should hold."""
    platform, unit = lot.platform, lot.unit
    differences[platform, _HELD, CO2E] += sign * lot.held_mg
    differences[platform, _TRANSIT, CO2E] += sign * lot.transit_mg
    differences[platform, _RETIRED, CO2E] += sign * lot.retired_mg
    differences[platform, _HELD, unit] += sign * lot.free_points
    differences[platform, _TRANSIT, unit] += sign * lot.transit_points
    differences[platform, _RETIRED, unit] += sign * lot.retired_points


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
