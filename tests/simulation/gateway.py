"""A gateway of the simulation: workers over the machine, with a store that a crash does not touch."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from itertools import count
from typing import Any, NamedTuple

from gateway.model.canonical import Json
from gateway.model.transfer import (
    Amounts,
    LotUse,
    OutsideState,
    Party,
    QuoteId,
    QuoteReference,
    TransferId,
    TransferKind,
    TransferState,
    TransferTerms,
    Verdict,
)
from gateway.protocol import (
    QUOTE_LIFETIME,
    Acknowledged,
    Alarm,
    Book,
    Booking,
    Checked,
    CheckFailed,
    Conflict,
    Decide,
    Do,
    Held,
    HoldRefused,
    Kept,
    New,
    Outcome,
    Prepared,
    PrepareRefused,
    Queried,
    Quiet,
    Reserved,
    ReserveFailed,
    Retry,
    ReturnEnded,
    ReturnStarted,
    Same,
    Send,
    Start,
    Step,
    Task,
    Timer,
    Transfer,
    Unanswered,
    Wake,
    judge,
    outside,
    step,
)
from tests.simulation.world import HOUR_MS, Packet, Violation, World

ANSWER_MS = 3_000
POSITION_CAP = 60_000
GATEWAY = "gateway"
MOVES = {  # which state may follow which: what docs/reference/transfer.md draws
    "QUOTED": "RECEIVED LAPSED",
    "RECEIVED": "HELD REJECTED ABORTING",
    "HELD": "RESERVED ABORTING",
    "RESERVED": "READY ABORTING",
    "READY": "COMMITTED ABORTING",
    "COMMITTED": "COMPLETED SETTLED",
    "COMPLETED": "SETTLED RETURNING DISPUTED",
    "SETTLED": "RETURNING DISPUTED",
    "LAPSED": "ABORTING DISPUTED",
    "REJECTED": "ABORTING DISPUTED",
    "ABORTING": "ABORTED",
    "ABORTED": "DISPUTED",
    "RETURNING": "RETURNED COMPLETED SETTLED UPHELD DENIED",
    "RETURNED": "DISPUTED",
    "DISPUTED": "UPHELD DENIED",
    "UPHELD": "RETURNING",
    "DENIED": "RETURNING",
}
OVER = ("LAPSED", "REJECTED", "ABORTED", "COMPLETED", "SETTLED")


class Rules(NamedTuple):
    """The rules under trial; a planted bug is another rule in place of one of these."""

    step: Callable[[Transfer, object], Step] = step
    judge: Callable[[Kept | None, Json], New | Same | Conflict] = judge
    share_step: Callable[..., Any] | None = None
    compare_and_set: bool = True
    durable_outbox: bool = True
    counts_reserved: bool = True
    takes_up_again: bool = True
    verifies: bool = True
    carries_again: bool = True


class Late(NamedTuple):
    """An answer that comes later: whose message it is to, what that said, and what came of it."""

    name: str
    party: Party
    said: Any
    answer: tuple[Any, ...]


class Row(NamedTuple):
    """A message that waits for its answer."""

    message: Any
    token: int
    attempts: int


class Store:
    """What the gateway has written: transfers, lots, positions, messages and answers."""

    def __init__(self, rules: Rules, held_mg: dict[str, int]) -> None:
        self.rules = rules
        self.transfers: dict[str, Transfer] = {}
        self.answers: dict[str, Kept] = {}
        self.outbox: dict[tuple[str, Party], Row] = {}
        self.said: dict[tuple[str, Party, type], Any] = {}
        self.ways: dict[str, str] = {}
        self.reserved: dict[str, tuple[str, str, int]] = {}
        self.lots: Counter[str] = Counter()
        self.lot_sizes: dict[str, int] = {}
        self.held = Counter(held_mg)
        self.transit = 0
        self.unrecognised = 0
        self.positions: Counter[tuple[str, str]] = Counter()
        self.returned: Counter[tuple[str, str]] = Counter()
        self.decisions: dict[str, Verdict] = {}
        self.tokens = count()

    def refusal(self, terms: TransferTerms) -> str:
        """Tell why a transfer cannot be reserved; empty if it can."""
        if terms.original is not None:
            return ""
        if any(self.lots[lot.record] + lot.used_mg > self.lot_sizes[lot.record] for lot in terms.lots):
            return "lot-spent"
        amount = terms.amounts.recognised_mg
        before = self.exposure(terms.source, terms.destination)
        if not self.rules.counts_reserved:
            before = self.positions[terms.source, terms.destination]
        return "" if before + amount <= POSITION_CAP else "position-limit"

    def exposure(self, source: str, destination: str) -> int:
        """Return a position with what is reserved against it."""
        kept = sum(mg for one, other, mg in self.reserved.values() if (one, other) == (source, destination))
        return self.positions[source, destination] - self.positions[destination, source] + kept

    def write(self, name: str, read: Transfer, done: Step, *, reserve: bool = False) -> bool:
        """Write a step, all of it or nothing; False if another one was written since."""
        if done.outcome is not Outcome.TAKEN:
            self._messages(name, done)
            return True
        now = self.transfers[name]
        if self.rules.compare_and_set and now.revision != read.revision:
            return False
        self._require_sense(name, now, done.transfer)
        terms = done.transfer.terms
        if reserve and terms.original is None:
            self.reserved[name] = (terms.source, terms.destination, terms.amounts.recognised_mg)
            for lot in terms.lots:
                self.lots[lot.record] += lot.used_mg
        self.transfers[name] = done.transfer
        for effect in done.effects:
            if isinstance(effect, Book):
                self._book(name, terms, effect.booking)
        self._messages(name, done)
        return True

    def _messages(self, name: str, done: Step) -> None:
        for effect in done.effects:
            if isinstance(effect, Send):
                self.said[name, effect.party, type(effect.message)] = effect.message
                self.outbox[name, effect.party] = Row(effect.message, next(self.tokens), 0)
            elif isinstance(effect, Quiet):
                self.outbox.pop((name, effect.party), None)

    def owed(self, platform: str) -> list[tuple[str, Party, Any]]:
        """Return what a platform is to be told."""
        return [
            (name, party, row.message)
            for (name, party), row in sorted(self.outbox.items())
            if self.transfers[name].terms.platform(party) == platform
        ]

    def _book(self, name: str, terms: TransferTerms, booking: Booking) -> None:
        amounts = terms.amounts
        if booking is Booking.RELEASE:
            if self.reserved.pop(name, None) is not None:
                for lot in terms.lots:
                    self.lots[lot.record] -= lot.used_mg
        elif booking is Booking.COMMIT:
            if terms.original is None and self.reserved.pop(name, None) is None:
                raise Violation(f"I4: {name} is committed without a reservation")
            self.held[terms.source] -= amounts.used_mg
            self.transit += amounts.recognised_mg
            self.unrecognised += amounts.unrecognised_mg
            self.positions[terms.source, terms.destination] += amounts.recognised_mg
            if terms.original is not None:  # returns are outside of the caps
                self.returned[terms.source, terms.destination] += amounts.recognised_mg
        else:
            self.transit -= amounts.recognised_mg
            self.held[terms.destination] += amounts.recognised_mg

    def _require_sense(self, name: str, now: Transfer, then: Transfer) -> None:
        """Hold a written step to what may follow what, to one decision, and to what outsiders were told."""
        if now.state is not then.state and then.state.value not in MOVES[now.state].split():
            raise Violation(f"{name} goes from {now.state} to {then.state}")
        if then.decision is not None:
            first = self.decisions.setdefault(name, then.decision.verdict)
            if first is not then.decision.verdict or (now.decision or then.decision) != then.decision:
                raise Violation(f"I5: {name} is decided twice")
        elif now.decision is not None:
            raise Violation(f"I5: the decision of {name} is gone")
        told = outside(then)
        if told in (OutsideState.COMMITTED, OutsideState.SETTLED, OutsideState.RETURNED) and (
            self.decisions.get(name) is not Verdict.COMMIT
        ):
            raise Violation(f"{name} is called {told} without a commit")
        if told is OutsideState.ABORTED and self.decisions.get(name) is Verdict.COMMIT:
            raise Violation(f"{name} is called aborted after a commit")


class Gateway:
    """Two workers and their outbox; all that they remember besides is lost in a crash.

    ``files``: what its operator has not taken yet; ``carried``: to which platforms files go now and then.
    """

    name = GATEWAY

    def __init__(self, world: World, store: Store, rules: Rules) -> None:
        self.world, self.store, self.rules = world, store, rules
        self.seen: Counter[str] = Counter()
        self.returns = 0
        self.files: list[Packet] = []
        self.carried: set[str] = set()
        self.pause_ms = world.random.randrange(1, 13) * HOUR_MS if "file" in store.ways.values() else 0
        world.add(self)

    def receive(self, packet: Any) -> None:
        """Take a packet up."""
        match packet:
            case ("start", sender, body, terms):
                self._start(sender, body, terms)
            case ("show", sender, name):
                known = self.store.transfers.get(name)
                told = None if known is None else (outside(known), known.reason)
                self.world.send(self.name, sender, ("shown", name, told))
            case ("event", name, make):
                self._apply(name, make)
            case Packet("call-back", said, intact) if intact or not self.rules.verifies:
                for late in said:
                    self._hear(late)
            case Packet("file", _, intact) if intact or not self.rules.verifies:
                self.files.append(packet)
                self._take(packet)

    def recover(self) -> None:
        """Take up what the store says is not over."""
        if not self.rules.durable_outbox:
            self.store.outbox.clear()
        for name, transfer in sorted(self.store.transfers.items()):
            if self.rules.takes_up_again:
                self._apply(name, Timer)
            if transfer.terms.original is not None:
                self._end_return(name)
        for (name, party), row in sorted(self.store.outbox.items()):
            self._deliver(name, party, row.token)
        for file in list(self.files):
            self._take(file)

    def event(self, name: str, make: Callable[..., object]) -> None:
        """Have something happen to a transfer, from inside of the gateway."""
        self._apply(name, make)

    def _take(self, file: Packet) -> None:
        """Take the rows of a file; its operator takes it again where that was interrupted."""
        for late in file.said:
            self._hear(late)
        self.files.remove(file)

    def _hear(self, late: Late) -> None:
        """Take a late answer, if it is one to what was said."""
        if self.store.said.get((late.name, late.party, type(late.said))) == late.said:
            self._apply(*answer_event(late.name, late.party, late.answer)[1:])

    def _carry(self, platform: str) -> None:
        """Write a file for a platform, and another one after a while, as long as anything is owed."""
        owed = self.store.owed(platform)
        if not owed:
            self.carried.discard(platform)
            return
        self.world.later_anyway(self.name, self.pause_ms, lambda: self._carry(platform))
        self.world.point(self.name)
        self.world.carry(platform, Packet("file", owed))
        if not self.rules.carries_again:
            for name, party, _ in owed:
                self.store.outbox.pop((name, party))
        self.world.point(self.name)

    def _start(self, sender: str, body: dict[str, Json], terms: TransferTerms) -> None:
        verdict = self.rules.judge(self.store.answers.get(terms.id), body)
        if isinstance(verdict, Conflict):
            self.world.send(self.name, sender, ("conflict", terms.id, verdict.field))
            return
        if isinstance(verdict, New):
            self.world.point(self.name)
            quoted = Transfer(terms)
            started = self.rules.step(quoted, Start(self.world.now(self.name)))
            answer = (started.transfer.reason or "accepted").encode()
            self.store.transfers[terms.id] = quoted
            self.store.write(terms.id, quoted, started)
            self.store.answers[terms.id] = Kept(verdict.digest, body, answer)
            self.world.point(self.name)
            self._after(terms.id, started)
        self.world.send(self.name, sender, ("answer", terms.id, self.store.answers[terms.id].answer, body))

    def _apply(self, name: str, make: Callable[..., object], *, raced: bool = False) -> None:
        """Read, step, write if nobody else has; then do what is to be done."""
        while True:
            read = self.store.transfers.get(name)
            if read is None:
                return
            wrong_ms = self.world.random.randint(-20_000, 60_000) if raced else 0
            done = self.rules.step(read, make(self.world.now(self.name, wrong_ms)))
            if not raced and self.world.chance(self.world.faults.race):
                self._apply(name, self.world.random.choice((Timer, Decide)), raced=True)
            self.world.point(self.name)
            if self.store.write(name, read, done):
                break
        self.seen[done.code or done.transfer.state] += 1
        self.world.point(self.name)
        self._after(name, done)

    def _after(self, name: str, done: Step) -> None:
        for effect in done.effects:
            match effect:
                case Do(task):
                    self.world.later(
                        self.name, self.world.random.randrange(20), lambda t=task: self._do(name, t)
                    )
                case Send(party):
                    token = self.store.outbox[name, party].token if (name, party) in self.store.outbox else -1
                    self._deliver(name, party, token)
                case Retry(party, at):
                    self._again(name, party, delay=at - self.world.now(self.name))
                case Wake(at):
                    ms = int((at - self.world.now(self.name)) / timedelta(milliseconds=1))
                    self.world.later(self.name, max(0, ms), lambda: self._apply(name, Timer))
                case Alarm():
                    self.world.alarms += 1
        self._end_return(name)

    def _do(self, name: str, task: Task) -> None:
        terms = self.store.transfers[name].terms
        if task is Task.CHECK:
            bad = any(lot.record.startswith("bad") for lot in terms.lots)
            self._apply(name, (lambda now: CheckFailed(now, "lot-not-personal")) if bad else Checked)
        elif task is Task.RESERVE:
            self._reserve(name)
        elif task is Task.DECIDE:
            self._apply(name, Decide)
        else:
            self.start_return(name)

    def _reserve(self, name: str) -> None:
        """Reserve under the lock: nobody comes between what is read and what is written."""
        self.world.point(self.name)
        read = self.store.transfers[name]
        refusal = self.store.refusal(read.terms)
        now = self.world.now(self.name)
        done = self.rules.step(read, ReserveFailed(now, refusal) if refusal else Reserved(now))
        self.store.write(name, read, done, reserve=not refusal)
        self.seen[refusal or "reserved"] += 1
        self.world.point(self.name)
        self._after(name, done)

    def _deliver(self, name: str, party: Party, token: int) -> None:
        row = self.store.outbox.get((name, party))
        if row is None or row.token != token:
            return
        platform = self.store.transfers[name].terms.platform(party)
        if self.store.ways.get(platform) == "file":
            if platform not in self.carried:
                self.carried.add(platform)
                self.world.later_anyway(self.name, self.pause_ms, lambda: self._carry(platform))
            return
        self.store.outbox[name, party] = row._replace(attempts=row.attempts + 1)
        self.world.point(self.name)
        self.world.send(self.name, platform, ("tell", name, party, row.message))
        self.world.point(self.name)
        self.world.later(self.name, ANSWER_MS, lambda: self._unanswered(name, party, token))

    def _unanswered(self, name: str, party: Party, token: int) -> None:
        row = self.store.outbox.get((name, party))
        if row is not None and row.token == token:
            seed = self.world.random.getrandbits(32)
            self._apply(name, lambda now: Unanswered(now, party, row.attempts, seed))

    def _again(self, name: str, party: Party, *, delay: timedelta) -> None:
        row = self.store.outbox.get((name, party))
        if row is not None:
            ms = max(0, int(delay / timedelta(milliseconds=1)))
            self.world.later(self.name, ms, lambda: self._deliver(name, party, row.token))

    def start_return(self, name: str) -> None:
        """Begin to return a transfer in whole: what begins it and the return itself are written together."""
        self.returns += 1
        original = self.store.transfers[name]
        terms = return_terms(original.terms, f"{name}/r{self.returns}", self.world)
        now = self.world.now(self.name)
        done = self.rules.step(original, ReturnStarted(now, terms.id, terms.amounts.recognised_mg))
        if done.outcome is Outcome.TAKEN:
            self.world.point(self.name)
            self.store.transfers[terms.id] = Transfer(terms)
            self.store.write(name, original, done)
            self.world.point(self.name)
            self._apply(terms.id, Start)

    def _end_return(self, name: str) -> None:
        transfer = self.store.transfers[name]
        original = transfer.terms.original
        if (
            original is not None
            and transfer.state in OVER
            and (self.store.transfers[original].returning == name)
        ):
            moved = transfer.state in (TransferState.COMPLETED, TransferState.SETTLED)
            verdict = Verdict.COMMIT if moved else Verdict.ABORT
            self._apply(original, lambda now: ReturnEnded(now, transfer.terms.id, verdict))


def return_terms(original: TransferTerms, name: str, world: World) -> TransferTerms:
    """Return the terms of a return: the original's, the other way round."""
    amounts = original.amounts
    back = Amounts(
        amounts.points_in, amounts.points_out, amounts.recognised_mg, amounts.recognised_mg, 0, Fraction(0)
    )
    return original._replace(
        id=TransferId(name),
        source=original.destination,
        destination=original.source,
        source_account=original.destination_account,
        destination_account=original.source_account,
        quote=QuoteReference(QuoteId(f"qt_{name}"), "", world.now(GATEWAY) + QUOTE_LIFETIME),
        amounts=back,
        original=original.id,
    )


