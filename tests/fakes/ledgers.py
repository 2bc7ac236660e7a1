"""Reservations for tests of the ledger, and random programmes of commands."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from gateway.errors import Refused
from gateway.ledger import (
    ALL,
    Book,
    Cap,
    Clerk,
    Dispute,
    Kind,
    Limit,
    Lot,
    Pair,
    Part,
    Reservation,
    Verdict,
    Wanted,
    WindowState,
    WindowStep,
    returning,
)

A, B, C = "cn-000001/an", "cn-000002/bei", "cn-000003/chao"
PLATFORMS = (A, B, C)
DAY = 739_000


def unit(platform: str) -> str:
    return f"{platform}-point"


def lot(platform: str = A, mg: int = 1_000, *, record: str = "r-1", points: int | None = None) -> Lot:
    return Lot(platform, record, unit(platform), mg, mg, mg if points is None else points)


def moving(
    transfer: str,
    mg: int,
    *,
    of: Lot | None = None,
    to: str = B,
    recognised: int | None = None,
    caps: Sequence[Cap] = (),
) -> Reservation:
    """Return the reservation of a part of one lot; of a lot of its own unless one is given."""
    facts = of or lot(mg=mg, record=f"r-{transfer}")
    arriving = mg if recognised is None else recognised
    part = Part(
        facts.record, mg, -(-facts.points * mg // facts.movable_mg), arriving, arriving // 10, facts=facts
    )
    return Reservation(transfer, Kind.MOVE, facts.platform, to, unit(to), DAY, (part,), tuple(caps))


def limited(cap: int, *, source: str = A, destination: str = B, cover: int | None = None) -> Limit:
    return Limit(Pair(source, destination), cap, cap if cover is None else cover)


class Commit(NamedTuple):
    transfer: str


class Abort(NamedTuple):
    transfer: str


Command = Reservation | Commit | Abort | Limit | Dispute | WindowStep


class Programme:
    """A random programme: small platforms, small lots and tight limits, so that much of it is refused."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.book = Book()
        self.reservations: dict[str, Reservation] = {}
        self._numbers = 0
        self._lots = {
            f"r-{n}": Lot(
                platform := self.random.choice(PLATFORMS),
                f"r-{n}",
                unit(platform),
                mg := self.random.randint(1, 60),
                max(1, mg - self.random.choice((0, 0, 5))),
                self.random.randint(0, 30),
                self.random.choice((None, DAY - 1, DAY, DAY + 9)),
            )
            for n in range(8)
        }

    def limits(self) -> Iterator[Limit]:
        """Set limits for most corridors and for some platforms."""
        for source in PLATFORMS:
            for destination in PLATFORMS:
                if source != destination and self.random.random() < 0.8:
                    yield self._limit(Pair(source, destination))
            if self.random.random() < 0.5:
                yield self._limit(Pair(source, ALL))

    def command(self, *, window: int) -> Command:
        """Return the next command, made up with the books as they are known to be."""
        open_ones = list(self.reservations)
        dice = self.random.random()
        if dice < 0.5 or not open_ones:
            return self._reservation()
        if dice < 0.75:
            return Commit(self.random.choice(open_ones))
        if dice < 0.88:
            return Abort(self.random.choice(open_ones))
        if dice < 0.90:
            return WindowStep((window,), WindowState.CLOSED)
        if dice < 0.96:
            some = self.random.sample(range(1, window + 1), self.random.randint(1, min(2, window)))
            states = (WindowState.PENDING, WindowState.PENDING, WindowState.SETTLED, WindowState.ABORTED)
            return WindowStep(tuple(some), self.random.choice(states))
        if dice < 0.98:
            name = self.random.choice(sorted(self._lots))
            return Dispute(name, self.random.random() < 0.5, self._lots[name])
        return self._limit(Pair(*self.random.sample(PLATFORMS, 2)))

    def _limit(self, pair: Pair) -> Limit:
        cap, cover = (self.random.choice((None, 20, 40, 80, 200)) for _ in range(2))
        return Limit(pair, cap, cover, self.random.random() < 0.1)

    def _reservation(self) -> Reservation:
        self._numbers += 1
        transfer = f"tr_{self._numbers}"
        decided = [one for one in self.reservations.values() if one.kind is Kind.MOVE]
        dice = self.random.random()
        if dice < 0.15 and decided:
            wanted = self._return(transfer, self.random.choice(decided))
            if wanted is not None:
                self.reservations[transfer] = wanted
                return wanted
        kind = Kind.RETIRE if dice > 0.9 else Kind.MOVE
        names = list({*self._lots, *(name for name, one in self.book.lots.items() if one.origin and one.mg)})
        names.sort()
        chosen = [self.random.choice(names) for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
        platform = self._known(chosen[0]).platform
        to = self.random.choice([one for one in PLATFORMS if one != platform])
        parts = tuple(self._part(name, kind) for name in chosen)
        caps = self._caps(platform, to) if kind is Kind.MOVE else ()
        if kind is Kind.RETIRE:
            to = ""
        wanted = Reservation(transfer, kind, platform, to, unit(to) if to else "", DAY, parts, caps)
        self.reservations[transfer] = wanted
        return wanted

    def _known(self, name: str) -> Lot:
        return self.book.lots[name] if ">" in name else self._lots[name]

    def _part(self, name: str, kind: Kind) -> Part:
        known = self._known(name)
        mg = self.random.randint(1, known.movable_mg + (self.random.random() < 0.1))
        points = -(-known.points * mg // known.movable_mg)
        facts = None if ">" in name else known
        if kind is Kind.RETIRE:
            return Part(name, mg, points, facts=facts)
        recognised = self.random.randint(0, mg)
        return Part(name, mg, points, recognised, recognised // 3, known.expires, facts=facts)

    def _return(self, transfer: str, original: Reservation) -> Reservation | None:
        wanted = [
            Wanted(number, self.random.randint(1, part.recognised_mg))
            for number, part in enumerate(original.parts)
            if original.arriving(part) in self.book.lots and part.recognised_mg
        ]
        if not wanted:
            return None
        return returning(
            original, wanted, transfer=transfer, unit=unit(original.source), day=DAY, lots=self.book.lots
        )

    def _caps(self, source: str, destination: str) -> tuple[Cap, ...]:
        keys = {
            "person-limit": f"person/{self.random.randint(1, 2)}",
            "corridor-limit": f"corridor/{source}/{destination}",
            "platform-limit": f"platform/{source}",
            "central-limit": "central",
        }
        return tuple(
            Cap(code, key, self.random.choice((40, 80, 120, 200, 400))) for code, key in keys.items()
        )


def run(clerk: Clerk, command: Command, *, decided: str = "") -> str:
    """Give a command to a clerk and return its refusal or decision; empty where it was done."""
    try:
        match command:
            case Reservation():
                refused = clerk.reserve(command)
                if refused is not None:
                    clerk.decide(command.transfer, Verdict.ABORT, reason=refused.code, decided=decided)
                    return refused.code
            case Commit():
                return clerk.decide(command.transfer, Verdict.COMMIT, reason="", decided=decided).verdict
            case Abort():
                return clerk.decide(command.transfer, Verdict.ABORT, reason="asked", decided=decided).verdict
            case Limit():
                clerk.limit(command)
            case Dispute():
                clerk.dispute(command)
            case WindowStep():
                clerk.step(command)
    except Refused as refused:
        return refused.code
    return ""
