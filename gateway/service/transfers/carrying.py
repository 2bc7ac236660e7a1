"""Carry transfers out: take steps of the machine in the books, and do what they ask for.

Several processes may share the work. A step is written only if nobody has written one since it was read;
messages are taken from the outbox by one at a time, and sending one twice does no harm.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from gateway.ledger import Cap, Decision, Kind, Limit, Pair, Reservation, Verdict
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
from gateway.service.agreements.book import AgreementBook
from gateway.service.transfers.moves import Move, change_of, parts_of, read_move
from gateway.service.transfers.telling import decision_envelope, message_of, party_of
from gateway.service.transfers.transferring import KINDS
from gateway.signing import Signer

__all__ = ["Carrier", "Heard", "Make", "Owed", "Seen", "event_of"]

LOOKED_AFTER: Final = 200  # transfers whose time has come, at once

_AMBIGUOUS = frozenset({"idempotency-conflict", "transfer-taken"})
"""Refusals of a message that leave open whether something was taken under its id."""
_logger = logging.getLogger(__name__)


Make = Callable[[datetime], object]
"""Makes an event of the machine, as it is now."""


class Seen(NamedTuple):
    """A transfer as it stood, with its version and what was decided about it."""

    version: int
    move: Move
    decision: Decision | None


class Owed(NamedTuple):
    """A message of the outbox as it is to be sent, and the transfer that it was made from."""

    task: OutboxTask
    message: PlatformMessage
    seen: Seen


class Heard(NamedTuple):
    """What became of a message of the outbox."""

    owed: Owed
    outcome: PlatformOutcome


class _Way(NamedTuple):
    """Steps of one transfer with all their effects, and how they are written; None: nothing changes."""

    done: tuple[Step, ...]
    effects: tuple[Effect, ...]
    step: TransferStep | None


class _Written(NamedTuple):
    """The transfers whose ways were written, and whose can not be."""

    done: set[str]
    broken: set[str]


@dataclass(slots=True)
class _Rules:
    """What was looked up for the transfers that are written together."""

    agreements: dict[Corridor, Agreement | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """Takes steps; joined by ``gateway.app``.

    ``day_keys`` names what day limits count; ``central_day_mg`` is the one that no agreement sets.
    """

    ledger: Ledger
    reader: LedgerReader
    outbox: Outbox
    index: MoveIndex
    agreements: AgreementBook
    day_keys: Callable[[bytes, Corridor, datetime], dict[str, str]]
    central_day_mg: int | None
    signers: Sequence[Signer]
    clock: Clock
    below: Callable[[int], int]

    def read_all(self, names: Collection[str]) -> dict[str, Seen]:
        """Return transfers as they stand, by id."""
        rows, decided = self.reader.transfers(names), self.reader.decided(names)
        return {
            name: Seen(row.version, read_move(row, decided.get(name)), decided.get(name))
            for name, row in rows.items()
        }

    def happen(self, name: str, make: Make) -> Step | None:
        """Have something happen to a transfer: step, write if nobody else has, do what is to be done."""
        return self.happen_all([(name, make)])[0]

    def happen_all(
        self, events: Sequence[tuple[str, Make]], *, seen: Mapping[str, Seen] = MappingProxyType({})
    ) -> list[Step | None]:
        """Have something happen to several transfers, written in one transaction.

        What happens to one transfer is written as one step, up to where this gateway has to do something. A
        step that somebody else was quicker with is taken anew. None: there is no such transfer, or its step
        cannot be written, of which others take no harm.

        Args:
            events: what happens to which transfer.
            seen: transfers that were read a while ago, with their versions: a later one is noticed.
        """
        done: list[Step | None] = [None] * len(events)
        left, known = list(range(len(events))), dict(seen)
        while left:
            theirs: dict[str, list[int]] = {}
            for number in left:
                theirs.setdefault(events[number][0], []).append(number)
            known |= self.read_all(theirs.keys() - known.keys())
            rules = _Rules()
            ways = {
                name: self._way(known[name], makes=[events[number][1] for number in numbers], rules=rules)
                for name, numbers in theirs.items()
                if name in known
            }
            written, over = self._write_all(ways), set[int]()
            for name in written.done | written.broken:
                taken = theirs[name][: len(ways[name].done)]
                over.update(taken)
                if name in written.done:
                    for number, one in zip(taken, ways[name].done, strict=True):
                        done[number] = one
            left = [number for number in left if number not in over and events[number][0] in ways]
            known.clear()
        return done

    def look_after(self, *, limit: int = LOOKED_AFTER) -> int:
        """Do what is due by time; returns how many transfers there were."""
        due = self.reader.due(now=int(self.clock.now().timestamp()), limit=limit)
        self.happen_all([(row.id, Timer) for row in due])
        return len(due)

    def owed(self, tasks: Sequence[OutboxTask]) -> list[Owed]:
        """Return what is to be sent for messages of the outbox; nothing for one that is not owed any more."""
        found = self.read_all({task.transfer for task in tasks})
        deciding = {task.transfer for task in tasks if task.message.kind == "decision"} & found.keys()
        envelopes = {  # each is signed once, for both platforms
            name: decision_envelope(found[name].move, decision, signers=self.signers)
            for name in deciding
            if (decision := found[name].decision) is not None
        }
        made: list[Owed] = []
        for task in tasks:
            seen = found.get(task.transfer)
            if seen is not None:
                message = message_of(seen.move, task.message, envelope=envelopes.get(task.transfer))
                if message is not None:
                    made.append(Owed(task, message, seen))
        return made

    def heard(self, heard: Sequence[Heard]) -> None:
        """Take up what became of messages; what is not answered is sent again later."""
        seen = {one.owed.task.transfer: one.owed.seen for one in heard}
        events = [(one.owed.task.transfer, self._event(one)) for one in heard]
        over: list[OutboxTask] = []
        for one, done in zip(heard, self.happen_all(events, seen=seen), strict=True):
            if done is None:
                continue  # it is sent again, when its lease is over
            again = [effect.at for effect in done.effects if isinstance(effect, Retry)]
            if again:
                self.outbox.put_off(one.owed.task, due=-int(-again[0].timestamp() // 1))
            else:
                over.append(one.owed.task)
        if over:
            self.outbox.end(over)

    def _event(self, heard: Heard) -> Make:
        """Return what an outcome means for its transfer."""
        task, message, seen = heard.owed
        move = seen.move
        make = event_of(task.message, message.key, move=move, outcome=heard.outcome)
        if make is not None:
            return make
        party, seed = party_of(move, task.message.platform), self.below(1 << 31)
        return lambda now: Unanswered(now, party, task.attempts, seed)

    def _write_all(self, ways: Mapping[str, "_Way"]) -> "_Written":
        """Write what is to be written, together; one that cannot be written keeps no other."""
        written = {name: way.step for name, way in ways.items() if way.step is not None}
        futures = self.ledger.submit_all(list(written.values()))
        done, broken = set(ways), dict[str, BaseException]()
        for name, future in zip(written, futures, strict=True):
            error = future.exception()
            if error is not None:
                broken[name] = error
            if error is not None or not future.result().done:
                done.remove(name)
        if broken and len(broken) == len(futures):
            raise next(iter(broken.values()))
        for name, error in broken.items():
            _logger.error("a step cannot be written", exc_info=error, extra={"transfer": name})
        for name in done:
            self._call_persons(name, ways[name])
        return _Written(done, set(broken))

    def _call_persons(self, name: str, way: "_Way") -> None:
        for effect in way.effects:
            if isinstance(effect, Alarm):
                _logger.error("transfer needs a person: %s", effect.code, extra={"transfer": name})

    def _way(self, seen: Seen, *, makes: Sequence[Make], rules: "_Rules") -> "_Way":
        """Take steps until one asks this gateway for something, and at once that; all are one of the books.

        So nothing is lost between them, and what platforms answer together costs one transaction.
        """
        now, move = self.clock.now(), seen.move
        steps, asked = _steps(move.transfer, [make(now) for make in makes])
        then, command, otherwise = steps[-1], None, None
        if asked is Task.RESERVE:
            then, command, otherwise = self._reserved(move._replace(transfer=then.transfer), rules=rules)
        elif asked is Task.DECIDE:
            then = step(then.transfer, Decide(now))
        taken = steps if asked is None else (*steps, then)
        effects = tuple(effect for one in taken for effect in one.effects)
        messages = _messages(then.transfer, effects)
        if all(one.outcome is not Outcome.TAKEN for one in taken) and not messages:
            return _Way(steps, effects, None)
        made = then.transfer.decision if move.transfer.decision is None else None
        settled = None if made is None else Settle(Verdict(made.verdict), made.reason)
        at = int(now.timestamp())
        change = change_of(move, then.transfer, now=at)._replace(messages=messages)
        name = move.transfer.terms.id
        return _Way(
            steps, effects, TransferStep(name, seen.version, at, change, command or settled, otherwise)
        )

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
            agreement, pauses = self.agreements.standing(*corridor, now=now)
            rules.agreements[corridor] = agreement
            if agreement is not None:
                self._limit(agreement, paused=bool(pauses))
        agreement = rules.agreements[corridor]
        if agreement is None or agreement.digest != terms.agreement:
            return TransferRefusal.AGREEMENT_NOT_IN_FORCE, None
        caps = agreement.caps
        keys = self.day_keys(bytes.fromhex(terms.person), corridor, now)
        amounts = (caps.person_mg, caps.corridor_mg, caps.platform_mg, self.central_day_mg)
        limits = zip(keys.items(), amounts, strict=True)
        return "", Reservation(
            terms.id,
            Kind.MOVE,
            terms.source,
            terms.destination,
            move.unit_in,
            today.toordinal(),
            parts_of(move),
            tuple(Cap(code, key, limit) for (code, key), limit in limits if limit is not None),
        )

    def _limit(self, agreement: Agreement, *, paused: bool) -> None:
        """Have the books know what the agreement in force and its pauses say."""
        wanted = Limit(Pair(*agreement.corridor), agreement.net_debit_cap_mg, agreement.cover_mg, paused)
        known = self.index.position(wanted.pair)
        if known is None or (known.cap, known.cover, known.paused) != wanted[1:]:
            self.ledger.limit(wanted)


def _steps(transfer: Transfer, events: Sequence[object]) -> tuple[tuple[Step, ...], Task | None]:
    """Return the steps up to the first that asks this gateway for something, and what it asks for."""
    taken: list[Step] = []
    for event in events:
        taken.append(step(transfer, event))
        transfer = taken[-1].transfer
        for task in (Task.RESERVE, Task.DECIDE):
            if Do(task) in taken[-1].effects:
                return tuple(taken), task
    return tuple(taken), None


def event_of(sent: OutboxMessage, key: str, *, move: Move, outcome: PlatformOutcome) -> Make | None:
    """Return what an outcome means; None where it means nothing: the message is sent again."""
    amounts, kind = move.transfer.terms.amounts, sent.kind
    if isinstance(outcome, Answered):
        if kind == "hold":
            return lambda now: Held(now, HoldId(key), amounts.points_out)
        if kind == "credit":
            return lambda now: Prepared(now, CreditId(key), amounts.points_in)
        verdict = Told.ABORT if move.transfer.decision is None else move.transfer.decision.verdict
        return lambda now: Acknowledged(now, party_of(move, sent.platform), verdict)
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
