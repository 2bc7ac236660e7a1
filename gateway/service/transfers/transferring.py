"""Start and show transfers: what was quoted is checked again, written down, and then on its way."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

import orjson

from gateway.errors import GatewayError, MalformedDocument, NotFound, Refused
from gateway.ledger import Pair, Position
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.shape import Shape
from gateway.model.transfer import QuoteReference, TransferId, TransferKind, TransferTerms, is_id
from gateway.ports import (
    Clock,
    Dialects,
    KnownRequest,
    Ledger,
    LedgerReader,
    LotNote,
    MoveIndex,
    OutboxMessage,
    Platforms,
    Requests,
    Standing,
    TransferStep,
    Way,
)
from gateway.protocol import Checked, CheckFailed, Conflict, Kept, Send, Start, Transfer, judge, step
from gateway.recognition import movable
from gateway.service.each import tried
from gateway.service.submitting.taking import IdempotencyConflict
from gateway.service.transfers.arrivals import Arrivals, Taken, arriving
from gateway.service.transfers.checking import Checking, Passed, Wanted
from gateway.service.transfers.lots import FoundLot
from gateway.service.transfers.moves import Move, MovedLot, change_of, read_move, shown, told_by
from gateway.service.transfers.quoting import Quoting, TransferRefused, quote_of
from gateway.signing import KeyedIndex, KeyRing, SignatureInvalid

__all__ = ["KINDS", "QuoteNotSigned", "Transferring", "positions_shown"]

KINDS: Final = {"PlaceHold": "hold", "PrepareCredit": "credit", "Decision": "decision"}
"""The kinds of messages of the outbox, by the machine's."""
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MEMBERS: Final = {"id", "quote", "source_account", "destination_account"}


