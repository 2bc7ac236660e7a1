"""What platforms are told about a transfer: holds, credits and decisions, made anew each time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.ledger import Decision
from gateway.model.canonical import Json
from gateway.model.quote import QuotedLot
from gateway.model.transfer import Party, TransferState
from gateway.ports import Credit, HoldPoints, LotPart, OutboxMessage, PlatformMessage, TellDecision
from gateway.protocol import times_of
from gateway.service.transfers.moves import Move, MovedLot
from gateway.signing import Signer, sealed

__all__ = ["decision_body", "decision_envelope", "message_of", "party_of", "said_of"]

_OF: Final = {"hold": Party.SOURCE, "credit": Party.DESTINATION}


def party_of(move: Move, platform: str) -> Party:
    """Return which of the two platforms of a transfer it is."""
    return Party.SOURCE if platform == move.quote.source else Party.DESTINATION


def message_of(
    move: Move, wanted: OutboxMessage, *, envelope: Mapping[str, Json] | None
) -> PlatformMessage | None:
    """Return a message of the outbox as it is to be sent now; None where it is not owed any more.

    ``envelope`` is the signed decision, where there is one.
    """
    state = move.transfer.state
    if wanted.kind == "decision" and envelope is not None:
        return TellDecision(transfer=move.transfer.terms.id, envelope=envelope)
    if wanted.kind == "hold" and state is TransferState.RECEIVED:
        return _hold(move)
    if wanted.kind == "credit" and state is TransferState.RESERVED:
        return _credit(move)
    return None


def said_of(move: Move, wanted: OutboxMessage, *, decision: Decision | None) -> dict[str, Json] | None:
    """Return what a message says, owed or not: the same for ever; None where it never was to be said."""
    party = party_of(move, wanted.platform)
    if not move.transfer.checked or _OF.get(wanted.kind, party) is not party:
        return None
    if wanted.kind == "decision":
        return None if decision is None else decision_body(move, decision)
    return (_hold if wanted.kind == "hold" else _credit)(move).document()


def decision_envelope(move: Move, decision: Decision, *, signers: Sequence[Signer]) -> Mapping[str, Json]:
    """Return the decision as both platforms are told it."""
    return sealed(decision_body(move, decision), signers)


def decision_body(move: Move, decision: Decision) -> dict[str, Json]:
    """Return the document that is signed: the decision as it stands in the books, and its two ends."""
    amounts = decision.amounts
    return {
        **decision.document(),
        "source": move.quote.source,
        "destination": move.quote.destination,
        "points_out": str(amounts.points_out),
        "points_in": str(amounts.points_in),
        "recognised_mg": str(amounts.recognised_mg),
    }


def _hold(move: Move) -> HoldPoints:
    terms = move.transfer.terms
    return HoldPoints(
        id=_own_id("hd", terms.id),
        transfer=terms.id,
        account=terms.source_account,
        unit=move.lots[0].unit,
        points=terms.amounts.points_out,
        destination=terms.destination,
        expected_in_s=_expected(move),
        lots=tuple(
            part
            for quoted, facts in zip(move.quote.lots, move.lots, strict=True)
            for part in _burned(quoted, facts)
        ),
    )


def _burned(quoted: QuotedLot, facts: MovedLot) -> Iterator[LotPart]:
    """Yield whose points are burned for a lot: an act's, or those that transfers brought, by their shares."""
    record, use = quoted.record, quoted.use
    if not facts.arrived:
        yield LotPart(record=record, points=use.points, co2e_mg=use.used_mg, event=facts.event)
        return
    left_points, left_mg = use.points, use.used_mg
    for transfer, points in facts.arrived:
        share = left_mg * points // left_points if left_points else left_mg
        yield LotPart(record=record, points=points, co2e_mg=share, arrived=transfer)
        left_points, left_mg = left_points - points, left_mg - share


def _credit(move: Move) -> Credit:
    terms = move.transfer.terms
    return Credit(
        id=_own_id("cr", terms.id),
        transfer=terms.id,
        account=terms.destination_account,
        unit=move.unit_in,
        points=terms.amounts.points_in,
        co2e_mg=terms.amounts.recognised_mg,
        source=terms.source,
        expected_in_s=_expected(move),
        lots=tuple(
            LotPart(
                record=quoted.record,
                points=quoted.points_in,
                co2e_mg=quoted.use.recognised_mg,
                valid_through=quoted.expires,
            )
            for quoted in move.quote.lots
        ),
    )


def _expected(move: Move) -> int:
    """Return after how many seconds without a decision a platform asks; the same in every repetition."""
    return int(times_of(move.transfer.terms.kind).whole.total_seconds())


def _own_id(prefix: str, transfer: str) -> str:
    """Return the id of a message: a transfer has one of each kind, so it follows from the transfer's."""
    return prefix + transfer.removeprefix("tr")
