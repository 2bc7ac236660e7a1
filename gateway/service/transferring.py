"""Start and show transfers: what was quoted is checked again, written down, and then on its way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from gateway.errors import MalformedDocument, NotFound
from gateway.ledger import Pair, Position
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.quote import Quote
from gateway.model.shape import Shape
from gateway.model.transfer import (
    QuoteReference,
    TransferId,
    TransferKind,
    TransferRefusal,
    TransferTerms,
    is_id,
)
from gateway.ports import (
    Clock,
    Corridor,
    Ledger,
    LedgerReader,
    MoveIndex,
    OutboxMessage,
    Platforms,
    Requests,
    Standing,
    TransferStep,
)
from gateway.protocol import Checked, CheckFailed, Conflict, Kept, Send, Start, Transfer, judge, step
from gateway.recognition import Failure, Wish, day_of, failures, movable
from gateway.service.arrivals import Arrivals, arriving
from gateway.service.lots import FoundLot
from gateway.service.moves import Move, MovedLot, change_of, read_move, shown, told_by
from gateway.service.quoting import (
    Quoting,
    TransferRefused,
    agreement_of_corridor,
    quote_of,
    quoted_lot,
    subject_of,
)
from gateway.service.submitting import IdempotencyConflict
from gateway.signing import KeyedIndex, KeyRing

__all__ = ["KINDS", "Transferring", "positions_shown"]

KINDS: Final = {"PlaceHold": "hold", "PrepareCredit": "credit", "Decision": "decision"}
"""The kinds of messages of the outbox, by the machine's."""
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MEMBERS: Final = {"id", "quote", "source_account", "destination_account"}


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

    def start(self, body: dict[str, Json], *, sender: str = "") -> bytes:
        """Take up what was quoted; the same id gets the same answer, byte for byte, for ever.

        1. the form  2. the quote's signature  3. the id  4. the checks  5. write it down

        Args:
            body: ``id``, the signed ``quote``, and the person's accounts at both ends.
            sender: the platform that asks, which is the source; empty for the operator.

        Raises:
            MalformedDocument, SignatureInvalid: it is no such request, or no quote of this gateway.
            NotFound: it is another platform's quote.
            IdempotencyConflict: the id stands for something else.
        """
        name = _read_id(body)
        ring, position = self.ring()
        data = canonical_bytes(body["quote"])
        quote = quote_of(data, ring, shape=self.shape, position=position, now=_EVER)
        if sender not in ("", quote.source):
            raise NotFound("there is no such quote")
        answer = self._known(name, body, platform=quote.source)
        if answer:
            return answer.encode()
        made = self._begin(TransferId(name), quote, body=body)
        return self.requests.answer(quote.source, [(name, made)])[0].encode()

    def show(self, name: str, *, viewer: str = "") -> dict[str, Json]:
        """Return how a transfer stands, to its two platforms and the operator.

        Raises:
            NotFound: there is none, or it is not the viewer's: nobody learns which.
        """
        found = self._found(name)
        if found is None or (viewer and not told_by(viewer, found)):
            raise NotFound("there is no such transfer")
        return found

    def listed(self, *, viewer: str = "", after: str = "", limit: int = 100) -> list[dict[str, Json]]:
        """Return transfers of a platform, or all, by their ids."""
        names = self.index.of_platform(viewer, after=after, limit=limit)
        return [found for found in map(self._found, names) if found is not None]

    def _found(self, name: str) -> dict[str, Json] | None:
        row = self.reader.transfer(name)
        return None if row is None else shown(read_move(row, self.reader.decision(name)))

    def _known(self, name: str, body: dict[str, Json], *, platform: str) -> str:
        """Return the answer that an id has, empty if there is none yet."""
        now = int(self.clock.now().timestamp())
        (known,) = self.requests.receive(platform, [(name, canonical_bytes(body).decode())], now=now)
        if known.standing is Standing.OTHER:
            before = orjson.loads(known.body) if known.body else None
            verdict = judge(Kept("", before, b""), body)
            field = verdict.field if isinstance(verdict, Conflict) else ""
            raise IdempotencyConflict(f"{name} was sent with another {field or 'body'}", field=field)
        return known.answer

    def _begin(self, name: TransferId, quote: Quote, *, body: dict[str, Json]) -> str:
        """Check and write a transfer, unless that was done by a process that ended before it answered."""
        found = self._found(name)
        if found is not None:
            if found["quote"] != quote.id:
                raise IdempotencyConflict(f"{name} is another transfer", field="/id")
            return _answer(found, canonical_bytes(body["quote"]))
        now = self.clock.now()
        refused, lots, person, unit_in = "", tuple[MovedLot, ...](), b"", ""
        try:
            lots, person, unit_in = self._checked(quote, body, now=now)
        except TransferRefused as error:
            refused = error.code
        terms = _terms(name, quote, body=body, person=person)
        done = step(Transfer(terms), Start(now))
        if done.transfer.deadline is not None:
            done = step(done.transfer, CheckFailed(now, refused) if refused else Checked(now))
        move = Move(done.transfer, quote, lots, unit_in)
        self._write(move, [one for one in done.effects if isinstance(one, Send)], now=now)
        return _answer(shown(move), canonical_bytes(body["quote"]))

    def _write(self, move: Move, sent: Sequence[Send], *, now: datetime) -> None:
        terms = move.transfer.terms
        lots = [
            (terms.person, name) for lot in move.quote.lots for name in (lot.lot, arriving(move, lot)) if name
        ]
        self.index.note(terms.id, (terms.source, terms.destination), lots=lots)
        messages = tuple(
            OutboxMessage(terms.platform(one.party), KINDS[type(one.message).__name__]) for one in sent
        )
        at = int(now.timestamp())
        change = change_of(move, move.transfer, now=at)._replace(messages=messages)
        self.ledger.submit(TransferStep(terms.id, 0, at, change)).result()

    def _checked(
        self, quote: Quote, body: dict[str, Json], *, now: datetime
    ) -> tuple[tuple[MovedLot, ...], bytes, str]:
        """Check persons, rules and lots anew, and that they come to what was quoted."""
        corridor = Corridor(quote.source, quote.destination)
        for name in corridor:
            platform = self.platforms.platform(name)
            if platform is None or platform.suspended:
                raise _refused(TransferRefusal.PLATFORM_NOT_ACTIVE, f"{name} takes no part now")
        agreement = agreement_of_corridor(corridor, self.quoting, now=now)
        if agreement.digest != quote.agreement:
            raise _refused(TransferRefusal.QUOTE_DIFFERS, "another agreement is in force by now")
        account = self.names.pseudonym(corridor.source, str(body["source_account"]))
        theirs = self.names.pseudonym(corridor.destination, str(body["destination_account"]))
        lots = self.quoting.lots
        links = lots.journal.claims.links([account, theirs])
        if account not in links or theirs not in links or links[account].person != links[theirs].person:
            told = "both accounts have to be linked, with consent, to one person"
            raise _refused(TransferRefusal.PERSON_NOT_LINKED, told)
        person = links[account].person
        if subject_of(quote.id, person) != quote.subject:
            raise _refused(TransferRefusal.LOT_OTHER_PERSON, "the quote was made for somebody else")
        wanted = {lot.name: lot for lot in quote.lots}
        days = {lot.day for lot in quote.lots}
        held = lots.held(account, person, platform=corridor.source, days=days)
        kept = [one for one in held if one.lot in wanted]
        wish = Wish(person, *corridor, agreement, day_of(now))
        found = {
            one.name: one
            for one in lots.read(kept, wish, accounts=(theirs,), witnessed=self.quoting.witnessed())
        }
        if found.keys() != wanted.keys():
            raise _refused(TransferRefusal.LOT_NOT_HELD, "a record of the quote is not here any more")
        for name, lot in wanted.items():
            failed = list(failures(found[name].lot, wish))
            if failed:
                raise TransferRefused(failed)
            if quoted_lot(found[name], part_mg=lot.use.used_mg, corridor=corridor) != lot:
                raise _refused(TransferRefusal.QUOTE_DIFFERS, "the lot was used since it was quoted")
        credited = found[quote.lots[0].name].found.destination
        unit_in = "" if credited is None else credited.unit
        came = Arrivals(self.reader, self.index)
        moved = [
            _moved_lot(
                found[lot.name],
                came.taken(lot, person=person.hex(), account=str(body["source_account"])),
            )
            for lot in quote.lots
        ]
        return tuple(moved), person, unit_in


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


