"""The invariants I1-I5, I7-I9, I11, I13 and I14, each by brute force over the whole history.

Each function yields a sentence for each breach. Nothing here trusts a figure that was written down when
an operation was accepted: what can be worked out is worked out again.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tests.oracle.history import Back, Decision, History, Lot, Move, Posting, child_rate, child_whole
from tests.oracle.naive_recognition import burned, issued, recognised

__all__ = ["breaches"]

_BOOKS = ("held", "in_transit", "unrecognised", "retired")
_ORIGINS = ("recorded", "issued")


def breaches(history: History) -> list[str]:
    """List every invariant that does not hold, with where."""
    lots, postings = history.lots(), history.postings()
    found: list[str] = []
    found += [f"I1: {said}" for said in _unbalanced(postings)]
    found += [f"I2: {said}" for said in _misplaced(history, lots, postings=postings)]
    found += [f"I3: {said}" for said in _below_zero(history, lots, postings=postings)]
    checks: tuple[tuple[str, Callable[[History, dict[str, Lot]], Iterator[str]]], ...] = (
        ("I4", _above_limit),
        ("I5", _decided_twice),
        ("I7", _wrong_points),
        ("I8", _unequal_nets),
        ("I9", _returned_too_much),
        ("I11", _longer_lives),
        ("I13", _gains),
        ("I14", _claimed_twice),
    )
    for name, check in checks:
        found += [f"{name}: {said}" for said in check(history, lots)]
    return found


def _unbalanced(postings: list[Posting]) -> Iterator[str]:
    sums: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        sums[posting.cause, posting.asset] += posting.amount
    yield from (f"{key} adds up to {amount}" for key, amount in sums.items() if amount)


def _misplaced(history: History, lots: dict[str, Lot], *, postings: list[Posting]) -> Iterator[str]:
    for record in history.records:
        places = [p for p in postings if p.record == record.lot and p.asset == "mg" and p.account in _BOOKS]
        total = sum(posting.amount for posting in places)
        if total != record.reduction_mg:
            yield f"{record.lot} has {record.reduction_mg} mg and {total} mg are somewhere"
        for platform in (p.platform for p in history.platforms):
            booked = sum(p.amount for p in places if (p.account, p.owner) == ("held", platform))
            here = [lot for lot in lots.values() if (lot.record, lot.platform) == (record, platform)]
            counted = sum(_left_mg(history, lot) for lot in here)
            if booked != counted:
                yield f"{record.lot} at {platform}: {booked} mg booked, {counted} mg in lots"


def _left_mg(history: History, lot: Lot) -> int:
    gone = history.moved_mg(lot.lot) + history.reserved_mg(lot.lot)
    return lot.value_mg - gone - history.used_mg(lot.lot, "retired")


def _below_zero(history: History, lots: dict[str, Lot], *, postings: list[Posting]) -> Iterator[str]:
    sums: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for posting in postings:
        sums[posting.record, posting.asset, posting.account, posting.owner] += posting.amount
    for key, amount in sums.items():
        if amount < 0 and key[2] not in _ORIGINS:
            yield f"{key} stands at {amount}"
    for lot in lots.values():
        left = lot.movable - lot.value_mg + _left_mg(history, lot) - history.used_mg(lot.lot, "redeemed")
        if left < 0:
            yield f"{lot.lot} was used {-left} mg beyond what can move"
        if history.points_left(lot) < 0:
            yield f"{lot.lot} has {history.points_left(lot)} points left"


def _above_limit(history: History, _: dict[str, Lot]) -> Iterator[str]:
    for corridor in history.corridors:
        position = history.position(corridor.source, corridor.destination)
        limit = min(corridor.debit_cap_mg, corridor.cover_mg)
        if position > limit:
            yield f"{corridor.source} owes {corridor.destination} {position} mg, at most {limit}"


def _decided_twice(history: History, _: dict[str, Lot]) -> Iterator[str]:
    decided = Counter(entry.transfer for entry in history.journal if isinstance(entry, Decision))
    yield from (f"{transfer} has {count} decisions" for transfer, count in decided.items() if count > 1)


def _parts_by_child(history: History) -> dict[str, list[Move | Back]]:
    by_child: dict[str, list[Move | Back]] = {}
    live = history.live_moves()
    for entry in history.journal:
        if isinstance(entry, Back) or entry in live:
            by_child.setdefault(entry.child, []).append(entry)
    return by_child


def _wrong_points(history: History, lots: dict[str, Lot]) -> Iterator[str]:
    for child, parts in _parts_by_child(history).items():
        moves = [part for part in parts if isinstance(part, Move)]
        backs = [part for part in parts if isinstance(part, Back)]
        parent = lots[moves[0].lot]
        corridor = history.corridor(moves[0].source, moves[0].destination)
        if corridor is None:
            yield f"{child} came along no corridor"
            continue
        act, rate = child_whole(parent, corridor), child_rate(parent.record, corridor.destination)
        taken = sum(m.mg for m in moves) - sum(b.restored_mg for b in backs)
        given = sum(m.recognised_mg for m in moves) - sum(b.mg for b in backs)
        points = sum(m.points_in for m in moves) - sum(b.points_out for b in backs)
        due = recognised(taken, parent.whole, recognised_whole=act)
        # Only a part reserved beside an undecided one may get less than its due, never more, until the next
        # move by itself makes up for it; a return issues nothing.
        exact = all(part.alone for part in parts) or (parts[-1].alone and isinstance(parts[-1], Move))
        if given > due or (exact and given < due):
            yield f"{child}: {given} mg recognised for {taken} mg, {due} are due"
        due = issued(given, rate=rate)
        if points > due or (exact and points < due):
            yield f"{child}: {points} points for {given} mg, {due} are due"


def _unequal_nets(history: History, _: dict[str, Lot]) -> Iterator[str]:
    for window in {number for number, _ in history.steps}:
        nets = history.nets(window)
        if sum(nets.values()):
            yield f"the nets of window {window} add up to {sum(nets.values())}"
        for platform in (p.platform for p in history.platforms):
            expected = _received(history, platform, window=window)
            if nets.get(platform, 0) != expected:
                yield f"{platform} in window {window}: {nets.get(platform, 0)} net, {expected} bilateral"


def _received(history: History, platform: str, *, window: int) -> int:
    total = 0
    for move in history.committed_moves():
        made = history.decision(move.transfer)
        if made is not None and made.window == window:
            total += move.recognised_mg * ((move.destination == platform) - (move.source == platform))
    for back in history.backs():
        move = next(m for m in history.moves() if m.transfer == back.transfer)
        if back.window == window:
            total += back.mg * ((move.source == platform) - (move.destination == platform))
    return total


def _returned_too_much(history: History, _: dict[str, Lot]) -> Iterator[str]:
    for move in history.moves():
        backs = [b for b in history.backs() if (b.transfer, b.lot) == (move.transfer, move.lot)]
        made = history.decision(move.transfer)
        if backs and (made is None or not made.commit):
            yield f"{move.transfer} did not move and was returned"
        if sum(back.mg for back in backs) > move.recognised_mg:
            yield f"{move.transfer}: {sum(back.mg for back in backs)} mg of {move.recognised_mg} returned"


def _longer_lives(history: History, lots: dict[str, Lot]) -> Iterator[str]:
    kin = [(move.lot, move.child) for move in history.committed_moves()]
    for parent, child in kin:
        if lots[child].expires > lots[parent].expires:
            yield f"{child} is good until {lots[child].expires}, {parent} until {lots[parent].expires}"


def _gains(history: History, lots: dict[str, Lot]) -> Iterator[str]:
    for move in history.committed_moves():
        if lots[move.child].whole > lots[move.lot].whole:
            yield f"{move.child} is worth more than {move.lot}"
    for lot in lots.values():
        burns = _burned(history, lot.lot) + sum(use.points for use in history.uses(lot.lot))
        used = history.used_mg(lot.lot, "redeemed") + history.used_mg(lot.lot, "retired")
        due = burned(history.moved_mg(lot.lot) + used, rate=lot.rate)
        if burns < due:
            yield f"{lot.lot} burned {burns} points, {due} are due"
    for record in history.records:
        home = [lot for lot in lots.values() if (lot.record, lot.platform) == (record, record.platform)]
        points = sum(lot.points - _burned(history, lot.lot) for lot in home)
        if points > record.points:
            yield f"{record.lot} earned {record.points} points at home and has {points} there now"


def _burned(history: History, lot: str) -> int:
    moved = sum(move.points_out for move in history.committed_moves() if move.lot == lot)
    return moved - sum(back.points_in for back in history.backs() if back.lot == lot)


def _claimed_twice(history: History, _: dict[str, Lot]) -> Iterator[str]:
    claims = Counter(record.act for record in history.records)
    yield from (f"{act} is claimed {count} times" for act, count in claims.items() if count > 1)