def move_terms(
    name: str, world: World, *, kind: TransferKind, route: tuple[str, str], lots: list[LotUse]
) -> TransferTerms:
    """Return the terms of a transfer of some lots."""
    exact = sum((lot.points_in for lot in lots), Fraction(0))
    points_in = sum(int(lot.points_in) for lot in lots)
    return TransferTerms(
        id=TransferId(name),
        kind=kind,
        source=route[0],
        destination=route[1],
        source_account="resident",
        destination_account="resident",
        person="person",
        agreement="agreement",
        quote=QuoteReference(QuoteId(f"qt_{name}"), "", world.now(GATEWAY) + QUOTE_LIFETIME),
        lots=tuple(lots),
        amounts=Amounts(
            points_out=sum(lot.points for lot in lots),
            points_in=points_in,
            used_mg=sum(lot.used_mg for lot in lots),
            recognised_mg=sum(lot.recognised_mg for lot in lots),
            unrecognised_mg=sum(lot.unrecognised_mg for lot in lots),
            dust=exact - points_in,
        ),
    )


def answer_event(name: str, party: Party, answer: tuple[Any, ...]) -> tuple[str, str, Callable[..., object]]:
    """Turn what a platform answers into the packet by which its event reaches the gateway."""
    source = party is Party.SOURCE
    match answer:
        case ("kept", share, points):
            return "event", name, lambda now: (Held if source else Prepared)(now, share, points)
        case ("refused", code):
            return "event", name, lambda now: (HoldRefused if source else PrepareRefused)(now, code)
        case ("query",):
            return "event", name, lambda now: Queried(now, party)
        case (verdict,):
            return "event", name, lambda now: Acknowledged(now, party, verdict)
    raise Violation(f"no such answer: {answer}")
