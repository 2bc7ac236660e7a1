"""Three cities with drawn rules and agreements, and a resident who tries to gain by moving points about.

Rules are mapping documents, valued as the service values acts; agreements are documents; amounts are those
of ``gateway.recognition``; moves, aborts and returns are made in the books.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from math import floor
from random import Random
from typing import Any, Final

import orjson

from gateway.convert import Program
from gateway.convert.load import load_program
from gateway.ledger import Book, Cap, Clerk, Head, Kind, Limit, Pair, Reservation, Verdict, Wanted, returning
from gateway.ledger import Lot as Held
from gateway.ledger import Part as Reserved
from gateway.ports import PrivateRow, PublishedMapping
from gateway.recognition import (
    NOTHING_MOVED,
    Agreement,
    Moved,
    Part,
    Used,
    Value,
    Worth,
    agreement_of,
    arrived_value,
    movable,
    take,
)
from gateway.resources import schema
from gateway.service.transfers.worth import Rulebook
from tests.fakes.claims import PLATFORMS, mapping_text
from tests.fakes.moving import agreement

DAY: Final = 739_000
FIGURES: Final = ("40", "100", "250", "33.3")
Take = Callable[..., Part]


@lru_cache
def program(platform: str, figure: str, per: str, mode: str) -> Program:
    """Return the rules of a city: grams for a km, grams for a point, and which way points are rounded."""
    text = mapping_text(platform, figure).replace("reduction / 10", f"reduction / {per}")
    text = text.replace("scale: 0, mode: floor", f"scale: 0, mode: {mode}")
    return load_program(text.encode(), schema("mapping"))


def ride(km: str) -> PrivateRow:
    """Make a kept row of a ride; what is not valued is left empty."""
    inputs = orjson.dumps({"distance": {"value": km, "unit": "km"}}).decode()
    return PrivateRow(
        0, "r", b"", "2025-03-10", "TRV-BIKE", inputs, "device", "personal", "", 0, 0, 0, None, None,
        b"", b"", None, None, None, None, None,
    )  # fmt: skip


@dataclass
class Cities:
    """The rules of three cities, in force and in the log."""

    programs: dict[str, Program]
    rules: Rulebook = field(init=False)

    def __post_init__(self) -> None:
        by_digest = {"sha256:" + one.digest: one for one in self.programs.values()}
        self.rules = Rulebook(
            lambda: [PublishedMapping(p.id, p.version, p.digest, b"", 0) for p in self.programs.values()],
            by_digest.__getitem__,
            lambda mapping: [one for one in self.programs.values() if one.id == mapping],
        )
        self.rules.look_again()

    def value(self, city: str, row: PrivateRow, *, cap: int) -> Value:
        """Return what a ride stands for at home, where no more points than a cap were granted."""
        stated = {"distance": (orjson.loads(row.inputs)["distance"]["value"], "km")}
        day = date.fromisoformat(row.day).toordinal()
        found = self.rules.convert(self.programs[city], row.behaviour, stated=stated, day=day)
        assert not hasattr(found, "detail"), found
        return Value(found.co2e_mg, min(cap, found.points), Fraction(*found.points_exact))

    def worth(self, row: PrivateRow, agreed: Agreement) -> Worth:
        found = self.rules.worth(row, agreed).worth
        assert isinstance(found, Worth), found
        return found


def unit(city: str) -> str:
    return f"{city}-point"


class Resident:
    """Somebody with one ride, who moves it about in parts; ``take`` works out what a part comes to."""

    def __init__(self, seed: int, *, take: Take = take) -> None:
        self.random = Random(seed)
        self._take = take
        self.cities = Cities({city: self._rules(city) for city in PLATFORMS})
        self.agreements = {(a, b): self._agreement(a, b) for a in PLATFORMS for b in PLATFORMS if a != b}
        self.row = ride(f"{self.random.choice((0.1, 1, 7.3, self.random.randint(1, 99))):.1f}")
        self.home = self.random.choice(PLATFORMS)
        cap = self.random.choice((10**9, 10**9, 7, 1))
        self.start = self.cities.value(self.home, self.row, cap=cap)
        self.facts = Held(
            self.home, "r", unit(self.home), self.start.co2e_mg, int(movable(self.start)), self.start.points
        )
        self.book = Book()
        self.clerk = Clerk(self.book, Head(), reservations={}, decisions={}, windows={})
        for corridor, agreed in self.agreements.items():
            self.clerk.limit(Limit(Pair(*corridor), agreed.net_debit_cap_mg, agreed.cover_mg))
        self.values = {"r": self.start}
        self._rates: dict[str, tuple[str, ...]] = {"r": ()}
        self.whole: dict[str, tuple[Worth, Fraction]] = {}
        self.moves: list[Reservation] = []
        self.refused = 0
        self._numbers = 0

    def _rules(self, city: str) -> Program:
        draw = self.random.choice
        return program(city, draw(FIGURES), draw(("1", "7", "1000")), draw(("floor", "ceiling")))

    def _agreement(self, source: str, destination: str) -> Agreement:
        """Draw an agreement: its basis is the destination's, the source's or a third city's rules."""
        draw = self.random.choice
        most = draw(("10000", "100000", "9000000000"))
        body: dict[str, Any] = agreement(
            (PLATFORMS.index(source), PLATFORMS.index(destination)),
            basis=draw(("receiver", *(f"reference:{city}/rides" for city in PLATFORMS))),
            evidence=[{"grade": "device", "factor": draw(("1", "1", "0.9", "0.3"))}],
            caps={"person_day_mg": most, "corridor_day_mg": "9000000000", "platform_day_mg": "9000000000"},
            minimum_mg="0",
            net_debit_cap_mg=draw(("20000", "9000000000")),
        )
        return agreement_of(body, "sha256:" + "0" * 64)

    def act(self) -> None:
        """Move a part somewhere, all of it or some, or have some of a move returned."""
        if self.moves and self.random.random() < 0.2:
            self._return(self.random.choice(self.moves))
            return
        lots = [name for name in self.values if self._left(name) > 0]
        if lots:
            name = self.random.choice(lots)
            here = self._lot(name).platform
            self._move(
                name, self.random.choice([city for city in PLATFORMS if city != here]), self._piece(name)
            )

    def go_home(self) -> None:
        """Bring all that is elsewhere home, as far as limits let it."""
        for _ in range(3):
            for name in list(self.values):
                here = self._lot(name).platform
                while here != self.home and self._left(name) > 0:
                    before = self._left(name)
                    self._move(name, self.home, self._piece(name))
                    if self._left(name) == before:
                        break

    def held(self) -> Iterator[Held]:
        return iter(self.book.lots.values() if "r" in self.book.lots else [self.facts])

    def _lot(self, name: str) -> Held:
        return self.book.lots.get(name, self.facts)

    def _left(self, name: str) -> int:
        lot = self._lot(name)
        return min(lot.free_mg, floor(movable(self.values[name])) - lot.used_mg)

    def _piece(self, name: str) -> int:
        left = self._left(name)
        return self.random.choice(
            (left, left, max(1, left // 3), max(1, left // 10), self.random.randint(1, left))
        )

    def _move(self, name: str, destination: str, part_mg: int) -> None:
        lot, value = self._lot(name), self.values[name]
        agreed = self.agreements[lot.platform, destination]
        worth = self.cities.worth(self.row, agreed)
        rates = worth.rates(value)
        arriving = f"{name}>{destination} {rates}"
        known = self.book.lots.get(arriving)
        moved = (
            NOTHING_MOVED
            if known is None
            else Moved(known.origin_mg, known.mg - known.returned_mg, known.points - known.returned_points)
        )
        used = Used(lot.used_mg, lot.used_points)
        part = self._take(value, worth, part_mg=part_mg, used=used, moved=moved)
        self._numbers += 1
        wanted = Reservation(
            f"tr_{self._numbers}", Kind.MOVE, lot.platform, destination, unit(destination), DAY,
            (Reserved(
                name, part_mg, part.points, part.recognised_mg, part.points_in,
                facts=self.facts if name == "r" else None, rates=rates,
            ),),
            (Cap("person-limit", f"{lot.platform} {destination}", agreed.caps.person_mg),),
        )  # fmt: skip
        if self.clerk.reserve(wanted) is not None:
            self.refused += 1
        else:
            verdict = Verdict.COMMIT if self.random.random() < 0.9 else Verdict.ABORT
            self.clerk.decide(wanted.transfer, verdict, reason="", decided="")
            if verdict is Verdict.COMMIT:
                self.moves.append(wanted)
                self._rates[arriving] = (*self._rates[name], rates)
                self.whole[arriving] = (worth, worth.recognised_of(value))
                self._revalue()

    def _return(self, original: Reservation) -> None:
        part = original.parts[0]
        if not part.recognised_mg:
            return
        self._numbers += 1
        mg = self.random.choice((part.recognised_mg, self.random.randint(1, part.recognised_mg)))
        made = returning(
            original, [Wanted(0, mg)], transfer=f"tr_{self._numbers}", unit=unit(original.source), day=DAY,
            lots=self.book.lots,
        )  # fmt: skip
        if self.clerk.reserve(made) is None:
            self.clerk.decide(made.transfer, Verdict.COMMIT, reason="", decided="")
            self._revalue()

    def _revalue(self) -> None:
        """Have what arrived stand for what was recognised of it, by the rates of its moves."""
        for name in self.whole:
            lot = self.book.lots[name]
            if lot.mg:
                rates = self._rates[name]
                self.values[name] = arrived_value(self.start, rates, co2e_mg=lot.mg, points=lot.points)
