"""Random programmes of plain operations from a seed, drawn so that they run into the corners.

While it draws, the generator runs the naive ledger, so that it can aim: at a cap met exactly and by one
too much, at the last mg of a lot, at more than may be returned. ``without`` leaves corners out, for
an implementation that does not know them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor
from random import Random
from typing import Protocol

from tests.oracle.history import History, Lot, child_whole
from tests.oracle.naive_ledger import NaiveLedger
from tests.oracle.operations import (
    NO_LIMIT,
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
    SuspendPlatform,
    Worth,
)

__all__ = ["CORNERS", "programme"]

CORNERS = frozenset(
    {
        "batches",  # several reservations handed over at once
        "cycles",  # A to B to C to A and back, else A to B alone
        "concurrent-parts",  # two undecided parts of one lot
        "decisions-again",  # a decision asked for twice, or the other one after it
        "days",  # days go by: limits begin anew, lots expire
        "failed-settlements",  # a window's settlement is aborted
        "onward",  # what has arrived moves on
        "pauses",  # corridors paused, platforms suspended, disputes
        "redemptions",  # points spent at home
        "repeats",  # the same id again, with the same body or another
        "retirements",
        "returns",
        "settled-credit",  # settling a window whose credit later moves have used
        "windows",
    }
)
_PLATFORMS = ("A", "B", "C")
_PEOPLE = ("zhang", "li")
_LIMITS = (NO_LIMIT, NO_LIMIT, NO_LIMIT, 100_000, 40_000)
_FOLLOWING: dict[str | None, Callable[[int], Operation]] = {
    "OPEN": CloseWindow,
    "CLOSED": PendWindow,
    "PENDING": SettleWindow,
}
_GRADES = (("operator-record", 1, 1), ("device", 9, 10), ("upload", 1, 3))


class Guide(Protocol):
    """A ledger that is told each operation when it was drawn, and knows what has happened."""

    @property
    def history(self) -> History: ...
    def apply(self, operation: Operation, /) -> Outcome: ...


@dataclass
class _Draw:
    rng: Random
    without: frozenset[str]
    guide: Guide
    done: list[Operation] = field(default_factory=list)
    made: int = 0

    def name(self, prefix: str) -> str:
        """Make an id that was not there before."""
        self.made += 1
        return f"{prefix}{self.made}"

    def tell(self, operation: Operation) -> None:
        """Add an operation to the programme, unless it leads into a corner that is left out."""
        outcome = self.guide.apply(operation)
        unsettled = isinstance(operation, SettleWindow) and outcome.code == "position-limit"
        if not (unsettled and "settled-credit" in self.without):
            self.done.append(operation)


def programme(
    seed: int, *, length: int = 60, without: Iterable[str] = (), guide: Guide | None = None
) -> tuple[Operation, ...]:
    """Draw a programme: platforms, corridors and lots first, then so many steps.

    ``guide`` is told each operation as it is drawn, so that it need not be told the programme again.
    """
    left_out = frozenset(without)
    if unknown := left_out - CORNERS:
        raise ValueError(f"unknown corners {sorted(unknown)}; there are {sorted(CORNERS)}")
    draw = _Draw(Random(seed), left_out, guide or NaiveLedger(watchful=False))
    for operation in _set_up(draw):
        draw.tell(operation)
    steps = [(step, weight) for step, weight, corner in _STEPS if corner not in left_out]
    chosen = draw.rng.choices([step for step, _ in steps], [weight for _, weight in steps], k=length)
    for step in chosen:
        drawn = step(draw)
        if drawn is not None:
            draw.tell(drawn)
    return tuple(draw.done)


# What there is.


def _set_up(draw: _Draw) -> list[Operation]:
    rng = draw.rng
    pairs = [("A", "B"), ("B", "C"), ("C", "A"), ("B", "A")]
    pairs = pairs[:1] if "cycles" in draw.without else pairs
    lots = [_lot(draw, number) for number in range(rng.randint(6, 14))]
    return [
        *(AddPlatform(name, rng.choice((30, 365, 365))) for name in _PLATFORMS),
        LimitCentral(rng.choice((NO_LIMIT, 120_000))),
        *(_corridor(draw, source, destination) for source, destination in pairs),
        *(_flawed(draw, lot) for lot in lots),
    ]


def _corridor(draw: _Draw, source: str, destination: str) -> OpenCorridor:
    rng = draw.rng
    return OpenCorridor(
        source=source,
        destination=destination,
        behaviours=("TRV-BIKE", "TRV-METRO"),
        methodologies=("M1",),
        factors=_GRADES,
        oldest_day=-20,
        valid_from=0,
        valid_until=rng.choice((4, 400)),
        minimum_mg=rng.choice((0, 1, 100)),
        person_day_mg=rng.choice(_LIMITS),
        corridor_day_mg=rng.choice(_LIMITS),
        platform_day_mg=rng.choice(_LIMITS),
        debit_cap_mg=rng.choice((30_000, 100_000, NO_LIMIT)),
        cover_mg=rng.choice((30_000, 70_000, NO_LIMIT)),
    )


def _lot(draw: _Draw, number: int) -> AddLot:
    """Draw an act worth something else in each city, granted whole points or, at times, capped ones."""
    rng = draw.rng
    quantity = rng.choice((1, 7, 1000, rng.randint(1, 5000), rng.randint(500, 5000)))
    grams = {"A": Fraction(250), "B": Fraction(40), "C": Fraction(933, 10)}
    value = {name: floor(quantity * grams[name]) for name in _PLATFORMS}
    exact = {name: Fraction(value[name], rng.choice((1000, 100, 7, 1))) for name in _PLATFORMS}
    home = "A" if "cycles" in draw.without else rng.choice("AAABC")
    basis = {name: rng.choice((value[name], value[name], value["B"])) for name in _PLATFORMS}
    granted = floor(exact[home])
    return AddLot(
        lot=f"L{number}",
        platform=home,
        person=rng.choice((_PEOPLE[0], *_PEOPLE)),
        act=f"act{number}",
        behaviour=rng.choice(("TRV-BIKE", "TRV-METRO")),
        methodology="M1",
        grade=rng.choice(_GRADES)[0],
        day=rng.choice((-20, -3, 0)),
        expires=rng.choice((3, 300, 300)),
        reduction_mg=value[home],
        points=rng.choice((granted, granted, granted // 2, granted // 3)),
        exact_num=exact[home].numerator,
        exact_den=exact[home].denominator,
        worths=tuple(
            Worth(name, basis[name], value[name], exact[name].numerator, exact[name].denominator)
            for name in _PLATFORMS
        ),
        kind=rng.choice(("gram", "per_act")),
    )


def _flawed(draw: _Draw, lot: AddLot) -> AddLot:
    """Give one lot in four a single flaw."""
    if draw.rng.randrange(4):
        return lot
    flaws: tuple[AddLot, ...] = (
        replace(lot, in_log=False),
        replace(lot, ownership="pooled"),
        replace(lot, claim_closed=False),
        replace(lot, disputed=True),
        replace(lot, kind="engagement", reduction_mg=0, exact_num=0),
        replace(lot, behaviour="OTHER"),
        replace(lot, methodology="M2"),
        replace(lot, grade="self-declared"),
        replace(lot, day=-21),
        replace(lot, expires=0),
        replace(lot, worths=tuple(replace(worth, basis_mg=None) for worth in lot.worths)),
        replace(lot, counted_at=("B",)),
        replace(lot, act="act0"),
    )
    return draw.rng.choice(flaws)


# What happens.


def _reserve(draw: _Draw) -> Reserve | None:
    rng, history = draw.rng, draw.guide.history
    corridor = rng.choice(history.corridors)
    here = [lot for lot in history.lots().values() if lot.platform == corridor.source]
    here = [lot for lot in here if _wanted(draw, lot)]
    here = [lot for lot in here if _free(draw, lot) > 0] or here
    if not here:
        return None
    first = rng.choice(here)
    person = first.record.person
    lots = [first, *rng.sample(here, k=min(len(here), rng.choice((0, 0, 0, 1, 2))))]
    lots = [lot for lot in lots if lot.record.person == person or not rng.randrange(8)]
    if len(lots) == 1:
        parts = [Part(first.lot, _aimed(draw, first, corridor))]
    else:
        parts = [Part(lot.lot, _piece(draw, lot)) for lot in lots]
    return Reserve(
        transfer=draw.name("t"),
        source=corridor.source,
        destination=corridor.destination,
        person=person,
        arriving_person=person if rng.randrange(20) else "wang",
        parts=tuple(parts),
    )


def _wanted(draw: _Draw, lot: Lot) -> bool:
    if "onward" in draw.without and lot.lot != lot.record.lot:
        return False
    if "concurrent-parts" in draw.without and draw.guide.history.reserved_mg(lot.lot):
        return False
    return lot.value_mg > 0 or not draw.rng.randrange(6)


def _free(draw: _Draw, lot: Lot) -> int:
    """Tell how many whole mg of a lot can still move."""
    history, name = draw.guide.history, lot.lot
    gone = history.moved_mg(name) + history.reserved_mg(name)
    return floor(lot.movable) - gone - history.used_mg(name, "redeemed") - history.used_mg(name, "retired")


def _piece(draw: _Draw, lot: Lot) -> int:
    free = max(_free(draw, lot), 1)
    if not draw.rng.randrange(12):
        return draw.rng.choice((0, free + 1))
    pieces = (free, free, free // 2, free // 3, free // 10, 7, draw.rng.randint(1, free))
    return max(draw.rng.choice(pieces), 1)


def _aimed(draw: _Draw, lot: Lot, corridor: OpenCorridor) -> int:
    """Draw a part, half of the time one that meets a limit exactly or passes it by the least."""
    history, factors = draw.guide.history, [grade for grade, _, _ in corridor.factors]
    basis = [w.basis_mg for w in lot.record.worths if w.destination == corridor.destination]
    if None in basis or lot.record.grade not in factors or not lot.whole or draw.rng.randrange(2):
        return _piece(draw, lot)
    share = child_whole(lot, corridor) / lot.whole
    position = history.position(corridor.source, corridor.destination)
    today = [m for m in history.live_moves() if m.day == history.day and m.source == corridor.source]
    along = sum(m.recognised_mg for m in today if m.destination == corridor.destination)
    own = sum(m.recognised_mg for m in today if m.person == lot.record.person)
    rooms = (
        corridor.debit_cap_mg - position,
        corridor.cover_mg - position,
        corridor.corridor_day_mg - along,
        corridor.person_day_mg - own,
        corridor.platform_day_mg - sum(m.recognised_mg for m in today),
    )
    room = min(room for room in rooms)
    exact = ceil(max(room, 0) / share) if share else 0
    reachable = [mg for mg in (exact, exact + ceil(1 / share) if share else 1) if 0 < mg <= _free(draw, lot)]
    return draw.rng.choice(reachable) if reachable else _piece(draw, lot)


def _batch(draw: _Draw) -> Batch | None:
    """Draw reservations that were each good alone; now and then one of them twice."""
    drawn = [reserve for _ in range(draw.rng.randint(2, 5)) if (reserve := _reserve(draw)) is not None]
    if "repeats" not in draw.without and drawn and not draw.rng.randrange(3):
        drawn.append(draw.rng.choice((drawn[0], _changed(drawn[0]))))
    if "concurrent-parts" in draw.without:
        names = [part.lot for reserve in drawn for part in reserve.parts]
        drawn = drawn if len(set(names)) == len(names) else drawn[:1]
    return Batch(tuple(drawn)) if drawn else None


def _changed(asked: Reserve) -> Reserve:
    first = asked.parts[0]
    return replace(asked, parts=(Part(first.lot, first.mg + 1), *asked.parts[1:]))


def _again(draw: _Draw) -> Operation | None:
    """Draw something that was asked for before, the same or another body under its id."""
    keyed = [o for o in draw.done if isinstance(o, Reserve | Return | Retire | Redeem)]
    if not keyed:
        return None
    asked = draw.rng.choice(keyed)
    if isinstance(asked, Reserve):
        return draw.rng.choice((asked, asked, _changed(asked)))
    if isinstance(asked, Return):
        return draw.rng.choice((asked, replace(asked, parts=(*asked.parts, Part("L0", 1)))))
    return draw.rng.choice((asked, replace(asked, mg=asked.mg + 1)))


def _decide(draw: _Draw) -> Operation | None:
    pending = sorted({move.transfer for move in draw.guide.history.open_moves()})
    if not pending:
        return None
    transfer = draw.rng.choice(pending)
    return Commit(transfer) if draw.rng.randrange(4) else Abort(transfer)


def _decide_again(draw: _Draw) -> Operation:
    known = sorted({move.transfer for move in draw.guide.history.moves()})
    transfer = draw.rng.choice((*known, "t0"))
    return Commit(transfer) if draw.rng.randrange(2) else Abort(transfer)


def _return(draw: _Draw) -> Return | None:
    rng, history = draw.rng, draw.guide.history
    moves = history.committed_moves() or history.moves()
    if not moves:
        return None
    move = rng.choice(moves)
    before = sum(b.mg for b in history.backs() if (b.transfer, b.lot) == (move.transfer, move.lot))
    left = move.recognised_mg - before
    mg = rng.choice((left, left, ceil(left / 2), ceil(left / 3), 1, left + 1))
    return Return(draw.name("r"), move.transfer, (Part(move.lot, mg),))


def _retire(draw: _Draw) -> Retire | None:
    lots = list(draw.guide.history.lots().values())
    if not lots:
        return None
    lot = draw.rng.choice(lots)
    purpose = draw.rng.choice((*PURPOSES, "vanity"))
    piece = max(_piece(draw, lot), 1)
    return Retire(key=draw.name("x"), lot=lot.lot, mg=piece, purpose=purpose, beneficiary="a run")


def _redeem(draw: _Draw) -> Redeem | None:
    lots = list(draw.guide.history.lots().values())
    if not lots:
        return None
    lot = draw.rng.choice(lots)
    return Redeem(draw.name("s"), lot.lot, max(_piece(draw, lot) // 2, 1))


def _pause(draw: _Draw) -> Operation:
    rng, history = draw.rng, draw.guide.history
    corridor = rng.choice(history.corridors)
    record = rng.choice(history.records).lot
    if history.paused:
        return ResumeCorridor(*history.paused[0])
    if history.suspended:
        return ResumePlatform(history.suspended[0])
    choices: tuple[Operation, ...] = (
        PauseCorridor(corridor.source, corridor.destination),
        SuspendPlatform(corridor.source),
        *(Mark(record, mark) for mark in ("disputed", "undisputed", "undisputed", "claim-closed")),
    )
    return rng.choice(choices)


def _window(draw: _Draw) -> Operation:
    rng, history = draw.rng, draw.guide.history
    latest = history.open_window()
    unsettled = [n for n in range(1, latest + 1) if history.window_state(n) in _FOLLOWING]
    window = rng.choice(unsettled)
    state = history.window_state(window)
    if not rng.randrange(6):
        again = rng.choice(list(_FOLLOWING.values()))
        return again(rng.randint(1, latest + 1))
    if state == "PENDING" and "failed-settlements" not in draw.without and not rng.randrange(6):
        return AbortWindow(window)
    return _FOLLOWING[state](window)


_Step = Callable[[_Draw], Operation | None]
_STEPS: tuple[tuple[_Step, int, str], ...] = (
    (_reserve, 30, ""),
    (_decide, 24, ""),
    (_batch, 6, "batches"),
    (_again, 5, "repeats"),
    (_decide_again, 3, "decisions-again"),
    (_return, 7, "returns"),
    (_retire, 3, "retirements"),
    (_redeem, 4, "redemptions"),
    (_pause, 4, "pauses"),
    (_window, 12, "windows"),
    (lambda draw: NextDay(draw.rng.choice((1, 1, 2))), 3, "days"),
)