class QuoteNotSigned(Refused):
    """What shall move was not quoted by this gateway."""

    code = "quote-not-signed"
    remedy = "send the quote back exactly as it came, or ask for another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferring:
    """What starting transfers needs; joined by ``gateway.app``."""

    quoting: Quoting
    ledger: Ledger
    reader: LedgerReader
    requests: Requests
    index: MoveIndex
    platforms: Platforms
    names: KeyedIndex
    ring: Callable[[], tuple[KeyRing, int]]
    shape: Shape
    clock: Clock
    dialects: Dialects

    def start(self, body: dict[str, Json], *, sender: str = "") -> bytes:
        """Take up what was quoted; the same id gets the same answer, byte for byte, for ever.

        Args:
            body: ``id``, the signed ``quote``, and the person's accounts at both ends.
            sender: the platform that asks, which is the source; empty for the operator.

        Raises:
            MalformedDocument, QuoteNotSigned: it is no such request, or no quote of this gateway.
            NotFound: it is another platform's quote.
            IdempotencyConflict: the id stands for something else.
        """
        (answer,) = self.start_all([body], sender=sender)
        if isinstance(answer, GatewayError):
            raise answer
        return answer

    def start_all(self, bodies: Sequence[dict[str, Json]], *, sender: str = "") -> list[bytes | GatewayError]:
        """Take up several, each for itself; an id may stand among them twice.

        1. the forms, and the quotes' signatures  2. the ids  3. the checks  4. write all down together
        """
        ring, position = self.ring()
        read = partial(self._read, sender=sender, ring=ring, position=position)
        outcomes: list[bytes | Wanted | GatewayError] = [tried(partial(read, body)) for body in bodies]
        wanted = [one for one in outcomes if isinstance(one, Wanted)]
        answers: dict[int, bytes | GatewayError] = {}
        for platform in {one.quote.source for one in wanted}:
            mine = [one for one in wanted if one.quote.source == platform]
            answers |= zip(map(id, mine), self._answers(platform, mine), strict=True)
        return [answers[id(one)] if isinstance(one, Wanted) else one for one in outcomes]

    def show(self, name: str, *, viewer: str = "") -> dict[str, Json]:
        """Return how a transfer stands, to its two platforms and the operator.

        Raises:
            NotFound: there is none, or it is not the viewer's: nobody learns which.
        """
        found = self._found_all([name]).get(name)
        if found is None or (viewer and not told_by(viewer, found)):
            raise NotFound("there is no such transfer")
        return found

    def listed(self, *, viewer: str = "", after: str = "", limit: int = 100) -> list[dict[str, Json]]:
        """Return transfers of a platform, or all, by their ids; fewer than the limit: there are no more.

        The index may know ids of which nothing else was written: a process ended between the two.
        """
        listed: list[dict[str, Json]] = []
        while len(listed) < limit:
            names = self.index.of_platform(viewer, after=after, limit=limit - len(listed))
            if not names:
                break
            found = self._found_all(names)
            listed += [found[name] for name in names if name in found]
            after = names[-1]
        return listed

    def _read(self, body: dict[str, Json], *, sender: str, ring: KeyRing, position: int) -> Wanted:
        name = _read_id(body)
        data = canonical_bytes(body["quote"])
        try:
            quote = quote_of(data, ring, shape=self.shape, position=position, now=_EVER)
        except SignatureInvalid as error:
            raise QuoteNotSigned(str(error), field="/quote") from error
        if sender not in ("", quote.source):
            raise NotFound("there is no such quote")
        return Wanted(TransferId(name), quote, body)

    def _answers(self, platform: str, wanted: Sequence[Wanted]) -> list[bytes | GatewayError]:
        """Return the answers that ids have, for ever from now on."""
        bodies = [(one.id, canonical_bytes(one.body).decode()) for one in wanted]
        known = self.requests.receive(platform, bodies, now=int(self.clock.now().timestamp()))
        standing = list(zip(wanted, known, strict=True))
        new = {one.id: one for one, was in standing if was.standing is not Standing.OTHER and not was.answer}
        begun = self._begin(list(new.values()))
        answers = [(name, answer) for name, answer in begun.items() if isinstance(answer, str)]
        kept = dict(zip((name for name, _ in answers), self.requests.answer(platform, answers), strict=True))

        def outcome(one: Wanted, was: KnownRequest) -> bytes | GatewayError:
            if was.standing is Standing.OTHER:
                return _conflict(one, was)
            failed = begun.get(one.id)
            return failed if isinstance(failed, GatewayError) else (was.answer or kept[one.id]).encode()

        return [outcome(one, was) for one, was in standing]

    def _begin(self, wanted: Sequence[Wanted]) -> dict[str, str | GatewayError]:
        """Check and write transfers, save those that a process began which ended before it answered."""
        found = self._found_all([one.id for one in wanted])
        new = [one for one in wanted if one.id not in found]
        now = self.clock.now()
        checking = Checking(
            quoting=self.quoting,
            platform=self.platforms.platform,
            names=self.names,
            arrivals=Arrivals(self.reader, self.index),
        )
        checked = dict(zip((one.id for one in new), checking.check(new, now=now), strict=True))
        by_file = self.dialects.by(Way.FILE)
        begun: dict[str, str | GatewayError] = {}
        moves: list[tuple[Move, Sequence[Send]]] = []
        for one in new:
            passed = checked[one.id]
            if isinstance(passed, GatewayError) and not isinstance(passed, TransferRefused):
                begun[one.id] = passed  # nothing is known of it: it may be asked for again
            else:
                moves.append(_begun(one, passed, now=now, by_file=by_file))
        found |= self._written(moves, now=now)
        return begun | {one.id: _answer_to(one, found[one.id]) for one in wanted if one.id in found}

    def _written(
        self, moves: Sequence[tuple[Move, Sequence[Send]]], *, now: datetime
    ) -> dict[str, dict[str, Json]]:
        """Write transfers together and return them as shown: as another process has, where it was quicker."""
        terms = [move.transfer.terms for move, _ in moves]
        lots = [note for move, _ in moves for note in _lots_noted(move)]
        self.index.note({one.id: (one.source, one.destination) for one in terms}, lots=lots)
        futures = self.ledger.submit_all([_first_step(*one, now=now) for one in moves])
        mine = {
            move.transfer.terms.id: future.result().done
            for (move, _), future in zip(moves, futures, strict=True)
        }
        made = {move.transfer.terms.id: shown(move) for move, _ in moves}
        return made | self._found_all([name for name, done in mine.items() if not done])

    def _found_all(self, names: Sequence[str]) -> dict[str, dict[str, Json]]:
        rows, decided = self.reader.transfers(names), self.reader.decided(names)
        return {name: shown(read_move(row, decided.get(name))) for name, row in rows.items()}


def positions_shown(positions: Sequence[tuple[Pair, Position]]) -> list[dict[str, Json]]:
    """Return positions as documents: what each platform owes another, and up to what."""
    return [
        {
            "platform": pair.platform,
            "other": pair.other,
            "committed_out_mg": str(position.committed_out),
            "committed_in_mg": str(position.committed_in),
            "reserved_out_mg": str(position.reserved_out),
            "owed_mg": str(position.owed),
            **({} if position.limit is None else {"limit_mg": str(position.limit)}),
        }
        for pair, position in positions
    ]


