"""The ledger told what the naive ledger of tests/oracle is told, as a service would tell it.

What a quote computes (rules of agreements, amounts) is taken from the naive ledger; what the ledger itself
must know is compared: what is free of lots, limits, positions, decisions, windows, nets and every balance.
"""

from collections.abc import Iterator, Sequence
from math import floor
from typing import Final, Protocol

from gateway.errors import Refused
from gateway.ledger import (
    ALL,
    CO2E,
    AccountKind,
    Back,
    Book,
    Cap,
    Clerk,
    Decision,
    Head,
    Kind,
    Limit,
    Lot,
    Pair,
    Part,
    Refusal,
    Reservation,
    Verdict,
    WindowState,
    WindowStep,
    nets,
    refusal,
    require_step,
)
from tests.oracle import operations as o
from tests.oracle.history import Back as NaiveBack
from tests.oracle.history import History, Move, Use
from tests.oracle.naive_ledger import NaiveLedger
from tests.oracle.programmes import programme

# Redemptions are the platforms' own matter; a settlement that failed may be tried again here, and not there.
WITHOUT: Final = ("redemptions", "failed-settlements")
LOT_CODES: Final = {"lot-spent", "lot-expired", "lot-retired"}
OF_THE_LEDGER: Final = LOT_CODES | {
    "platform-not-active", "corridor-paused", "person-limit", "corridor-limit", "platform-limit",
    "central-limit", "position-limit",
}  # fmt: skip
RETURN_CODES: Final = {
    "return-above-original": "return-exceeds-original",
    "return-spent": "lot-spent",
    "not-returnable": "not-committed",
    "unknown-transfer": "not-committed",
}
STEPS: Final = {
    o.CloseWindow: WindowState.CLOSED,
    o.PendWindow: WindowState.PENDING,
    o.SettleWindow: WindowState.SETTLED,
    o.AbortWindow: WindowState.ABORTED,
}


class BeyondAPartError(Exception):
    """The naive ledger makes up in a part for what returns had left over, so that it is more than the part.

    The amounts of a quote are never that: what is left over there stays unrecognised (decision 0031).
    """


class Books(Protocol):
    """Books that take commands, pure or stored."""

    @property
    def book(self) -> Book: ...
    @property
    def windows(self) -> dict[int, WindowState]: ...
    def limit(self, limit: Limit) -> None: ...
    def reserve(self, wanted: Sequence[Reservation]) -> list[Refusal | None]: ...
    def decide(self, transfer: str, verdict: Verdict) -> Decision: ...
    def step(self, taken: WindowStep) -> None: ...


class PureBooks:
    """The clerk alone; the invariants are checked after each command."""

    def __init__(self) -> None:
        self.book = Book()
        self.windows = {1: WindowState.OPEN}
        self._clerk = Clerk(self.book, Head(), reservations={}, decisions={}, windows=self.windows)

    def limit(self, limit: Limit) -> None:
        self._clerk.limit(limit)

    def reserve(self, wanted: Sequence[Reservation]) -> list[Refusal | None]:
        before = self.book.copy()
        refused = [self._clerk.reserve(one) for one in wanted]
        require_step(before, self.book)
        return refused

    def decide(self, transfer: str, verdict: Verdict) -> Decision:
        before = self.book.copy()
        decision = self._clerk.decide(transfer, verdict, reason="", decided="")
        require_step(before, self.book)
        return decision

    def step(self, taken: WindowStep) -> None:
        before = self.book.copy()
        self._clerk.step(taken)
        require_step(before, self.book)


