"""Quote a move: which lots, how much arrives, and why; signed, and valid for five minutes.

A quote reserves nothing. It pins lots, rules and what had been used of each lot, so that whoever decides
later can tell whether it still holds.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final, NamedTuple

from gateway.errors import GatewayError, NotFound, UsageError
from gateway.model.canonical import canonical_bytes, digest
from gateway.model.quote import Quote, QuotedLot, quote_amounts
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.model.transfer import Amounts, LotUse, QuoteId, TransferRefusal
from gateway.ports import Clock, Corridor, KeptRecord, Link
from gateway.recognition import (
    NOTHING_MOVED,
    Agreement,
    DayUse,
    Failure,
    Picked,
    Wish,
    Worth,
    day_of,
    failures,
    in_order,
    pick,
    take,
    too_little,
    too_much,
)
from gateway.service.agreements.book import AgreementBook
from gateway.service.each import tried
from gateway.service.transfers.lots import FoundLot, Lots, Sought
from gateway.service.transfers.quote_words import Explained, ToldLot, explain_quote
from gateway.service.transfers.refusing import TransferRefused
from gateway.signing import KeyRing, Signer, commitment, seal, verify_envelope

__all__ = [
    "LOTS_MAX",
    "MadeQuote",
    "QuoteAsked",
    "Quoting",
    "TransferRefused",
    "agreement_of_corridor",
    "make_quote",
    "make_quotes",
    "quote_of",
    "quoted_lot",
    "subject_of",
]

LOTS_MAX: Final = 100  # a quote with as many has 100 KiB
QUOTE_BYTES_MAX: Final = 256 * 1024
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_RANDOM_BYTES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteAsked:
    """What somebody wants to move.

    ``account`` is the pseudonym inside the source, ``records`` are those that shall move, any of the person's
    where there are none. ``points`` None: all that is left of the records.
    """

    corridor: Corridor
    account: bytes
    records: Sequence[str] = ()
    points: int | None = None


class MadeQuote(NamedTuple):
    """A quote, as it was signed, with its digest, whose it is at both ends, and what explains it."""

    quote: Quote
    envelope: bytes
    digest: str
    person: bytes
    accounts: tuple[bytes, ...]
    explanation: Explained


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoting:
    """What quoting needs; joined by ``gateway.app``. ``witnessed`` is how much of the log has its quorum."""

    issuer: str
    lots: Lots
    agreements: AgreementBook
    witnessed: Callable[[], int]
    signers: Sequence[Signer]
    clock: Clock
    random_bytes: Callable[[int], bytes]


def make_quote(asked: QuoteAsked, parts: Quoting) -> MadeQuote:
    """Quote a move.

    Raises:
        UsageError: no points, or fewer than one, or too many records.
        NotFound: there is no such record here.
        TransferRefused: a check failed; its code is the error's.
    """
    (made,) = make_quotes([asked], parts)
    if isinstance(made, GatewayError):
        raise made
    return made


def make_quotes(asked: Sequence[QuoteAsked], parts: Quoting) -> list[MadeQuote | GatewayError]:
    """Quote several moves, each for itself: what one takes is not taken off before the next.

    1. the agreement  2. the person at both ends  3. the lots and their checks  4. how much of each
    5. the limits  6. sign
    """
    now = parts.clock.now()
    known = _look_up(asked, parts)
    agreed = {
        corridor: tried(partial(agreement_of_corridor, corridor, parts, now=now))
        for corridor in {one.corridor for one in asked}
    }
    ready = [
        tried(partial(_ready, one, parts, agreed=agreed[one.corridor], known=known, now=now)) for one in asked
    ]
    passing = [one for one in ready if isinstance(one, _Ready)]
    sight = parts.lots.look([one.sought for one in passing])
    uses = parts.lots.book.day_uses(
        {(one.wish.person, one.asked.corridor) for one in passing}, day=day_of(now)
    )
    witnessed = parts.witnessed()

    def made(one: _Ready) -> MadeQuote:
        found = parts.lots.read(one.sought, one.wish, sight=sight, witnessed=witnessed)
        return _quoted(one, found, parts=parts, now=now, use=uses[one.wish.person, one.asked.corridor])

    return [tried(partial(made, one)) if isinstance(one, _Ready) else one for one in ready]


class _Known(NamedTuple):
    """What was looked up of persons: links by account, all links by person, and records by account."""

    links: Mapping[bytes, Link]
    of_person: Mapping[bytes, Sequence[Link]]
    records: Mapping[tuple[str, bytes], Sequence[KeptRecord]]


class _Ready(NamedTuple):
    """A wish for which there is an agreement and a person at both ends."""

    asked: QuoteAsked
    wish: Wish
    sought: Sought


def _look_up(asked: Sequence[QuoteAsked], parts: Quoting) -> _Known:
    claims = parts.lots.journal.claims
    links = claims.links(list({one.account for one in asked}))
    of_person: dict[bytes, list[Link]] = {}
    for link in claims.links_of({link.person for link in links.values()}):
        of_person.setdefault(link.person, []).append(link)
    accounts: dict[str, dict[bytes, None]] = {}
    for one in asked:
        if one.account in links:
            accounts.setdefault(one.corridor.source, {})[one.account] = None
    records = {
        (platform, account): kept
        for platform, some in accounts.items()
        for account, kept in parts.lots.records.of(platform, some).items()
    }
    arrived = parts.lots.arrived({where: links[where[1]].person for where in records})
    records = {where: [*kept, *arrived.get(where, ())] for where, kept in records.items()}
    return _Known(links, of_person, records)


def _ready(
    asked: QuoteAsked, parts: Quoting, *, agreed: Agreement | GatewayError, known: _Known, now: datetime
) -> _Ready:
    _require_sense(asked)
    if isinstance(agreed, GatewayError):
        raise agreed
    link, theirs = _person(asked, known)
    accounts = tuple(one.account for one in theirs)
    kept = _kept(asked, parts, records=known.records[asked.corridor.source, asked.account])
    wish = Wish(link.person, *asked.corridor, agreed, day_of(now))
    return _Ready(asked, wish, Sought(kept, accounts, asked.corridor.destination))


def _quoted(
    ready: _Ready, found: Iterator[FoundLot], *, parts: Quoting, now: datetime, use: DayUse
) -> MadeQuote:
    asked, wish = ready.asked, ready.wish
    named = Counter(one.row.id for one in ready.sought.records if asked.records)
    strict = {record for record, lots in named.items() if lots == 1}
    chosen, refused = _chosen(asked, found, wish=wish, strict=strict)
    if not chosen:
        raise TransferRefused(refused or [_failure(TransferRefusal.LOT_SPENT, "there is nothing to move")])
    quoted = [quoted_lot(one, part_mg=part_mg, corridor=asked.corridor) for one, part_mg in chosen]
    amounts = quote_amounts(quoted)
    _require_points(amounts)
    _require_within(wish.agreement, use, recognised_mg=amounts.recognised_mg)
    name = _quote_id(now, parts.random_bytes(_RANDOM_BYTES))
    quote = Quote(
        id=name,
        issuer=parts.issuer,
        source=asked.corridor.source,
        destination=asked.corridor.destination,
        agreement=wish.agreement.digest,
        subject=subject_of(name, wish.person),
        issued=now,
        lots=tuple(quoted),
    )
    told = [ToldLot(one, lot) for (one, _), lot in zip(chosen, quoted, strict=True)]
    explanation = explain_quote(quote, told, asked=asked.points, refused=refused)
    body = quote.body()
    return MadeQuote(
        quote,
        seal(body, parts.signers),
        digest(canonical_bytes(body)),
        wish.person,
        tuple(ready.sought.accounts),
        explanation,
    )


def quote_of(data: bytes, ring: KeyRing, *, shape: Shape, position: int, now: datetime) -> Quote:
    """Read a quote that this gateway has signed, while it holds; ``position`` is the length of the log.

    Raises:
        MalformedDocument, SignatureInvalid: it is no quote, or not one of this gateway.
        TransferRefused: it holds no more.
    """
    envelope = read_strict_object(data, QUOTE_BYTES_MAX)
    shape.require(envelope, "quote")
    quote = Quote.of(verify_envelope(envelope, ring, position=position))
    if now >= quote.expires:
        raise TransferRefused(
            [_failure(TransferRefusal.QUOTE_EXPIRED, f"it held for {quote.seconds} seconds")]
        )
    return quote


def subject_of(quote: str, person: bytes) -> str:
    """Return the commitment to a person in a quote: the pseudonym is secret, so the salt need not be."""
    return commitment(b"subject", person.hex().encode(), salt=sha256(quote.encode()).digest()[:16])


def _require_sense(asked: QuoteAsked) -> None:
    if asked.points is None and not asked.records:
        raise UsageError("expected points or records", remedy="say how many points, or which records")
    if asked.points is not None and asked.points < 1:
        raise UsageError(f"expected at least 1 point, got {asked.points}", field="/points")
    if len(asked.records) > LOTS_MAX or len(set(asked.records)) != len(asked.records):
        raise UsageError(f"expected up to {LOTS_MAX} records, each once", field="/records")


def agreement_of_corridor(corridor: Corridor, parts: Quoting, *, now: datetime) -> Agreement:
    """Return the agreement by which points may move over a corridor at this moment.

    Raises:
        TransferRefused: there is none in force, or the corridor is paused.
    """
    found, pauses = parts.agreements.standing(*corridor, now=now)
    if found is None:
        detail = f"there is none in force from {corridor.source} to {corridor.destination}"
        raise TransferRefused([_failure(TransferRefusal.AGREEMENT_NOT_IN_FORCE, detail)])
    if pauses:
        last = max(pauses, key=lambda pause: pause.until)
        detail = f"paused by {last.by} until {last.until}: {last.reason}"
        raise TransferRefused([_failure(TransferRefusal.CORRIDOR_PAUSED, detail)])
    return found


def _person(asked: QuoteAsked, known: _Known) -> tuple[Link, list[Link]]:
    """Return the person's link at the source, and those at the destination."""
    link = known.links.get(asked.account)
    theirs = () if link is None else known.of_person.get(link.person, ())
    there = [one for one in theirs if one.platform == asked.corridor.destination]
    if link is None or link.platform != asked.corridor.source or not there:
        detail = "the person has to be linked, with consent, at both platforms"
        raise TransferRefused([_failure(TransferRefusal.PERSON_NOT_LINKED, detail)])
    return link, there