def _answer(document: dict[str, Json], quote: bytes) -> str:
    """Return the answer that is kept for ever: what was taken up, or why it was not."""
    refused = document["state"] == "aborted"
    answer: dict[str, Json] = {
        "id": document["id"],
        "quote": {"id": document["quote"], "digest": digest(quote)},
        "accepted": not refused,
        "points_out": document["points_out"],
        "points_in": document["points_in"],
    }
    if refused:
        answer["reason"] = document["reason"]
    return canonical_bytes(answer).decode()


def _terms(name: TransferId, quote: Quote, *, body: dict[str, Json], person: bytes) -> TransferTerms:
    return TransferTerms(
        id=name,
        kind=TransferKind.INTERACTIVE,
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


def _moved_lot(one: FoundLot, arrived: tuple[tuple[str, int], ...]) -> MovedLot:
    value = one.lot.value
    last = one.lot.expires
    return MovedLot(
        event="" if arrived else one.row.event or "",
        unit=one.unit,
        co2e_mg=value.co2e_mg,
        movable_mg=int(movable(value)),
        points=value.points,
        expires="" if last is None else last.isoformat(),
        arrived=arrived,
    )


def _refused(code: TransferRefusal, detail: str) -> TransferRefused:
    return TransferRefused([Failure(code, "", detail)])
