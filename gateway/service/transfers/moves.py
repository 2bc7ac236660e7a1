"""A transfer as the gateway keeps it: the machine's state, its quote, and facts of its lots."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from gateway.errors import HomeBusy
from gateway.ledger import Decision as Booked
from gateway.ledger import Lot, Part, Seen
from gateway.model.canonical import Json
from gateway.model.quote import Quote
from gateway.model.transfer import Decision, OutsideState, TransferId, TransferState, Verdict
from gateway.ports import Transfer as Row
from gateway.ports import TransferChange
from gateway.protocol import Transfer, outside

__all__ = [
    "SHORTLY",
    "Move",
    "MovedLot",
    "TransfersUnderWay",
    "change_of",
    "moves_without",
    "parts_of",
    "read_move",
    "shown",
    "told_by",
]

SHORTLY: Final = 2
"""After so many seconds what a process was about to do is taken up by another."""
_AT_ONCE: Final = (TransferState.HELD, TransferState.READY)
_UNDER_WAY: Final = frozenset(
    {
        TransferState.QUOTED,
        TransferState.RECEIVED,
        *_AT_ONCE,
        TransferState.RESERVED,
        TransferState.COMMITTED,
        TransferState.ABORTING,
        TransferState.RETURNING,
    }
)
"""Messages are still owed, and they name accounts and acts."""


class TransfersUnderWay(HomeBusy):
    """Points of the person are moving: until they have arrived, messages name the account."""

    code = "transfers-under-way"
    remedy = "let `tanqiao serve` carry the transfer to its end, then run the command again"


class MovedLot(NamedTuple):
    """A lot before anything of it was used. ``event`` is what the source's platform calls the act.

    ``arrived``: it came there by these transfers, of whose points so many are to be burned.
    """

    event: str
    unit: str
    co2e_mg: int
    movable_mg: int
    points: int
    expires: str
    arrived: tuple[tuple[str, int], ...] = ()


class Move(NamedTuple):
    """A transfer on its way. ``lots`` stand in the order of the quote's."""

    transfer: Transfer
    quote: Quote
    lots: tuple[MovedLot, ...]
    unit_in: str


def _plain(value: object) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} does not stand in a transfer")


@lru_cache(maxsize=4096)  # a transfer is read for each of its steps, and a fraction is slow to read
def _exact(kind: type, value: Any) -> Any:  # noqa: ANN401 - msgspec hands over what it has read
    return kind(value)


_write: Final = msgspec.json.Encoder(enc_hook=_plain).encode
_read: Final = msgspec.json.Decoder(Move, dec_hook=_exact).decode


def read_move(row: Row, decision: Booked | None) -> Move:
    """Return a transfer as it stands; the books say what was decided about it, and nothing else does."""
    move = _read(row.document)
    transfer = move.transfer._replace(revision=row.version)
    if decision is not None:
        made = Decision(
            TransferId(decision.transfer),
            Verdict(decision.verdict),
            decision.reason,
            datetime.fromisoformat(decision.decided),
        )
        transfer = transfer._replace(decision=made, reason=decision.reason)
    return move._replace(transfer=transfer)


def change_of(move: Move, transfer: Transfer, *, now: int) -> TransferChange:
    """Return what is written of a transfer after a step; messages come on top."""
    due = None if transfer.deadline is None else -int(-transfer.deadline.timestamp() // 1)
    if transfer.state in _AT_ONCE:
        due = now + SHORTLY
    document = _write(move._replace(transfer=transfer)).decode()
    return TransferChange(transfer.state.value, document, due)


def parts_of(move: Move) -> tuple[Part, ...]:
    """Return what the books reserve."""
    return tuple(
        Part(
            lot=quoted.name,
            mg=quoted.use.used_mg,
            points=quoted.use.points,
            recognised_mg=quoted.use.recognised_mg,
            points_in=quoted.points_in,
            expires=_ordinal(quoted.expires),
            dust=f"{quoted.dust.numerator}/{quoted.dust.denominator}",
            rates=quoted.rates,
            seen=Seen(
                quoted.before_mg,
                quoted.before_points,
                quoted.moved_mg,
                quoted.moved_recognised_mg,
                quoted.moved_points_in,
            ),
            facts=None if quoted.lot else _facts(move, quoted.record, facts=facts),
        )
        for quoted, facts in zip(move.quote.lots, move.lots, strict=True)
    )


def _facts(move: Move, record: str, *, facts: MovedLot) -> Lot:
    """Return the lot of a record as it was before its first use."""
    amounts = (facts.co2e_mg, facts.movable_mg, facts.points)
    return Lot(move.quote.source, record, facts.unit, *amounts, _ordinal(facts.expires))


def shown(move: Move) -> dict[str, Json]:
    """Return what both platforms of a transfer may see of it; nothing that names a person."""
    transfer, amounts = move.transfer, move.transfer.terms.amounts
    told = outside(transfer)
    document: dict[str, Json] = {
        "id": transfer.terms.id,
        "state": told.value,
        "source": transfer.terms.source,
        "destination": transfer.terms.destination,
        "quote": transfer.terms.quote.id,
        "points_out": str(amounts.points_out),
        "points_in": str(amounts.points_in),
        "recognised_mg": str(amounts.recognised_mg),
        "unrecognised_mg": str(amounts.unrecognised_mg),
        "records": [lot.record for lot in move.quote.lots],
    }
    if told is OutsideState.ABORTED:
        document["reason"] = transfer.reason
    if transfer.detail:
        document["detail"] = transfer.detail
    if transfer.decision is not None:
        document["decided"] = transfer.decision.decided.strftime("%Y-%m-%dT%H:%M:%SZ")
    return document


def _without(document: str, platform: str, *, account: str) -> str | None:
    """Return a transfer's document without an account and what names its acts; None: it has no such account.

    The words for the lots stay: the books, and what a return would give back, rest on their amounts alone.
    """
    move = _read(document)
    terms = move.transfer.terms
    as_source = (terms.source, terms.source_account) == (platform, account)
    if not as_source and (terms.destination, terms.destination_account) != (platform, account):
        return None
    if as_source:
        terms = terms._replace(source_account="")
        move = move._replace(lots=tuple(lot._replace(event="") for lot in move.lots))
    else:
        terms = terms._replace(destination_account="")
    return _write(move._replace(transfer=move.transfer._replace(terms=terms))).decode()


def moves_without(account: str, transfers: Iterable[tuple[str, str]], *, platform: str) -> dict[str, str]:
    """Return the documents of a person's transfers, given as id and document, as they are to be: by id.

    Raises:
        TransfersUnderWay: one of them has not ended.
    """
    theirs: dict[str, str] = {}
    for name, document in transfers:
        without = _without(document, platform, account=account)
        if without is not None and _read(document).transfer.state in _UNDER_WAY:
            raise TransfersUnderWay(f"the transfer {name} is still on its way")
        if without is not None:
            theirs[name] = without
    return theirs


def _ordinal(day: str) -> int | None:
    return datetime.fromisoformat(day).toordinal() if day else None


def told_by(platform: str, document: Mapping[str, Json]) -> bool:
    """Tell whether a platform is one of the two ends of what is shown."""
    return platform in (document["source"], document["destination"])
