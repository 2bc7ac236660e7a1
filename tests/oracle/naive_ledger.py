"""The simplest ledger of transfers that keeps the rules: slow, in memory, all worked out anew each time.

It was written from the text of the protocol alone. After each operation all invariants that can be
seen here are checked by brute force; a breach raises ``OracleBroken``.
"""

from collections.abc import Iterator
from fractions import Fraction

from tests.oracle.history import Back, Decision, History, Lot, Move, Use, child_rate, child_whole, worth_of
from tests.oracle.naive_invariants import breaches
from tests.oracle.naive_recognition import (
    Given,
    burned,
    dust,
    issued,
    largest_safe,
    least_moved,
    recognised,
    smallest_safe,
)
from tests.oracle.operations import (
    PURPOSES,
    Abort,
    AbortWindow,
    AddLot,
    AddPlatform,
    Batch,
    CloseWindow,
    Commit,
    LimitCentral,
    Mark,
    NextDay,
    OpenCorridor,
    Operation,
    Outcome,
    Part,
    PauseCorridor,
    PendWindow,
    Redeem,
    Reserve,
    ResumeCorridor,
    ResumePlatform,
    Retire,
    Return,
    SettleWindow,
    State,
    SuspendPlatform,
)
from tests.oracle.remembering import Remembering

__all__ = ["NaiveLedger", "OracleBroken"]

_NEEDED = {"CLOSED": "OPEN", "PENDING": "CLOSED", "SETTLED": "PENDING", "ABORTED": "PENDING"}
_SHOWN = frozenset({"held", "in_transit", "unrecognised", "retired", "on_hold"})


class OracleBroken(Exception):
    """An invariant does not hold."""


