"""The quote: what a move would come to, pinned to lots and rules, as the document that is signed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple

from gateway.model.canonical import Json
from gateway.model.transfer import Amounts, LotUse, QuoteId

__all__ = ["QUOTE_SECONDS", "QUOTE_TYPE", "Quote", "QuotedLot", "quote_amounts"]

QUOTE_TYPE: Final = "tanqiao/quote/1"
QUOTE_SECONDS: Final = 300  # long enough to read it and confirm, too short to speculate


class QuotedLot(NamedTuple):
    """One lot of a quote.

    ``mapping`` is the digest of the rules that it was recorded by, ``basis`` and ``credited_by`` of those it
    is valued and credited by. ``before`` and ``moved`` say what had been used of it, in all and at these
    ``rates``: other uses in between change the amounts, so a quote holds only while they are the same.
    ``points_in`` are issued, ``dust`` is what is left of this lot at these rates below one point.
    ``expires`` is empty where nothing lapses. ``lot`` is what the books call what has come of the record by
    transfers; empty where it is the record itself.
    """

    record: str
    day: str
    behaviour: str
    mapping: str
    basis: str
    credited_by: str
    before_mg: int
    before_points: int
    moved_mg: int
    moved_recognised_mg: int
    moved_points_in: int
    rates: str
    use: LotUse
    points_in: int
    dust: Fraction
    expires: str
    lot: str = ""

    @property
    def name(self) -> str:
        """Return what the books call it."""
        return self.lot or self.record

    def document(self) -> dict[str, Json]:
        """Return the lot as it stands in a quote."""
        document: dict[str, Json] = {
            "record": self.record,
            "day": self.day,
            "behaviour": self.behaviour,
            "mapping": self.mapping,
            "basis": self.basis,
            "credited_by": self.credited_by,
            "before": {
                "used_mg": str(self.before_mg),
                "points": str(self.before_points),
                "moved_mg": str(self.moved_mg),
                "recognised_mg": str(self.moved_recognised_mg),
                "points_in": str(self.moved_points_in),
            },
            "rates": self.rates,
            "points": str(self.use.points),
            "used_mg": str(self.use.used_mg),
            "recognised_mg": str(self.use.recognised_mg),
            "unrecognised_mg": str(self.use.unrecognised_mg),
            "points_exact": str(self.use.points_in),
            "points_in": str(self.points_in),
            "dust": str(self.dust),
        }
        if self.expires:
            document["expires"] = self.expires
        if self.lot:
            document["lot"] = self.lot
        return document

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "QuotedLot":
        """Read a lot of a quote whose form has been checked."""
        before = document["before"]
        use = LotUse(
            record=document["record"],
            points=int(document["points"]),
            used_mg=int(document["used_mg"]),
            recognised_mg=int(document["recognised_mg"]),
            unrecognised_mg=int(document["unrecognised_mg"]),
            points_in=Fraction(document["points_exact"]),
        )
        return cls(
            record=document["record"],
            day=document["day"],
            behaviour=document["behaviour"],
            mapping=document["mapping"],
            basis=document["basis"],
            credited_by=document["credited_by"],
            before_mg=int(before["used_mg"]),
            before_points=int(before["points"]),
            moved_mg=int(before["moved_mg"]),
            moved_recognised_mg=int(before["recognised_mg"]),
            moved_points_in=int(before["points_in"]),
            rates=document["rates"],
            use=use,
            points_in=int(document["points_in"]),
            dust=Fraction(document["dust"]),
            expires=document.get("expires", ""),
            lot=document.get("lot", ""),
        )


class Quote(NamedTuple):
    """What a move would come to. ``subject`` commits to the person without a name."""

    id: QuoteId
    issuer: str
    source: str
    destination: str
    agreement: str
    subject: str
    issued: datetime
    lots: tuple[QuotedLot, ...]
    seconds: int = QUOTE_SECONDS

    @property
    def expires(self) -> datetime:
        """Return the first moment at which it holds no more."""
        return self.issued + timedelta(seconds=self.seconds)

    @property
    def amounts(self) -> Amounts:
        """Return what moves in all."""
        return quote_amounts(self.lots)

    def body(self) -> dict[str, Json]:
        """Return the document that is signed."""
        amounts = self.amounts
        return {
            "type": QUOTE_TYPE,
            "id": self.id,
            "issuer": self.issuer,
            "source": self.source,
            "destination": self.destination,
            "agreement": self.agreement,
            "subject": self.subject,
            "issued": self.issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lasts_seconds": self.seconds,
            "lots": [lot.document() for lot in self.lots],
            "amounts": {
                "points_out": str(amounts.points_out),
                "points_in": str(amounts.points_in),
                "used_mg": str(amounts.used_mg),
                "recognised_mg": str(amounts.recognised_mg),
                "unrecognised_mg": str(amounts.unrecognised_mg),
                "dust": str(amounts.dust),
            },
        }

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Quote":
        """Read a quote whose form has been checked (openapi/schemas/quote.schema.json)."""
        return cls(
            id=QuoteId(body["id"]),
            issuer=body["issuer"],
            source=body["source"],
            destination=body["destination"],
            agreement=body["agreement"],
            subject=body["subject"],
            issued=datetime.fromisoformat(body["issued"]),
            lots=tuple(QuotedLot.of(lot) for lot in body["lots"]),
            seconds=body["lasts_seconds"],
        )


def quote_amounts(lots: Sequence[QuotedLot]) -> Amounts:
    """Add lots up. ``dust`` is below zero where a move fills up what an earlier one has left."""
    points_in = sum(lot.points_in for lot in lots)
    return Amounts(
        points_out=sum(lot.use.points for lot in lots),
        points_in=points_in,
        used_mg=sum(lot.use.used_mg for lot in lots),
        recognised_mg=sum(lot.use.recognised_mg for lot in lots),
        unrecognised_mg=sum(lot.use.unrecognised_mg for lot in lots),
        dust=sum((lot.use.points_in for lot in lots), start=Fraction(0)) - points_in,
    )