class Compared:
    """The naive ledger and ours, side by side; an ``AssertionError`` tells where they part."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.codes: set[str] = set()
        self._naive = NaiveLedger(watchful=False)
        self._reserved: dict[str, Reservation] = {}
        self._records: dict[str, o.AddLot] = {}
        self._answered: set[str] = set()
        self._outcomes: list[o.Outcome] = []
        self.last: o.Operation | None = None

    @property
    def history(self) -> History:
        """Return what has happened, as the naive ledger keeps it: a programme can be drawn by it."""
        return self._naive.history

    def apply(self, operation: o.Operation) -> o.Outcome:
        """Tell both, compare what they answer, and return what the naive ledger does."""
        self.last, self._outcomes = operation, []
        match operation:
            case o.Batch():
                self._reserve(operation.reserves)
            case o.Reserve():
                self._reserve([operation])
            case o.Commit() | o.Abort():
                self._decide(operation)
            case o.Return() | o.Retire():
                self._at_once(operation)
            case o.CloseWindow() | o.PendWindow() | o.SettleWindow() | o.AbortWindow():
                self._step(operation)
            case _:
                self._register(operation)
        if isinstance(operation, o.Batch):
            return o.Outcome(each=tuple(self._outcomes))
        return self._outcomes[0]

    def _ask(self, operation: o.Operation) -> str:
        """Tell the naive ledger alone, and return its code."""
        self._outcomes.append(self._naive.apply(operation))
        return self._outcomes[-1].code

    def _register(self, operation: o.Operation) -> None:
        accepted = not self._ask(operation)
        match operation:
            case o.AddLot() if accepted:
                self._records[operation.lot] = operation
            case o.OpenCorridor() | o.PauseCorridor() | o.ResumeCorridor():
                self._set_corridor(operation.source, operation.destination)
            case o.SuspendPlatform() | o.ResumePlatform():
                paused = operation.platform in self._naive.history.suspended
                self.books.limit(Limit(Pair(operation.platform, ALL), None, None, paused))

    def _set_corridor(self, source: str, destination: str) -> None:
        history = self._naive.history
        corridor = history.corridor(source, destination)
        assert corridor is not None
        paused = (source, destination) in history.paused
        limit = Limit(Pair(source, destination), corridor.debit_cap_mg, corridor.cover_mg, paused)
        self.books.limit(limit)

    # Reserving

    def _reserve(self, asked: Sequence[o.Reserve]) -> None:
        waiting: list[tuple[Reservation, str]] = []
        for one in asked:
            is_new = one.transfer not in self._answered
            before = len(self._naive.history.journal)
            code = self._ask(one)
            self._answered.add(one.transfer)
            if not is_new or (code and code not in OF_THE_LEDGER):
                continue
            made = self._reservation(one, self._naive.history.journal[before:], code=code)
            if code in LOT_CODES:
                self._hand_over(waiting)
                waiting = []
                if self._is_a_rule(made, code):
                    continue
            waiting.append((made, code))
        self._hand_over(waiting)

    def _hand_over(self, waiting: Sequence[tuple[Reservation, str]]) -> None:
        """Have reservations made in one batch, and compare what is answered to each."""
        answers = self.books.reserve([made for made, _ in waiting])
        for (made, code), refused in zip(waiting, answers, strict=True):
            got = "" if refused is None else str(refused.code)
            assert _alike(got, code), f"{made}: expected {code or 'yes'}, got {refused}"
            self.codes.add(got)
            if refused is None:
                self._reserved[made.transfer] = made

    def _reservation(self, asked: o.Reserve, journal: Sequence[object], *, code: str) -> Reservation:
        moves = [move for move in journal if isinstance(move, Move)]
        planned = moves or self._planned(asked, computable=code.endswith("-limit"))
        if any(move.recognised_mg > move.mg for move in planned):
            raise BeyondAPartError
        parts = tuple(
            Part(
                self._name(move.lot),
                move.mg,
                move.points_out,
                move.recognised_mg,
                move.points_in,
                self._arrival_expires(move.lot, asked.destination),
                facts=self._facts(move.lot),
            )
            for move in planned
        )
        return Reservation(
            asked.transfer, Kind.MOVE, asked.source, asked.destination, _unit(asked.destination),
            self._naive.history.day, parts, self._caps(asked),
        )  # fmt: skip

    def _planned(self, asked: o.Reserve, *, computable: bool) -> list[Move]:
        """Work out what the naive ledger would have moved, had a limit not stopped it."""
        history = self._naive.history
        lots = history.lots()
        corridor = history.corridor(asked.source, asked.destination)
        sums: dict[str, int] = {}
        for part in asked.parts:
            sums[part.lot] = sums.get(part.lot, 0) + part.mg
        planned = []
        for name, mg in sums.items():
            if corridor is None or not computable:  # refused before amounts matter: any will do
                none = Move(asked.transfer, "", "", "", 0, name, "", mg, 0, 0, 0, alone=True)
                planned.append(none)
            else:
                planned.append(self._naive._planned(asked, lots[name], corridor=corridor, mg=mg))
        return planned

    def _is_a_rule(self, made: Reservation, code: str) -> bool:
        """Tell whether a lot is refused by what only a quote looks at.

        That is the end of its life at the destination, what of an arrived lot was paid for, or points that
        undecided parts may need.
        """
        refused = refusal(self.books.book, made)
        if refused is not None and refused.code in LOT_CODES:
            return False
        arrived = any(">" in part.lot for part in made.parts)
        lapsed = any(part.expires is not None and part.expires < made.day for part in made.parts)
        assert arrived or (code == "lot-expired" and lapsed) or code == "lot-spent", f"{code}: {made}"
        if code == "lot-spent" and not arrived:
            lots, left = self._naive.history.lots(), self._naive.history.points_left
            held = [(lots[part.lot], part.mg) for part in made.parts]
            assert any(self._naive._burn(lot, mg) > left(lot) for lot, mg in held), f"{code}: {made}"
        return True

    def _caps(self, asked: o.Reserve) -> tuple[Cap, ...]:
        history = self._naive.history
        corridor = history.corridor(asked.source, asked.destination)
        if corridor is None:
            return ()
        way = f"{asked.source}>{asked.destination}"
        return (
            Cap("person-limit", f"person/{asked.person}/{way}/{history.day}", corridor.person_day_mg),
            Cap("corridor-limit", f"corridor/{way}/{history.day}", corridor.corridor_day_mg),
            Cap("platform-limit", f"platform/{asked.source}/{history.day}", corridor.platform_day_mg),
            Cap("central-limit", f"central/{history.day}", history.central_day_mg),
        )

    def _facts(self, lot: str) -> Lot | None:
        record = self._records.get(lot)
        if record is None:
            return None
        movable = floor(self._naive.history.lots()[lot].movable)
        unit = _unit(record.platform)
        return Lot(record.platform, lot, unit, record.reduction_mg, movable, record.points, record.expires)

    def _name(self, lot: str) -> str:
        return lot  # a path of platforms, as ours are where the rates have no name

    def _arrival_expires(self, lot: str, destination: str) -> int:
        held = self._naive.history.lots()[lot]
        return min(held.expires, self._naive.history.expiry_at(destination, held.record))

    # Deciding, returning, retiring, settling

    def _decide(self, operation: o.Commit | o.Abort) -> None:
        code = self._ask(operation)
        if operation.transfer not in self._reserved:
            assert code in ("unknown-transfer", ""), code
            return
        verdict = Verdict.COMMIT if isinstance(operation, o.Commit) else Verdict.ABORT
        decision = self.books.decide(operation.transfer, verdict)
        assert code == ("" if decision.verdict is verdict else "decided-otherwise")

    def _at_once(self, operation: o.Return | o.Retire) -> None:
        """Reserve and commit what the naive ledger does in one step."""
        if operation.key in self._answered:
            self._ask(operation)  # its first answer, which the requests of a service keep
            return
        self._answered.add(operation.key)
        before = len(self._naive.history.journal)
        code = self._ask(operation)
        done = self._naive.history.journal[before:]
        returns = isinstance(operation, o.Return)
        made = self._returning(operation, done) if returns else self._retiring(operation, done)  # type: ignore[arg-type] - the kind was just looked at
        if code not in {"", *RETURN_CODES, *LOT_CODES} or made is None:
            return
        if code:
            expected = RETURN_CODES.get(code, code)
            if expected in LOT_CODES and self._is_a_rule(made, code):
                return
        (refused,) = self.books.reserve([made])
        got = "" if refused is None else str(refused.code)
        assert _alike(got, RETURN_CODES.get(code, code)), f"{made}: expected {code or 'yes'}, got {refused}"
        self.codes.add(got)
        if refused is None:
            self.books.decide(made.transfer, Verdict.COMMIT)

    def _returning(self, asked: o.Return, done: Sequence[object]) -> Reservation | None:
        original = self._reserved.get(asked.transfer)
        if original is None:
            return None
        numbers = {part.lot: number for number, part in enumerate(original.parts)}
        if any(part.lot not in numbers for part in asked.parts):
            return None
        backs = [back for back in done if isinstance(back, NaiveBack)]
        if any(back.restored_mg < back.mg for back in backs):
            raise BeyondAPartError
        parts = []
        for part in backs or asked.parts:
            went = original.parts[numbers[part.lot]]
            gone, back, restored = (
                (part.points_out, part.points_in, part.restored_mg)
                if isinstance(part, NaiveBack)
                else (0, 0, part.mg)
            )
            parts.append(
                Part(
                    original.arriving(went),
                    part.mg,
                    gone,
                    part.mg,
                    back,
                    back=Back(went.lot, restored, numbers[part.lot]),
                )
            )
        return Reservation(
            asked.key, Kind.RETURN, original.destination, original.source, _unit(original.source),
            self._naive.history.day, tuple(parts), original=asked.transfer,
        )  # fmt: skip

    def _retiring(self, asked: o.Retire, done: Sequence[object]) -> Reservation | None:
        held = self._naive.history.lots().get(asked.lot)
        if held is None:
            return None
        points = sum(use.points for use in done if isinstance(use, Use))
        part = Part(asked.lot, asked.mg, points, facts=self._facts(asked.lot))
        return Reservation(asked.key, Kind.RETIRE, held.platform, "", "", self._naive.history.day, (part,))

    def _step(self, operation: o.CloseWindow | o.PendWindow | o.SettleWindow | o.AbortWindow) -> None:
        code = self._ask(operation)
        if code == "unknown-window":
            return
        try:
            self.books.step(WindowStep((operation.window,), STEPS[type(operation)]))
            got = ""
        except Refused as refused:
            got = refused.code
        assert bool(got) == bool(code), f"{operation}: expected {code or 'yes'}, got {got or 'yes'}"
        self.codes.add(got)

    # What both say of how things stand

    def compare(self) -> None:
        """Compare everything that both know."""
        naive = self._naive.state()
        book = self.books.book
        untouched = {name: one for name, one in self._records.items() if name not in book.lots}
        balances = dict(_balances(book))
        for name, one in untouched.items():
            platform = one.platform
            for word, amount in (("mg", one.reduction_mg), ("points", one.points)):
                balances[f"{word} held {platform}"] = balances.get(f"{word} held {platform}", 0) + amount
            assert naive.lots.get(f"moved {name}", 0) == 0
        assert _nonzero(balances) == naive.balances
        for word, owed in naive.positions.items():
            assert book.positions[Pair(*word.split(" "))].owed == owed, word
        for name, held in book.lots.items():
            for word, amount in _words(held):
                assert naive.lots.get(f"{word} {name}", 0) == amount, f"{word} {name}"
        states = {str(number): state.value for number, state in self.books.windows.items()}
        assert states == naive.windows
        for number in self.books.windows:
            found = {flow: mg for flow, mg in book.flows.items() if flow.window == number}
            for net in nets(found):
                assert naive.nets.get(f"{number} {net.platform}", 0) == -net.mg


def compare_programme(seed: int) -> set[str] | None:
    """Give one random programme to both; return the codes that were met, None where they cannot be compared.

    Raises:
        AssertionError: they part; names the seed and the operation.
    """
    compared = Compared(PureBooks())
    try:
        programme(seed, without=WITHOUT, guide=compared)
        compared.compare()
    except BeyondAPartError:
        return None
    except Exception as error:
        raise AssertionError(f"seed {seed}: {compared.last}") from error
    return compared.codes


def _words(held: Lot) -> Iterator[tuple[str, int]]:
    yield "value", held.mg - held.returned_mg
    yield "points", held.points - held.returned_points
    yield "moved", held.moved_mg
    yield "reserved", held.transit_mg
    yield "retired", held.retired_mg
    yield "left", held.free_points
    if held.expires is not None:
        yield "expires", held.expires


def _balances(book: Book) -> Iterator[tuple[str, int]]:
    words = {
        (True, AccountKind.HELD): "mg held", (True, AccountKind.IN_TRANSIT): "mg in_transit",
        (True, AccountKind.UNRECOGNISED): "mg unrecognised", (True, AccountKind.RETIRED): "mg retired",
        (False, AccountKind.HELD): "points held", (False, AccountKind.IN_TRANSIT): "points on_hold",
    }  # fmt: skip
    for account, balance in book.balances.items():
        word = words.get((account.asset == CO2E, account.kind))
        if word is not None:
            yield f"{word} {account.platform}", balance


def _nonzero(amounts: dict[str, int]) -> dict[str, int]:
    return {word: amount for word, amount in amounts.items() if amount}


def _alike(got: str, expected: str) -> bool:
    """Tell whether two codes are one; both look at the same facts of a lot, in another order."""
    return got == expected or {got, expected} <= LOT_CODES


def _unit(platform: str) -> str:
    return f"{platform}-point"