def _kept(asked: QuoteAsked, parts: Quoting, *, records: Sequence[KeptRecord]) -> list[KeptRecord]:
    """Return the lots that may move, in the order in which they are picked; a record names all of its own."""
    if asked.records:
        mine = {kept.row.id for kept in records}
        unknown = [name for name in asked.records if name not in mine]
        if unknown:
            raise NotFound(f"there is no record {unknown[0]} of this account", field=unknown[0])
        records = [kept for kept in records if kept.row.id in asked.records]
    return sorted(records, key=lambda kept: in_order(parts.lots.last_day(kept), kept.lot))


def _chosen(
    asked: QuoteAsked, found: Iterator[FoundLot], *, wish: Wish, strict: Collection[str]
) -> tuple[list[tuple[FoundLot, int]], list[Failure]]:
    """Choose lots and how much of each; those of ``strict`` records must pass, others are left out."""
    refused: list[Failure] = []
    by_lot: dict[int, FoundLot] = {}

    def passing() -> Iterator[FoundLot]:
        for one in found:
            failed = list(failures(one.lot, wish))
            refused.extend(failed)
            if failed and one.lot.record in strict:
                raise TransferRefused(failed)
            if not failed:
                by_lot[id(one.lot)] = one  # a record may have several lots here
                yield one

    picked: list[Picked] = []
    for choice in pick((one.lot for one in passing()), asked.points):
        picked.append(choice)
        if len(picked) == LOTS_MAX:
            break
    return [(by_lot[id(one.lot)], one.part_mg) for one in picked], refused


