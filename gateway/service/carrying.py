"""Carry transfers out: take steps of the machine in the books, and do what they ask for.

Several processes may share the work. A step is written only if nobody has written one since it was read;
messages are taken from the outbox by one at a time, and sending one twice does no harm.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.ledger import Cap, Kind, Limit, Pair, Reservation, Verdict
from gateway.model.transfer import CreditId, HoldId, TransferRefusal, TransferState
from gateway.model.transfer import Verdict as Told
from gateway.ports import (
    Answered,
    Clock,
    Corridor,
    Declined,
    Ledger,
    LedgerReader,
    MoveIndex,
    Outbox,
    OutboxMessage,
    OutboxTask,
    PlatformMessage,
    PlatformOutcome,
    TransferStep,
)
from gateway.ports import Decide as Settle
from gateway.protocol import (
    Acknowledged,
    Alarm,
    Decide,
    Do,
    Held,
    HoldRefused,
    Outcome,
    Prepared,
    PrepareRefused,
    Reserved,
    ReserveFailed,
    Retry,
    Send,
    Step,
    Task,
    Timer,
    Unanswered,
    step,
)
from gateway.recognition import Agreement, day_of
from gateway.service.agreement_book import AgreementBook
from gateway.service.moves import Move, change_of, parts_of, read_move
from gateway.service.telling import message_of, party_of
from gateway.service.transferring import KINDS
from gateway.signing import Signer

__all__ = ["Carrier"]

_AMBIGUOUS = frozenset({"idempotency-conflict", "transfer-taken"})
"""Refusals of a message that leave open whether something was taken under its id."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """Takes steps; joined by ``gateway.app``. ``day_keys`` names what day limits count."""

    ledger: Ledger
    reader: LedgerReader
    outbox: Outbox
    index: MoveIndex
    agreements: AgreementBook
    day_keys: Callable[[bytes, Corridor, datetime], dict[str, str]]
    signers: Sequence[Signer]
    clock: Clock
    below: Callable[[int], int]

    def read(self, name: str) -> tuple[int, Move] | None:
        """Return a transfer with its version."""
        row = self.reader.transfer(name)
        return None if row is None else (row.version, read_move(row, self.reader.decision(name)))

    def happen(self, name: str, make: Callable[[datetime], object]) -> Step | None:
        """Have something happen to a transfer: step, write if nobody else has, do what is to be done."""
        while (found := self.read(name)) is not None:
            version, move = found
            done = step(move.transfer, make(self.clock.now()))
            if self._write(version, move, done=done):
                self._follow(name, done)
                return done
        return None

    def look_after(self, *, limit: int = 100) -> int:
        """Do what is due by time; returns how many transfers there were."""
        due = self.reader.due(now=int(self.clock.now().timestamp()), limit=limit)
        for row in due:
            self.happen(row.id, Timer)
        return len(due)

    def message(self, task: OutboxTask) -> PlatformMessage | None:
        """Return what is to be sent for a message of the outbox; None where it is not owed any more."""
        found = self.read(task.transfer)
        if found is None:
            return None
        decision = self.reader.decision(task.transfer)
        return message_of(found[1], task.message, decision=decision, signers=self.signers)

    def heard(self, task: OutboxTask, sent: PlatformMessage, *, outcome: PlatformOutcome) -> None:
        """Take up what became of a message; what is not answered is sent again later."""
        found = self.read(task.transfer)
        if found is None:
            return
        make = _event(task, sent, move=found[1], outcome=outcome)
        if make is not None:
            self.happen(task.transfer, make)
            self.outbox.end([task])
            return
        party, seed = party_of(found[1], task.message.platform), self.below(1 << 31)
        done = self.happen(task.transfer, lambda now: Unanswered(now, party, task.attempts, seed))
        again = [one.at for one in done.effects if isinstance(one, Retry)] if done else []
        if again:
            self.outbox.put_off(task, due=-int(-again[0].timestamp() // 1))
        else:
            self.outbox.end([task])

    def _follow(self, name: str, done: Step) -> None:
        for effect in done.effects:
            if isinstance(effect, Alarm):
                _logger.error("transfer needs a person: %s", effect.code, extra={"transfer": name})
            elif effect == Do(Task.RESERVE):
                self._reserve(name)
            elif effect == Do(Task.DECIDE):
                self.happen(name, Decide)

    def _write(self, version: int, move: Move, *, done: Step) -> bool:
        """Write a step with all that belongs to it in one transaction; False where another came before."""
        sent = [one for one in done.effects if isinstance(one, Send)]
        if done.outcome is not Outcome.TAKEN and not sent:
            return True
        made = done.transfer.decision if move.transfer.decision is None else None
        command = None if made is None else Settle(Verdict(made.verdict), made.reason)
        return self.ledger.submit(self._step(version, move, done=done, command=command)).result().done

    def _step(
        self, version: int, move: Move, *, done: Step, command: Settle | Reservation | None
    ) -> TransferStep:
        now = int(self.clock.now().timestamp())
        change = change_of(move, done.transfer, now=now)._replace(messages=_messages(done))
        return TransferStep(move.transfer.terms.id, version, now, change, command)

    def _reserve(self, name: str) -> None:
        """Reserve lots, limits and position; the books refuse or accept in the transaction of the step."""
        found = self.read(name)
        if found is None or found[1].transfer.state is not TransferState.HELD:
            return
        version, move = found
        now = self.clock.now()
        refused, reservation = self._reservation(move, now=now)
        if reservation is None or move.transfer.overdue(now):
            self.happen(name, (lambda now: ReserveFailed(now, refused)) if refused else Timer)
            return
        done = step(move.transfer, Reserved(now))
        otherwise = step(move.transfer, ReserveFailed(now, TransferRefusal.LOT_SPENT))
        made = self._step(version, move, done=done, command=reservation)
        other = self._step(version, move, done=otherwise, command=None).change
        self.ledger.submit(made._replace(otherwise=other)).result()

    def _reservation(self, move: Move, *, now: datetime) -> tuple[str, Reservation | None]:
        """Return what is to be reserved, or why it cannot be."""
        terms = move.transfer.terms
        corridor, today = Corridor(terms.source, terms.destination), day_of(now)
        agreement = self.agreements.in_force(*corridor, now=now)
        if agreement is None or agreement.digest != terms.agreement:
            return TransferRefusal.AGREEMENT_NOT_IN_FORCE, None
        self._limit(agreement, paused=bool(self.agreements.pauses(*corridor, now=now)))
        caps = agreement.caps
        keys = self.day_keys(bytes.fromhex(terms.person), corridor, now)
        limits = zip(keys.items(), (caps.person_mg, caps.corridor_mg, caps.platform_mg), strict=True)
        return "", Reservation(
            terms.id,
            Kind.MOVE,
            terms.source,
            terms.destination,
            move.unit_in,
            today.toordinal(),
            parts_of(move),
            tuple(Cap(code, key, limit) for (code, key), limit in limits),
        )

    def _limit(self, agreement: Agreement, *, paused: bool) -> None:
        """Have the books know what the agreement in force and its pauses say."""
        wanted = Limit(Pair(*agreement.corridor), agreement.net_debit_cap_mg, agreement.cover_mg, paused)
        known = self.index.position(wanted.pair)
        if known is None or (known.cap, known.cover, known.paused) != wanted[1:]:
            self.ledger.limit(wanted)


def _event(
    task: OutboxTask, sent: PlatformMessage, *, move: Move, outcome: PlatformOutcome
) -> Callable[[datetime], object] | None:
    """Return what an outcome means; None where it means nothing: the message is sent again."""
    amounts, kind = move.transfer.terms.amounts, task.message.kind
    if isinstance(outcome, Answered):
        if kind == "hold":
            return lambda now: Held(now, HoldId(sent.key), amounts.points_out)
        if kind == "credit":
            return lambda now: Prepared(now, CreditId(sent.key), amounts.points_in)
        verdict = Told.ABORT if move.transfer.decision is None else move.transfer.decision.verdict
        return lambda now: Acknowledged(now, party_of(move, task.message.platform), verdict)
    if isinstance(outcome, Declined) and kind != "decision" and outcome.code not in _AMBIGUOUS:
        refused = HoldRefused if kind == "hold" else PrepareRefused
        return lambda now: refused(now, outcome.code)
    return None


def _messages(done: Step) -> tuple[OutboxMessage, ...]:
    terms = done.transfer.terms
    return tuple(
        OutboxMessage(terms.platform(one.party), KINDS[type(one.message).__name__])
        for one in done.effects
        if isinstance(one, Send)
    )