class _Refused(Exception):
    """An operation breaks a rule; carries the rule's code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NaiveLedger:
    """Keep the list of what happened and judge each operation by the whole of it.

    A ledger that is not ``watchful`` leaves the invariants unchecked and keeps the answers of its history
    until something happens, which takes a fraction of the time.
    """

    def __init__(self, *, watchful: bool = True) -> None:
        self._watchful = watchful
        self.history = History() if watchful else Remembering()
        self._answers: list[tuple[Operation, Outcome]] = []

    def apply(self, operation: Operation) -> Outcome:
        """Carry out or refuse an operation; the same id has the same outcome for ever."""
        if isinstance(operation, Batch):
            return Outcome(each=tuple(self.apply(one) for one in operation.reserves))
        key = _key(operation)
        for earlier, outcome in self._answers:
            if key is not None and _key(earlier) == key:
                return outcome if earlier == operation else Outcome("idempotency-conflict")
        try:
            outcome = self._carry_out(operation)
        except _Refused as refused:
            outcome = Outcome(refused.code)
        self._answers.append((operation, outcome))
        if self._watchful and (found := breaches(self.history)):
            raise OracleBroken(f"after {operation}: {found}")
        return outcome

    def state(self) -> State:
        """Work out all balances."""
        history = self.history
        lots = history.lots()
        windows = {number for number, _ in history.steps}
        nets = {f"{n} {p}": mg for n in windows for p, mg in history.nets(n).items()}
        pairs = {(c.source, c.destination) for c in history.corridors}
        positions = {f"{a} {b}": history.position(a, b) for a, b in pairs}
        return State(
            balances=_without_zeros(self._balances()),
            positions=_without_zeros(positions),
            lots=_without_zeros({k: v for lot in lots.values() for k, v in self._lot_words(lot)}),
            dust={lot.lot: _text(rest) for lot in lots.values() if (rest := self._dust(lot))},
            transfers={move.transfer: self._shown(move.transfer) for move in history.moves()},
            windows={str(n): history.window_state(n) or "" for n in windows},
            nets=_without_zeros(nets),
        )

    def _carry_out(self, operation: Operation) -> Outcome:
        match operation:
            case Reserve():
                return self._reserve(operation)
            case Commit() | Abort():
                return self._decide(operation.transfer, commit=isinstance(operation, Commit))
            case Return():
                return self._return(operation)
            case Retire() | Redeem():
                return self._use(operation)
            case CloseWindow() | PendWindow() | SettleWindow() | AbortWindow():
                return self._step(operation)
            case _:
                self._register(operation)
                return Outcome()

    def _register(self, operation: Operation) -> None:
        history = self.history
        match operation:
            case AddPlatform():
                history.platforms.append(operation)
            case OpenCorridor():
                history.corridors.append(operation)
            case LimitCentral():
                history.central_day_mg = operation.day_mg
            case AddLot():
                _refuse_if(any(r.act == operation.act for r in history.records), "already-claimed")
                history.records.append(operation)
            case Mark():
                _refuse_if(all(r.lot != operation.record for r in history.records), "lot-not-in-log")
                history.marks.append((operation.record, operation.mark))
            case PauseCorridor():
                history.paused.append((operation.source, operation.destination))
            case ResumeCorridor():
                history.paused = [p for p in history.paused if p != (operation.source, operation.destination)]
            case SuspendPlatform():
                history.suspended.append(operation.platform)
            case ResumePlatform():
                history.suspended = [p for p in history.suspended if p != operation.platform]
            case NextDay():
                history.day += operation.days
            case _:
                raise TypeError(f"unknown operation {operation}")

    # Reserving: message, lots, rules, limits, position, one after the other.

    def _reserve(self, asked: Reserve) -> Outcome:
        self._check_message(asked)
        parts = _summed(asked.parts)
        for part in parts:
            self._check_lot(part, asked.source, asked.person)
            _refuse_if(asked.person != asked.arriving_person, "lot-other-person")
        corridor = self._check_corridor(asked)
        lots = self.history.lots()
        for part in parts:
            self._check_rules(lots[part.lot], corridor)
        moves = [self._planned(asked, lots[part.lot], corridor=corridor, mg=part.mg) for part in parts]
        amount = sum(move.recognised_mg for move in moves)
        _refuse_if(amount == 0 or amount < corridor.minimum_mg, "below-minimum")
        self._check_limits(asked, corridor, amount=amount)
        position = self.history.position(asked.source, asked.destination)
        _refuse_if(position + amount > min(corridor.debit_cap_mg, corridor.cover_mg), "position-limit")
        self.history.journal.extend(moves)
        return Outcome(
            recognised_mg=amount,
            points_out=sum(move.points_out for move in moves),
            points_in=sum(move.points_in for move in moves),
        )

    def _check_message(self, asked: Reserve) -> None:
        _refuse_if(not asked.parts or any(part.mg <= 0 for part in asked.parts), "malformed")
        known = [platform.platform for platform in self.history.platforms]
        active = [platform for platform in known if platform not in self.history.suspended]
        _refuse_if(asked.source not in active or asked.destination not in active, "platform-not-active")

    def _check_lot(self, part: Part, platform: str, person: str) -> None:
        history = self.history
        lot = history.lots().get(part.lot)
        if lot is None or lot.platform != platform or not lot.record.in_log:
            raise _Refused("lot-not-in-log")
        record = lot.record
        marks = [mark for name, mark in history.marks if name == record.lot]
        _refuse_if(record.kind == "engagement", "lot-engagement")
        _refuse_if(record.person != person, "lot-other-person")
        _refuse_if(record.ownership != "personal", "lot-not-personal")
        _refuse_if(not record.claim_closed and "claim-closed" not in marks, "lot-claim-open")
        retired = history.used_mg(lot.lot, "retired")
        free = lot.movable - (lot.value_mg - self._unused(lot)) + retired
        _refuse_if(part.mg > free, "lot-spent")
        _refuse_if(history.day > lot.expires, "lot-expired")
        _refuse_if(part.mg > free - retired, "lot-retired")
        # Only undecided parts can hold points which this one would need if they were aborted.
        _refuse_if(self._burn(lot, part.mg) > history.points_left(lot), "lot-spent")
        said = [mark for mark in marks if mark != "claim-closed"]
        _refuse_if(said[-1] == "disputed" if said else record.disputed, "lot-disputed")

    def _unused(self, lot: Lot) -> int:
        history, name = self.history, lot.lot
        used = history.used_mg(name, "redeemed") + history.used_mg(name, "retired")
        return lot.value_mg - used - history.moved_mg(name) - history.reserved_mg(name)

    def _check_corridor(self, asked: Reserve) -> OpenCorridor:
        corridor = self.history.corridor(asked.source, asked.destination)
        if corridor is None or not corridor.valid_from <= self.history.day < corridor.valid_until:
            raise _Refused("agreement-not-in-force")
        _refuse_if((asked.source, asked.destination) in self.history.paused, "corridor-paused")
        return corridor

    def _check_rules(self, lot: Lot, corridor: OpenCorridor) -> None:
        record, worth = lot.record, worth_of(lot.record, corridor.destination)
        _refuse_if(record.behaviour not in corridor.behaviours, "behaviour-not-admitted")
        _refuse_if(record.methodology not in corridor.methodologies, "methodology-not-admitted")
        _refuse_if(record.grade not in [grade for grade, _, _ in corridor.factors], "evidence-not-admitted")
        _refuse_if(record.day < corridor.oldest_day, "vintage-too-old")
        _refuse_if(worth is None or worth.basis_mg is None, "basis-not-computable")
        _refuse_if(corridor.destination in record.counted_at, "already-counted-at-destination")
        # An act whose points are past their time by the destination's own rule would arrive as nothing.
        expires = self.history.expiry_at(corridor.destination, record)
        _refuse_if(self.history.day > expires, "lot-expired")

    def _planned(self, asked: Reserve, lot: Lot, *, corridor: OpenCorridor, mg: int) -> Move:
        history, child = self.history, f"{lot.lot}>{corridor.destination}"
        act, rate = child_whole(lot, corridor), child_rate(lot.record, corridor.destination)
        decided, open_ = self._recognised_parts(child)
        earned = largest_safe(
            lambda total: recognised(total, lot.whole, recognised_whole=act), mg, decided=decided, open_=open_
        )
        decided_points, open_points = self._issued_parts(child)
        points_in = largest_safe(
            lambda total: issued(total, rate=rate), earned, decided=decided_points, open_=open_points
        )
        return Move(
            transfer=asked.transfer,
            source=asked.source,
            destination=asked.destination,
            person=asked.person,
            day=history.day,
            lot=lot.lot,
            child=child,
            mg=mg,
            recognised_mg=earned,
            points_out=self._burn(lot, mg),
            points_in=points_in,
            alone=not open_,
        )

    # What parts took and were given: those that are decided, less what was returned, and the undecided.

    def _recognised_parts(self, child: str) -> tuple[list[Given], list[Given]]:
        moves, open_, backs = self._parts_of(child)
        decided = [Given(move.mg, move.recognised_mg) for move in moves]
        decided += [Given(-back.restored_mg, -back.mg) for back in backs]
        return decided, [Given(move.mg, move.recognised_mg) for move in open_]

    def _issued_parts(self, child: str) -> tuple[list[Given], list[Given]]:
        moves, open_, backs = self._parts_of(child)
        decided = [Given(move.recognised_mg, move.points_in) for move in moves]
        decided += [Given(-back.mg, -back.points_out) for back in backs]
        return decided, [Given(move.recognised_mg, move.points_in) for move in open_]

    def _burned_parts(self, lot: Lot) -> tuple[list[Given], list[Given]]:
        history, name = self.history, lot.lot
        decided = [Given(move.mg, move.points_out) for move in history.committed_moves() if move.lot == name]
        decided += [Given(use.mg, use.points) for use in history.uses(name)]
        decided += [Given(-back.restored_mg, -back.points_in) for back in history.backs() if back.lot == name]
        return decided, [Given(move.mg, move.points_out) for move in history.open_moves() if move.lot == name]

    def _parts_of(self, child: str) -> tuple[list[Move], list[Move], list[Back]]:
        history = self.history
        return (
            [move for move in history.committed_moves() if move.child == child],
            [move for move in history.open_moves() if move.child == child],
            [back for back in history.backs() if back.child == child],
        )

    def _burn(self, lot: Lot, mg: int) -> int:
        return max(0, self._change_of_burn(lot, mg))

    def _check_limits(self, asked: Reserve, corridor: OpenCorridor, *, amount: int) -> None:
        today = [move for move in self.history.live_moves() if move.day == self.history.day]
        leaving = [move for move in today if move.source == asked.source]
        along = [move for move in leaving if move.destination == asked.destination]
        own = [move for move in along if move.person == asked.person]
        limits = (
            ("person-limit", own, corridor.person_day_mg),
            ("corridor-limit", along, corridor.corridor_day_mg),
            ("platform-limit", leaving, corridor.platform_day_mg),
            ("central-limit", today, self.history.central_day_mg),
        )
        for code, counted, limit in limits:
            _refuse_if(sum(move.recognised_mg for move in counted) + amount > limit, code)

    # Deciding, returning, using, settling.

    def _decide(self, transfer: str, *, commit: bool) -> Outcome:
        moves = [move for move in self.history.moves() if move.transfer == transfer]
        _refuse_if(not moves, "unknown-transfer")
        made = self.history.decision(transfer)
        _refuse_if(made is not None and made.commit != commit, "decided-otherwise")
        if made is None:
            self.history.journal.append(Decision(transfer, commit, self.history.open_window()))
        return Outcome()

    def _return(self, asked: Return) -> Outcome:
        _refuse_if(not asked.parts or any(part.mg <= 0 for part in asked.parts), "malformed")
        moves = [move for move in self.history.moves() if move.transfer == asked.transfer]
        _refuse_if(not moves, "unknown-transfer")
        made = self.history.decision(asked.transfer)
        _refuse_if(made is None or not made.commit, "not-returnable")
        backs = [self._planned_back(asked, part, moves=moves) for part in _summed(asked.parts)]
        self.history.journal.extend(backs)
        return Outcome(
            recognised_mg=sum(back.mg for back in backs),
            points_out=sum(back.points_out for back in backs),
            points_in=sum(back.points_in for back in backs),
        )

    def _planned_back(self, asked: Return, part: Part, *, moves: list[Move]) -> Back:
        """Plan to leave everything as though only the rest had ever moved."""
        history = self.history
        move = next((move for move in moves if move.lot == part.lot), None)
        if move is None:
            raise _Refused("return-above-original")
        earlier = [b.mg for b in history.backs() if (b.transfer, b.lot) == (asked.transfer, part.lot)]
        _refuse_if(sum(earlier) + part.mg > move.recognised_mg, "return-above-original")
        lot, child = history.lots()[move.lot], history.lots()[move.child]
        _refuse_if(part.mg > self._unused(child), "return-spent")
        decided, open_ = self._recognised_parts(child.lot)
        kept = sum(one.given for one in decided) - part.mg
        needed = least_moved(kept, child.whole / lot.whole, open_=open_)
        restored = sum(one.taken for one in decided) - needed
        points_out = max(0, -self._change_of_issue(child, -part.mg))
        _refuse_if(points_out > history.points_left(child), "return-spent")
        return Back(
            transfer=asked.transfer,
            lot=lot.lot,
            child=child.lot,
            mg=part.mg,
            points_out=points_out,
            points_in=self._given_back(lot, restored),
            restored_mg=restored,
            window=history.open_window(),
            alone=not open_,
        )

    def _given_back(self, lot: Lot, restored: int) -> int:
        """Give back what the rest would not have burned, but never points that were spent at home."""
        history = self.history
        burned_by_moves = sum(m.points_out for m in history.committed_moves() if m.lot == lot.lot)
        before = sum(back.points_in for back in history.backs() if back.lot == lot.lot)
        return max(0, min(-self._change_of_burn(lot, -restored), burned_by_moves - before))

    def _change_of_issue(self, child: Lot, mg: int) -> int:
        decided, open_ = self._issued_parts(child.lot)
        return largest_safe(lambda total: issued(total, rate=child.rate), mg, decided=decided, open_=open_)

    def _change_of_burn(self, lot: Lot, mg: int) -> int:
        decided, open_ = self._burned_parts(lot)
        return smallest_safe(lambda total: burned(total, rate=lot.rate), mg, decided=decided, open_=open_)

    def _use(self, asked: Retire | Redeem) -> Outcome:
        _refuse_if(asked.mg <= 0, "malformed")
        _refuse_if(isinstance(asked, Retire) and asked.purpose not in PURPOSES, "malformed")
        lot = self.history.lots().get(asked.lot)
        if lot is None:
            raise _Refused("lot-not-in-log")
        self._check_lot(Part(asked.lot, asked.mg), lot.platform, lot.record.person)
        points = self._burn(lot, asked.mg)
        kind = "retired" if isinstance(asked, Retire) else "redeemed"
        self.history.journal.append(Use(asked.lot, kind, asked.mg, points))
        return Outcome(points_out=points)

    def _step(self, asked: CloseWindow | PendWindow | SettleWindow | AbortWindow) -> Outcome:
        history, wanted = self.history, _wanted(asked)
        states = [state for number, state in history.steps if number == asked.window]
        _refuse_if(not states, "unknown-window")
        if wanted in states:
            return Outcome()
        _refuse_if(states[-1] != _NEEDED[wanted], "window-state")
        history.steps.append((asked.window, wanted))
        if wanted == "SETTLED" and any(self._above(corridor) for corridor in history.corridors):
            history.steps.pop()
            raise _Refused("position-limit")
        if wanted == "CLOSED":
            history.steps.append((asked.window + 1, "OPEN"))
        return Outcome()

    def _above(self, corridor: OpenCorridor) -> bool:
        position = self.history.position(corridor.source, corridor.destination)
        return position > min(corridor.debit_cap_mg, corridor.cover_mg)

    # Telling.

    def _balances(self) -> dict[str, int]:
        sums: dict[str, int] = {}
        for posting in self.history.postings():
            if posting.account in _SHOWN:
                word = f"{posting.asset.split()[0]} {posting.account} {posting.owner}"
                sums[word] = sums.get(word, 0) + posting.amount
        return sums

    def _lot_words(self, lot: Lot) -> Iterator[tuple[str, int]]:
        history, name = self.history, lot.lot
        yield f"value {name}", lot.value_mg
        yield f"points {name}", lot.points
        yield f"moved {name}", history.moved_mg(name)
        yield f"reserved {name}", history.reserved_mg(name)
        yield f"redeemed {name}", history.used_mg(name, "redeemed")
        yield f"retired {name}", history.used_mg(name, "retired")
        yield f"left {name}", history.points_left(lot)
        yield f"expires {name}", lot.expires

    def _dust(self, lot: Lot) -> Fraction:
        arrived = any(move.child == lot.lot for move in self.history.committed_moves())
        return dust(lot.value_mg, lot.points, rate=lot.rate) if arrived else Fraction(0)

    def _shown(self, transfer: str) -> str:
        history, made = self.history, self.history.decision(transfer)
        if made is None:
            return "pending"
        if not made.commit:
            return "aborted"
        moved = sum(move.recognised_mg for move in history.moves() if move.transfer == transfer)
        if moved == sum(back.mg for back in history.backs() if back.transfer == transfer):
            return "returned"
        return "settled" if history.is_settled(transfer) else "committed"


def _refuse_if(broken: bool, code: str) -> None:
    if broken:
        raise _Refused(code)


def _key(operation: Operation) -> tuple[str, ...] | None:
    """Tell the id by which an operation is known for ever, if its caller gives it one."""
    match operation:
        case Reserve():
            return ("transfer", operation.transfer)
        case Return() | Retire() | Redeem():
            return (type(operation).__name__, operation.key)
        case AddLot():
            return ("lot", operation.lot)
        case AddPlatform():
            return ("platform", operation.platform)
        case OpenCorridor():
            return ("corridor", operation.source, operation.destination)
        case _:
            return None


def _wanted(step: CloseWindow | PendWindow | SettleWindow | AbortWindow) -> str:
    match step:
        case CloseWindow():
            return "CLOSED"
        case PendWindow():
            return "PENDING"
        case SettleWindow():
            return "SETTLED"
        case AbortWindow():
            return "ABORTED"


def _summed(parts: tuple[Part, ...]) -> list[Part]:
    """Put parts of the same lot together, as nothing may depend on how a move is split."""
    names = list(dict.fromkeys(part.lot for part in parts))
    return [Part(name, sum(part.mg for part in parts if part.lot == name)) for name in names]


def _without_zeros(amounts: dict[str, int]) -> dict[str, int]:
    return {word: amount for word, amount in amounts.items() if amount}


def _text(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"
