"""The documents of the platform API: what openapi/platform.yaml is made of."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

__all__ = [
    "Accepted",
    "Consent",
    "ConsentAnswer",
    "Credit",
    "CreditAnswer",
    "Decision",
    "DecisionAnswer",
    "DecisionBody",
    "Document",
    "Hold",
    "HoldAnswer",
    "Link",
    "LinkAnswer",
    "LotLine",
    "LotPage",
    "MoveDocument",
    "Return",
    "ReturnAnswer",
    "StatementWanted",
    "Totals",
    "TransferLine",
    "TransferPage",
]


def _id(prefix: str, what: str) -> FieldInfo:
    form: FieldInfo = Field(
        pattern=f"^{prefix}_[0-9A-HJKMNP-TV-Z]{{26}}$",
        description=what,
        examples=[f"{prefix}_01KAP7M3Q4R5S6T7V8W9X0Y1Z2"],
    )
    return form


HoldId = Annotated[str, _id("hd", "Made by the gateway and kept for ever.")]
CreditId = Annotated[str, _id("cr", "Made by the gateway and kept for ever.")]
ReturnId = Annotated[str, _id("rt", "Made by the gateway and kept for ever.")]
LinkId = Annotated[str, _id("lk", "Made by the gateway and kept for ever.")]
ConsentId = Annotated[str, _id("cs", "Made by the gateway and kept for ever.")]
TransferId = Annotated[str, _id("tr", "The transfer that this is part of.")]
Amount = Annotated[
    str,
    Field(
        pattern="^(0|[1-9][0-9]{0,17})$", description="A whole number of the smallest unit.", examples=["83"]
    ),
]
Positive = Annotated[
    str,
    Field(pattern="^[1-9][0-9]{0,17}$", description="A whole number of the smallest unit.", examples=["83"]),
]
Seconds = Annotated[
    int, Field(ge=1, le=86_400, description="When to ask if no decision came; it never ends.")
]
Platform = Annotated[
    str, Field(pattern="^cn-[0-9]{6}/[a-z][a-z0-9]*(-[a-z0-9]+)*$", examples=["cn-000000/yunxi"])
]
Account = Annotated[
    str,
    Field(
        pattern="^[!-~]{1,128}$", description="The platform's handle of an account; from `accounts/links`."
    ),
]
Unit = Annotated[str, Field(pattern="^[!-~]{1,128}$", examples=["cn-000000/yunxi-point"])]
Record = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="The id of the conversion record.")]
Day = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-11-22"])]
Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
Moment = Annotated[
    str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", description="UTC.")
]


def _without_empty(schema: dict[str, Any]) -> None:
    """Leave out that an absent member reads as empty: it is never written so."""
    for member in schema.get("properties", {}).values():
        if member.get("default") == "":
            del member["default"]


class Document(BaseModel):
    """What every document keeps to: no member that is not named here, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=_without_empty)


class LotLine(Document):
    """One lot's share. Either `event` or `arrived` says which points of the platform are burned."""

    record: Record
    points: Amount
    co2e_mg: Amount
    event: Annotated[
        str, Field(min_length=1, max_length=512, description="The platform's id of the act.")
    ] = ""
    arrived: Annotated[
        str, Field(pattern="^tr_[0-9A-HJKMNP-TV-Z]{26}$", description="The transfer by which the lot came.")
    ] = ""
    valid_through: Annotated[str, Field(description="The last day on which the points are valid.")] = ""


Lots = Annotated[list[LotLine], Field(min_length=1, max_length=1000)]


class Hold(Document):
    """Reserve points of an account until the signed decision. It never ends by itself."""

    id: HoldId
    transfer: TransferId
    account: Account
    unit: Unit
    points: Positive
    destination: Platform
    expected_in_s: Seconds
    lots: Lots


class Credit(Document):
    """Make sure that points can be issued; they are posted by the signed decision, which is waited for."""

    id: CreditId
    transfer: TransferId
    account: Account
    unit: Unit
    points: Positive
    co2e_mg: Amount
    source: Platform
    expected_in_s: Seconds
    lots: Lots
    original: Annotated[
        str,
        Field(pattern="^tr_[0-9A-HJKMNP-TV-Z]{26}$", description="The transfer that this one gives back."),
    ] = ""


class Return(Document):
    """Reserve what is unspent of the points of an earlier transfer, to be given back by a new one."""

    id: ReturnId
    transfer: TransferId
    original: TransferId
    account: Account
    unit: Unit
    points: Positive
    expected_in_s: Seconds