def quoted_lot(one: FoundLot, *, part_mg: int, corridor: Corridor) -> QuotedLot:
    """Return what a part of a lot comes to now.

    Raises:
        TransferRefused: its act has no worth at the destination.
    """
    lot, worth = one.lot, one.lot.worth
    if not isinstance(worth, Worth) or one.found.basis is None or one.found.destination is None:
        raise TransferRefused([_failure(TransferRefusal.BASIS_NOT_COMPUTABLE, "it has no worth there")])
    rates = worth.rates(lot.value)
    moved = one.state.moved.get((corridor.destination, rates), NOTHING_MOVED)
    part = take(lot.value, worth, part_mg=part_mg, used=lot.used, moved=moved)
    return QuotedLot(
        record=lot.record,
        day=lot.day.isoformat(),
        behaviour=lot.behaviour,
        mapping=one.row.mapping,
        basis="sha256:" + one.found.basis.digest,
        credited_by="sha256:" + one.found.destination.digest,
        before_mg=lot.used.used_mg,
        before_points=lot.used.points,
        moved_mg=moved.used_mg,
        moved_recognised_mg=moved.recognised_mg,
        moved_points_in=moved.points_in,
        rates=rates,
        use=LotUse(
            record=lot.record,
            points=part.points,
            used_mg=part.used_mg,
            recognised_mg=part.recognised_mg,
            unrecognised_mg=part.unrecognised_mg,
            points_in=part.exact,
        ),
        points_in=part.points_in,
        dust=part.dust,
        expires="" if lot.lives_until is None else lot.lives_until.isoformat(),
        lot="" if one.arrived is None else one.name,
    )


def _require_points(amounts: Amounts) -> None:
    """Refuse what would burn points for none, or move without burning any: platforms move whole points."""
    if not (amounts.points_in and amounts.points_out):
        detail = f"{amounts.points_out} points would go and {amounts.points_in} come, at least 1 has to"
        raise TransferRefused([_failure(TransferRefusal.BELOW_MINIMUM, detail)])


def _require_within(agreement: Agreement, use: DayUse, *, recognised_mg: int) -> None:
    if too_little(agreement, recognised_mg):
        detail = f"{recognised_mg} mg would be recognised, at least {agreement.minimum_mg} mg are moved"
        raise TransferRefused([_failure(TransferRefusal.BELOW_MINIMUM, detail)])
    room = too_much(agreement, use, recognised_mg=recognised_mg)
    if room is not None:
        detail = f"{recognised_mg} mg would be recognised, {room.left_mg} mg are left for today"
        raise TransferRefused([_failure(room.code, detail)])


def _failure(code: TransferRefusal, detail: str) -> Failure:
    return Failure(code, "", detail)


def _quote_id(now: datetime, random: bytes) -> QuoteId:
    number = (int(now.timestamp() * 1000) << 80) | int.from_bytes(random)
    return QuoteId("qt_" + "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(26))))