def _read_id(body: dict[str, Json]) -> str:
    if set(body) != _MEMBERS or not all(isinstance(body[name], str) for name in _MEMBERS - {"quote"}):
        told = "expected id, quote, source_account and destination_account, and nothing else"
        raise MalformedDocument(told, remedy="see docs/reference/transfer.md")
    name = str(body["id"])
    if not is_id(name, "tr"):
        raise MalformedDocument(
            "an id is `tr_` and 26 characters of Crockford's base 32", field="/id", remedy="make a new id"
        )
    return name


def _conflict(wanted: Wanted, known: KnownRequest) -> IdempotencyConflict:
    before = orjson.loads(known.body) if known.body else None
    verdict = judge(Kept("", before, b""), wanted.body)
    field = verdict.field if isinstance(verdict, Conflict) else ""
    return IdempotencyConflict(f"{wanted.id} was sent with another {field or 'body'}", field=field)


def _begun(
    wanted: Wanted, passed: Passed | TransferRefused, *, now: datetime, by_file: Collection[str]
) -> tuple[Move, Sequence[Send]]:
    """Return a new transfer, and what its platforms are sent."""
    found = Passed((), (), b"", "") if isinstance(passed, TransferRefused) else passed
    done = step(Transfer(_terms(wanted, person=found.person, by_file=by_file)), Start(now))
    if done.transfer.deadline is not None:
        failed = passed.code if isinstance(passed, TransferRefused) else ""
        done = step(done.transfer, CheckFailed(now, failed) if failed else Checked(now))
    move = Move(done.transfer, wanted.quote, tuple(map(_moved_lot, found.lots, found.taken)), found.unit_in)
    return move, [one for one in done.effects if isinstance(one, Send)]


def _first_step(move: Move, sent: Sequence[Send], *, now: datetime) -> TransferStep:
    terms, at = move.transfer.terms, int(now.timestamp())
    messages = tuple(
        OutboxMessage(terms.platform(one.party), KINDS[type(one.message).__name__]) for one in sent
    )
    change = change_of(move, move.transfer, now=at)._replace(messages=messages)
    return TransferStep(terms.id, 0, at, change)


def _answer_to(wanted: Wanted, document: dict[str, Json]) -> str | GatewayError:
    """Return the answer that is kept for ever: what was taken up, or why it was not."""
    if document["quote"] != wanted.quote.id:
        return IdempotencyConflict(f"{wanted.id} is another transfer", field="/id")
    refused = document["state"] == "aborted"
    answer: dict[str, Json] = {
        "id": document["id"],
        "quote": {"id": document["quote"], "digest": digest(canonical_bytes(wanted.body["quote"]))},
        "accepted": not refused,
        "points_out": document["points_out"],
        "points_in": document["points_in"],
    }
    if refused:
        answer["reason"] = document["reason"]
    return canonical_bytes(answer).decode()


def _terms(wanted: Wanted, *, person: bytes, by_file: Collection[str]) -> TransferTerms:
    quote, body = wanted.quote, wanted.body
    travels = quote.source in by_file or quote.destination in by_file
    return TransferTerms(
        id=wanted.id,
        kind=TransferKind.FILE if travels else TransferKind.INTERACTIVE,
        source=quote.source,
        destination=quote.destination,
        source_account=str(body["source_account"]),
        destination_account=str(body["destination_account"]),
        person=person.hex(),
        agreement=quote.agreement,
        quote=QuoteReference(quote.id, digest(canonical_bytes(body["quote"])), quote.expires),
        lots=tuple(lot.use for lot in quote.lots),
        amounts=quote.amounts,
    )


def _lots_noted(move: Move) -> Iterator[LotNote]:
    """Yield by which lots its person finds a transfer: arrived ones it takes of, and those it brings."""
    terms = move.transfer.terms
    for lot in move.quote.lots if terms.person else ():
        for name in (lot.lot, arriving(move, lot)):
            if name:
                yield LotNote(terms.person, name, terms.id)


def _moved_lot(one: FoundLot, taken: Taken) -> MovedLot:
    value = one.lot.value
    last = one.lot.expires
    return MovedLot(
        event="" if taken else one.row.event or "",
        unit=one.unit,
        co2e_mg=value.co2e_mg,
        movable_mg=int(movable(value)),
        points=value.points,
        expires="" if last is None else last.isoformat(),
        arrived=taken,
    )