class DecisionBody(BaseModel):
    """What was decided. It may have further members; all of them are signed."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: Literal["tanqiao/decision/1"]
    transfer: TransferId
    decision: Literal["COMMIT", "ABORT"]
    reason: Annotated[str, Field(max_length=128, description="A code; empty for COMMIT.")]
    source: Platform
    destination: Platform
    points_out: Annotated[Amount, Field(description="Burned at the source.")]
    points_in: Annotated[Amount, Field(description="Issued at the destination.")]
    recognised_mg: Annotated[Amount, Field(description="What counts at the destination.")]


class DecisionSignature(Document):
    """A signature over the DSSE encoding of the body's canonical bytes."""

    key: str
    value: str


class Decision(Document):
    """The one decision on a transfer, signed by the gateway: the only thing that ends a hold or a credit."""

    body: DecisionBody
    signatures: Annotated[list[DecisionSignature], Field(min_length=1, max_length=8)]


class Link(Document):
    """Ask whose account a one-time code was shown to by the platform."""

    id: LinkId
    code: Annotated[str, Field(pattern="^[!-~]{6,64}$")]


class Consent(Document):
    """Have the platform ask its resident for consent to exactly one thing."""

    id: ConsentId
    account: Account
    purpose: Literal["move", "claims", "attestation"]
    transfer: Annotated[str, Field(pattern="^tr_[0-9A-HJKMNP-TV-Z]{26}$", description="With `move`.")] = ""
    points: Annotated[str, Field(pattern="^[1-9][0-9]{0,17}$", description="With `move`.")] = ""


class Accepted(Document):
    """The message was taken and is worked on; the answer is to be asked for, or comes if it is sent again."""

    state: Literal["accepted"]


class HoldAnswer(Hold):
    """A hold as it was placed (`held`), or as it stands: `captured` or `released` after the decision."""

    state: Literal["held", "captured", "released"]
    placed: Moment


class CreditAnswer(Credit):
    """A credit as it was prepared, or as it stands: `posted` or `cancelled` after the decision."""

    state: Literal["prepared", "posted", "cancelled"]
    placed: Moment


class ReturnedLot(Document):
    """What a return takes of one lot."""

    record: Record
    points: Amount


class ReturnAnswer(Return):
    """A return as it was placed, or as it stands; `lots` are chosen by the platform among what is unspent."""

    state: Literal["held", "captured", "released"]
    placed: Moment
    lots: list[ReturnedLot]


class DecisionAnswer(Document):
    """What the decision did here. `none`: nothing of this transfer had come, and nothing will be taken."""

    transfer: TransferId
    digest: Annotated[Digest, Field(description="Of the canonical bytes of the decision's body.")]
    decision: Literal["COMMIT", "ABORT"]
    state: Literal["captured", "posted", "released", "cancelled", "none"]
    done: Moment


class LinkAnswer(Document):
    """Whose account it is. `identity` is the verified identity; it stands in the first answer only."""

    id: LinkId
    account: Account
    identity: str = ""
    state: Literal["linked"]


class ConsentAnswer(Consent):
    """A consent: `asked` until the resident has answered; one that was given may be withdrawn."""

    state: Literal["asked", "given", "refused", "withdrawn"]


class MoveDocument(Document):
    """So many transfers, and what they added up to."""

    transfers: Amount
    points: Amount
    co2e_mg: Amount


class Totals(Document):
    """What a day added up to: decisions carried out on it, by the platform's local day.

    The roots are those of RFC 6962 trees over the canonical lines of the two lists, in their order.
    """

    day: Day
    platform: Platform
    closed: Annotated[bool, Field(description="Whether the day is over: nothing will be added.")]
    sent: MoveDocument
    received: MoveDocument
    returned: MoveDocument
    taken_back: MoveDocument
    lots: Amount
    lots_root: Digest
    transfers_root: Digest


class StatementWanted(Document):
    """A day of which the totals are wanted."""

    day: Day


class LotEntry(Document):
    """What a transfer did to one lot."""

    record: Record
    transfer: TransferId
    points: Amount
    co2e_mg: Amount


class TransferLine(Document):
    """A transfer of the day, as this platform has it."""

    transfer: TransferId
    role: Literal["source", "destination"]
    original: str = ""
    points: Amount
    co2e_mg: Amount


class LotPage(Document):
    """Some lots of a day, by transfer and place in it."""

    day: Day
    lots: list[LotEntry]
    next: str = ""


class TransferPage(Document):
    """Some transfers of a day, by their ids."""

    day: Day
    transfers: list[TransferLine]
    next: str = ""
