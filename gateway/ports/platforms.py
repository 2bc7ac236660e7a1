"""Cities' platforms as the gateway calls them: what is said to them, and what can become of that.

An answer may be lost, so there are three outcomes: answered, declined, unknown. Whoever gets the third asks
with ``ask`` or sends the same message again; the id makes that safe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol

from gateway.model.canonical import Json, canonical_bytes, digest

__all__ = [
    "Answered",
    "Consent",
    "Credit",
    "Declined",
    "HoldPoints",
    "LinkAccount",
    "LotPart",
    "PlatformEndpoint",
    "PlatformMessage",
    "PlatformOutcome",
    "PlatformPeers",
    "Resource",
    "ReturnPoints",
    "StatementPart",
    "TellDecision",
    "Unknown",
    "Why",
]


class Resource(StrEnum):
    """What a platform offers (openapi/platform.yaml), as it stands in the path after ``/v1/``."""

    HOLDS = "holds"
    CREDITS = "credits"
    DECISIONS = "decisions"
    RETURNS = "returns"
    LINKS = "accounts/links"
    CONSENTS = "accounts/consents"


class StatementPart(StrEnum):
    """How finely a platform states a day."""

    TOTALS = ""
    LOTS = "lots"
    TRANSFERS = "transfers"


class PlatformEndpoint(NamedTuple):
    """Where a platform is called, and its raw Ed25519 keys by id, one of which signs each answer."""

    platform: str
    url: str
    keys: Mapping[str, bytes]


class PlatformMessage(Protocol):
    """Something to be said to a platform, under an id that its sender has made and keeps."""

    @property
    def resource(self) -> Resource:
        """Return what it is about."""
        ...

    @property
    def key(self) -> str:
        """Return the id under which it is known for ever."""
        ...

    def document(self) -> dict[str, Json]:
        """Return the document that is sent, the same each time."""
        ...

    def echoed(self) -> dict[str, Json]:
        """Return what a platform must repeat in its answer: what it took is what was said."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LotPart:
    """One lot's share of a message.

    ``event`` is the platform's own id of the act, ``arrived`` the transfer by which the lot came to it: one
    of them says which points are burned.
    """

    record: str
    points: int
    co2e_mg: int
    event: str = ""
    arrived: str = ""
    valid_through: str = ""

    def document(self) -> dict[str, Json]:
        """Return the lot as it stands in a message."""
        named = {"event": self.event, "arrived": self.arrived, "valid_through": self.valid_through}
        return {
            "record": self.record,
            "points": str(self.points),
            "co2e_mg": str(self.co2e_mg),
            **{name: value for name, value in named.items() if value},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPoints:
    """Reserve points of an account at the source until the decision.

    It never ends by itself: after ``expected_in_s`` seconds without a decision the platform asks.
    """

    resource: ClassVar[Resource] = Resource.HOLDS
    id: str
    transfer: str
    account: str
    unit: str
    points: int
    destination: str
    expected_in_s: int
    lots: tuple[LotPart, ...]

    @property
    def key(self) -> str:
        """Return the hold's id."""
        return self.id

    def document(self) -> dict[str, Json]:
        """Return the document that is sent."""
        return {
            "id": self.id,
            "transfer": self.transfer,
            "account": self.account,
            "unit": self.unit,
            "points": str(self.points),
            "destination": self.destination,
            "expected_in_s": self.expected_in_s,
            "lots": [lot.document() for lot in self.lots],
        }

    def echoed(self) -> dict[str, Json]:
        """Return what a platform must repeat in its answer: all of it."""
        return self.document()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Prepare points for an account at the destination; they are posted by the decision.

    ``original`` names the transfer that is given back by this one; empty for all others.
    """

    resource: ClassVar[Resource] = Resource.CREDITS
    id: str
    transfer: str
    account: str
    unit: str
    points: int
    co2e_mg: int
    source: str
    expected_in_s: int
    lots: tuple[LotPart, ...]
    original: str = ""

    @property
    def key(self) -> str:
        """Return the credit's id."""
        return self.id

    def document(self) -> dict[str, Json]:
        """Return the document that is sent."""
        return {
            "id": self.id,
            "transfer": self.transfer,
            "account": self.account,
            "unit": self.unit,
            "points": str(self.points),
            "co2e_mg": str(self.co2e_mg),
            "source": self.source,
            "expected_in_s": self.expected_in_s,
            "lots": [lot.document() for lot in self.lots],
            **({"original": self.original} if self.original else {}),
        }

    def echoed(self) -> dict[str, Json]:
        """Return what a platform must repeat in its answer: all of it."""
        return self.document()


@dataclass(frozen=True, slots=True, kw_only=True)
class TellDecision:
    """Deliver the one signed decision on a transfer; ``envelope``: body and signatures."""

    resource: ClassVar[Resource] = Resource.DECISIONS
    transfer: str
    envelope: Mapping[str, Json]

    @property
    def key(self) -> str:
        """Return the transfer's id: there is one decision on each."""
        return self.transfer

    def document(self) -> dict[str, Json]:
        """Return the document that is sent."""
        return dict(self.envelope)

    def echoed(self) -> dict[str, Json]:
        """Return what a platform must repeat in its answer: the digest of the decision's canonical bytes."""
        return {"transfer": self.transfer, "digest": digest(canonical_bytes(self.envelope["body"]))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPoints:
    """Reserve what is unspent of an earlier transfer's points, to give it back by a new, linked transfer."""

    resource: ClassVar[Resource] = Resource.RETURNS
    id: str
    transfer: str
    original: str
    account: str
    unit: str
    points: int
    expected_in_s: int

    @property
    def key(self) -> str:
        """Return the return's id."""
        return self.id

    def document(self) -> dict[str, Json]:
        """Return the document that is sent."""
        return {
            "id": self.id,
            "transfer": self.transfer,
            "original": self.original,
            "account": self.account,
            "unit": self.unit,
            "points": str(self.points),
            "expected_in_s": self.expected_in_s,
        }

    def echoed(self) -> dict[str, Json]:
        """Return what a platform must repeat in its answer: all of it."""
        return self.document()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAccount:
    """Ask whose account a code was given to; the answer's ``identity`` is used at once and never kept."""

    resource: ClassVar[Resource] = Resource.LINKS
    id: str
    code: str

    @property
    def key(self) -> str:
        """Return the link's id."""
        return self.id

    def document(self) -> dict[str, Json]:
        """Return the document that is sent."""
        return {"id": self.id, "code": self.code}

    def echoed(self) -> dict[str, Json]:
        """Return what a platform must repeat in its answer: never the code."""
        return {"id": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Have the platform ask its resident for consent to exactly one thing. ``points`` 0: not about points."""

    resource: ClassVar[Resource] = Resource.CONSENTS
    id: str
    account: str
    purpose: str
    transfer: str = ""
    points: int = 0

    @property
    def key(self) -> str:
        """Return the consent's id."""
        return self.id

    def document(self) -> dict[str, Json]:
        """Return the document that is sent."""
        move: dict[str, Json] = {"transfer": self.transfer, "points": str(self.points)}
        return {
            "id": self.id,
            "account": self.account,
            "purpose": self.purpose,
            **(move if self.transfer else {}),
        }

    def echoed(self) -> dict[str, Json]:
        """Return what a platform must repeat in its answer: all of it."""
        return self.document()


class Why(StrEnum):
    """Why nothing is known of a message."""

    NOT_SENT = "not-sent"  # the circuit is open, too many wait already, or the address is refused
    WAITING = "waiting"  # it was taken, and the answer comes later: to be asked for, or sent again
    LOST = "lost"  # it may have arrived; no answer came
    BUSY = "busy"  # the platform answered that it cannot answer now, or broke
    NOT_TAKEN = "not-taken"  # this request was refused as a request: an earlier one may have been taken
    NOT_SIGNED = "not-signed"  # what came does not bear the platform's signature over this request
    MALFORMED = "malformed"  # signed, and not what the contract says
    NOT_OFFERED = "not-offered"  # the platform takes no batches of this kind, or not so large ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The platform did it, now or before; ``document`` is its answer."""

    document: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The platform refused the id for good, or (``not-found``) has never heard of it."""

    code: str
    detail: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may have happened or not."""

    why: Why
    detail: str


PlatformOutcome = Answered | Declined | Unknown


class PlatformPeers(Protocol):
    """The platforms, each apart from the others: a slow or dead one keeps no other waiting."""

    async def send(self, platform: str, message: PlatformMessage) -> PlatformOutcome:
        """Say something to a platform, again while no answer comes, within a bounded time."""
        ...

    async def send_all(self, platform: str, messages: Sequence[PlatformMessage]) -> list[PlatformOutcome]:
        """Say several things of one kind in one request; the outcomes stand in their order.

        A platform that takes no batches is told one by one.
        """
        ...

    async def ask(self, platform: str, resource: Resource, *, key: str) -> PlatformOutcome:
        """Ask a platform how something stands now."""
        ...

    async def statement(
        self, platform: str, day: str, *, part: StatementPart = StatementPart.TOTALS, cursor: str = ""
    ) -> PlatformOutcome:
        """Ask a platform what a day of its added up to; ``cursor`` is ``next`` of the page before."""
        ...
