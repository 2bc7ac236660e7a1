"""Carry transfers out: take steps of the machine in the books, and do what they ask for.

Several processes may share the work. A step is written only if nobody has written one since it was read;
messages are taken from the outbox by one at a time, and sending one twice does no harm.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from gateway.ledger import Cap, Kind, Limit, Pair, Reservation, Verdict
from gateway.model.transfer import CreditId, HoldId, TransferRefusal
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
    TransferChange,
    TransferStep,
)
from gateway.ports import Decide as Settle
from gateway.protocol import (
    Acknowledged,
    Alarm,
    Decide,
    Do,
    Effect,
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
    Transfer,
    Unanswered,
    step,
)
from gateway.recognition import Agreement, day_of
from gateway.service.agreement_book import AgreementBook
from gateway.service.moves import Move, change_of, parts_of, read_move
from gateway.service.telling import message_of, party_of
from gateway.service.transferring import KINDS
from gateway.signing import Signer

__all__ = ["Carrier", "Heard"]

LOOKED_AFTER: Final = 200  # transfers whose time has come, at once

_AMBIGUOUS = frozenset({"idempotency-conflict", "transfer-taken"})
"""Refusals of a message that leave open whether something was taken under its id."""
_logger = logging.getLogger(__name__)


Make = Callable[[datetime], object]
"""Makes an event of the machine, as it is now."""


class Heard(NamedTuple):
    """What became of a message of the outbox."""

    task: OutboxTask
    sent: PlatformMessage
    outcome: PlatformOutcome


class _Way(NamedTuple):
    """A step with all its effects, and how it is written; None: nothing changes."""

    done: Step
    effects: tuple[Effect, ...]
    step: TransferStep | None


class _Written(NamedTuple):
    """Which ways were written, and which can not be."""

    done: set[int]
    broken: set[int]


@dataclass(slots=True)
class _Rules:
    """What was looked up for the transfers that are written together."""

    agreements: dict[Corridor, Agreement | None] = field(default_factory=dict)


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
        return self.read_all([name]).get(name)

    def read_all(self, names: Collection[str]) -> dict[str, tuple[int, Move]]:
        """Return transfers with their versions, by id."""
        rows, decided = self.reader.transfers(names), self.reader.decided(names)
        return {name: (row.version, read_move(row, decided.get(name))) for name, row in rows.items()}

    def happen(self, name: str, make: Make) -> Step | None:
        """Have something happen to a transfer: step, write if nobody else has, do what is to be done."""
        return self.happen_all([(name, make)])[0]

    def happen_all(self, events: Sequence[tuple[str, Make]]) -> list[Step | None]:
        """Have something happen to several transfers, written in one transaction.

        Of one transfer one thing happens at a time. A step that somebody else was quicker with is taken anew.
        None: there is no such transfer, or its step cannot be written, of which others take no harm.
        """
        done: list[Step | None] = [None] * len(events)
        left = list(range(len(events)))
        while left:
            first: dict[str, int] = {}
            for number in left:
                first.setdefault(events[number][0], number)
            found, rules = self.read_all(first), _Rules()
            ways = {
                first[name]: self._way(version, move, make=events[first[name]][1], rules=rules)
                for name, (version, move) in found.items()
            }
            written = self._write_all(ways)
            for number in written.done:
                done[number] = ways[number].done
            absent = {number for name, number in first.items() if name not in found}
            over = written.done | written.broken | absent
            left = [number for number in left if number not in over]
        return done

    def look_after(self, *, limit: int = LOOKED_AFTER) -> int:
        """Do what is due by time; returns how many transfers there were."""
        due = self.reader.due(now=int(self.clock.now().timestamp()), limit=limit)
        self.happen_all([(row.id, Timer) for row in due])
        return len(due)

    def message(self, task: OutboxTask) -> PlatformMessage | None:
        """Return what is to be sent for a message of the outbox; None where it is not owed any more."""
        return self.messages([task])[0]

    def messages(self, tasks: Sequence[OutboxTask]) -> list[PlatformMessage | None]:
        """Return what is to be sent for messages of the outbox, in their order."""
        names = {task.transfer for task in tasks}
        found, decided = self.read_all(names), self.reader.decided(names)
        return [
            message_of(
                found[task.transfer][1],
                task.message,
                decision=decided.get(task.transfer),
                signers=self.signers,
            )
            if task.transfer in found
            else None
            for task in tasks
        ]

    def heard(self, task: OutboxTask, sent: PlatformMessage, *, outcome: PlatformOutcome) -> None:
        """Take up what became of a message; what is not answered is sent again later."""
        self.heard_all([Heard(task, sent, outcome)])

    def heard_all(self, heard: Sequence[Heard]) -> None:
        """Take up what became of several messages."""
        found = self.read_all({one.task.transfer for one in heard})
        known = [one for one in heard if one.task.transfer in found]
        events = [self._event(one, found[one.task.transfer][1]) for one in known]
        steps = self.happen_all([(one.task.transfer, make) for one, make in zip(known, events, strict=True)])
        over: list[OutboxTask] = []
        for one, done in zip(known, steps, strict=True):
            if done is None:
                continue  # it is sent again, when its lease is over
            again = [effect.at for effect in done.effects if isinstance(effect, Retry)]
            if again:
                self.outbox.put_off(one.task, due=-int(-again[0].timestamp() // 1))
            else:
                over.append(one.task)
        if over:
            self.outbox.end(over)

    def _event(self, heard: Heard, move: Move) -> Make:
        """Return what an outcome means for its transfer."""
        make = _event(heard.task, heard.sent, move=move, outcome=heard.outcome)
        if make is not None:
            return make
        party, seed = party_of(move, heard.task.message.platform), self.below(1 << 31)
        return lambda now: Unanswered(now, party, heard.task.attempts, seed)

    def _write_all(self, ways: Mapping[int, "_Way"]) -> "_Written":
        """Write what is to be written, together; one that cannot be written keeps no other."""
        written = {number: way.step for number, way in ways.items() if way.step is not None}
        futures = self.ledger.submit_all(list(written.values()))
        done, broken = set(ways), dict[int, BaseException]()
        for number, future in zip(written, futures, strict=True):
            error = future.exception()
            if error is not None:
                broken[number] = error
            if error is not None or not future.result().done:
                done.remove(number)
        if broken and len(broken) == len(futures):
            raise next(iter(broken.values()))
        for number, error in broken.items():
            name = ways[number].done.transfer.terms.id
            _logger.error("a step cannot be written", exc_info=error, extra={"transfer": name})
        for number in done:
            self._call_persons(ways[number])
        return _Written(done, set(broken))

    def _call_persons(self, way: "_Way") -> None:
        for effect in way.effects:
            if isinstance(effect, Alarm):
                name = way.done.transfer.terms.id
                _logger.error("transfer needs a person: %s", effect.code, extra={"transfer": name})

    def _way(self, version: int, move: Move, *, make: Make, rules: "_Rules") -> "_Way":
        """Take a step, and at once what it asks this gateway for; both are one step of the books.

        So nothing is lost between them, and a platform's answer costs one transaction.
        """
        now = self.clock.now()
        done = step(move.transfer, make(now))
        then, command, otherwise = done, None, None
        if Do(Task.RESERVE) in done.effects:
            then, command, otherwise = self._reserved(move._replace(transfer=done.transfer), rules=rules)
        elif Do(Task.DECIDE) in done.effects:
            then = step(done.transfer, Decide(now))
        effects = done.effects if then is done else (*done.effects, *then.effects)
        messages = _messages(then.transfer, effects)
        if Outcome.TAKEN not in (done.outcome, then.outcome) and not messages:
            return _Way(done, effects, None)
        made = then.transfer.decision if move.transfer.decision is None else None
        settled = None if made is None else Settle(Verdict(made.verdict), made.reason)
        at = int(now.timestamp())
        change = change_of(move, then.transfer, now=at)._replace(messages=messages)
        taken = TransferStep(move.transfer.terms.id, version, at, change, command or settled, otherwise)
        return _Way(done, effects, taken)

    def _reserved(
        self, move: Move, *, rules: "_Rules"
    ) -> tuple[Step, Reservation | None, TransferChange | None]:
        """Reserve lots, limits and position; the books refuse or accept in the transaction of the step."""
        now = self.clock.now()
        if move.transfer.overdue(now):
            return step(move.transfer, Timer(now)), None, None
        refused, reservation = self._reservation(move, now=now, rules=rules)
        if reservation is None:
            return step(move.transfer, ReserveFailed(now, refused)), None, None
        aborted = step(move.transfer, ReserveFailed(now, TransferRefusal.LOT_SPENT))
        messages = _messages(aborted.transfer, aborted.effects)
        otherwise = change_of(move, aborted.transfer, now=int(now.timestamp()))._replace(messages=messages)
        return step(move.transfer, Reserved(now)), reservation, otherwise

    def _reservation(self, move: Move, *, now: datetime, rules: "_Rules") -> tuple[str, Reservation | None]:
        """Return what is to be reserved, or why it cannot be."""
        terms = move.transfer.terms
        corridor, today = Corridor(terms.source, terms.destination), day_of(now)
        if corridor not in rules.agreements:
            agreement = rules.agreements[corridor] = self.agreements.in_force(*corridor, now=now)
            if agreement is not None:
                self._limit(agreement, paused=bool(self.agreements.pauses(*corridor, now=now)))
        agreement = rules.agreements[corridor]
        if agreement is None or agreement.digest != terms.agreement:
            return TransferRefusal.AGREEMENT_NOT_IN_FORCE, None
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


def _messages(transfer: Transfer, effects: Sequence[Effect]) -> tuple[OutboxMessage, ...]:
    return tuple(
        OutboxMessage(transfer.terms.platform(one.party), KINDS[type(one.message).__name__])
        for one in effects
        if isinstance(one, Send)
    )
