"""What the service keeps beside the journal: platforms and their keys, used nonces, operations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import NamedTuple, Protocol

__all__ = [
    "NewOperation",
    "NonceUse",
    "Nonces",
    "Operation",
    "OperationKind",
    "OperationState",
    "Operations",
    "Operator",
    "Operators",
    "Platform",
    "PlatformKey",
    "Platforms",
    "RequestLimits",
    "SignedNonce",
    "Spool",
]


class Platform(NamedTuple):
    """A platform that may speak to this gateway. ``suspended`` says why it may not, empty while it may."""

    id: str
    suspended: str
    created: str


class PlatformKey(NamedTuple):
    """A platform's key for signing requests. ``revoked`` is the moment from which it counts no more."""

    id: str
    platform: str
    public: bytes
    created: str
    revoked: str | None


class Platforms(Protocol):
    """Who may speak to this gateway, and with which keys."""

    def invite(self, platform: str, *, code_hash: bytes, expires: str, now: str) -> None:
        """Admit a platform whose first key is still to come; an earlier invitation lapses."""
        ...

    def enrol(self, platform: str, key: PlatformKey, *, code_hash: bytes) -> bool:
        """Use an invitation up and keep the key; False where there is none that fits at this moment."""
        ...

    def add_key(self, key: PlatformKey) -> None:
        """Keep one more key of a platform."""
        ...

    def revoke_key(self, key_id: str, *, now: str) -> None:
        """End a key; what it signed before stays."""
        ...

    def suspend(self, platform: str, reason: str) -> None:
        """Keep a platform out for a reason, or let it in again with an empty one."""
        ...

    def platform(self, platform: str) -> Platform | None:
        """Return a platform."""
        ...

    def platforms(self) -> list[Platform]:
        """Return all platforms."""
        ...

    def key(self, key_id: str) -> PlatformKey | None:
        """Return a key, revoked or not."""
        ...

    def keys(self, platform: str) -> list[PlatformKey]:
        """Return the keys of a platform."""
        ...


class NonceUse(Enum):
    """What a nonce was found to be. ``UNKNOWN``: the memory of that time was lost, so it is not accepted."""

    FRESH = auto()
    USED = auto()
    UNKNOWN = auto()


class SignedNonce(NamedTuple):
    """A nonce and what its request says: which key signed it and when, and until when it holds."""

    key_id: str
    nonce: str
    created: datetime
    expires: datetime


class Nonces(Protocol):
    """Which nonces were used. A nonce that was used once is never new again while its signature holds."""

    def use(self, signed: Sequence[SignedNonce], *, now: datetime) -> list[NonceUse]:
        """Use nonces up that have arrived until ``now``, in their order, each as if it came alone."""
        ...


class RequestLimits(Protocol):
    """How many requests a platform may send."""

    def wait(self, platform: str) -> int:
        """Count a request; return how many seconds the platform has to wait, 0 if it may go on."""
        ...

    def waits(self, platform: str, requests: int) -> list[int]:
        """Count so many requests one after the other; return for each how many seconds it has to wait."""
        ...


class OperationKind(StrEnum):
    """What is to be done: rows or a file to be converted, or an order that concerns one account or record."""

    ROWS = "rows"
    FILE = "file"
    LINK = "link"
    UNLINK = "unlink"
    WITHDRAWAL = "withdrawal"


class OperationState(StrEnum):
    """How far an operation is."""

    RECEIVED = "received"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperation:
    """A submission as it arrived. ``content`` holds rows as NDJSON, None where they wait in a file.

    An order has no mapping, adapter or rows; its content is what it is about, by keyed names alone.
    ``trace`` names the span of the request that brought it, as W3C ``traceparent``; empty without one.
    """

    id: str
    kind: OperationKind
    platform: str
    key: str
    content_sha256: bytes
    mapping: str
    adapter: str
    name: str
    rows: int
    content: bytes | None
    created: str
    trace: str = ""


class Operation(NamedTuple):
    """A submission and what became of it. ``result`` is a JSON document, empty until it is done or failed.

    ``crashes`` counts the times that the program failed, by a fault of its own, to convert it. ``versions``
    are the digests of the mapping's versions by which it is converted, empty until it is taken. ``trace`` is
    that of :class:`NewOperation`.
    """

    number: int
    id: str
    kind: OperationKind
    platform: str
    key: str
    content_sha256: bytes
    mapping: str
    adapter: str
    name: str
    rows: int
    state: OperationState
    spool: str | None
    first_row: int
    result: str
    created: str
    crashes: int = 0
    versions: str = ""
    trace: str = ""


class Operator(NamedTuple):
    """A token of somebody who runs or watches the gateway; platform and days are an auditor's grant."""

    id: str
    role: str
    platform: str
    first_day: str
    last_day: str
    created: str
    expires: str
    revoked: str | None


class Operators(Protocol):
    """Who runs or watches this gateway."""

    def add(self, operator: Operator, *, token_hash: bytes) -> None:
        """Keep a token."""
        ...

    def by_hash(self, token_hash: bytes) -> Operator | None:
        """Return whose token it is, whether it still holds or not."""
        ...

    def revoke(self, name: str, *, now: str) -> bool:
        """End a token; False where there is none of that id."""
        ...

    def operators(self) -> list[Operator]:
        """Return all, the oldest first."""
        ...


class Spool(NamedTuple):
    """Operations that are converted together, in the order of their rows, all by the same versions."""

    name: str
    mapping: str
    adapter: str
    operations: list[Operation]

    @property
    def versions(self) -> frozenset[str]:
        """Return the digests of the mapping's versions that were in use when the operations were taken."""
        return frozenset(self.operations[0].versions.split())


class Operations(Protocol):
    """The submissions of all platforms, in the order of arrival."""

    def receive(self, operation: NewOperation) -> Operation:
        """Keep a submission durably; one with a known key is not kept again, the first is returned."""
        ...

    def receive_all(self, operations: Sequence[NewOperation]) -> list[Operation | Exception]:
        """Keep submissions durably, each as if it came alone; returns what kept one from it in its place."""
        ...

    def operation(self, operation_id: str) -> Operation | None:
        """Return one operation."""
        ...

    def by_key(self, platform: str, key: str) -> Operation | None:
        """Return the operation of a platform with that idempotency key."""
        ...

    def of_platform(self, platform: str, *, before: int | None, limit: int) -> list[Operation]:
        """Return operations of a platform, newest first, those before a number."""
        ...

    def content(self, operation: Operation) -> bytes:
        """Return what an operation that is not done brought; empty where it waits in a file."""
        ...

    def finished(self, operation_ids: Sequence[str]) -> list[Operation]:
        """Return those of some operations that are done or have failed."""
        ...

    def waiting(self, platform: str | None = None) -> int:
        """Return how many operations are not done, of one platform or of all."""
        ...

    def oldest_waiting(self) -> str | None:
        """Return since when the oldest operation that is not done has been waiting."""
        ...

    def spooled(self) -> list[Spool]:
        """Return what was being worked on when the last sequencer ended."""
        ...

    def take(
        self,
        *,
        rows: int,
        write: Callable[[str, Sequence[bytes]], None],
        name: str,
        versions: Callable[[str], Iterable[str]],
    ) -> Spool | None:
        """Take the oldest waiting operations of one mapping and adapter together, about so many rows.

        ``write`` is called with the spool's name and the contents before the operations are marked,
        ``versions`` gives the digests of a mapping's versions, which are noted with them.
        """
        ...

    def crashed(self, spool: str) -> None:
        """Count a crash of the program while it converted the operations of a spool."""
        ...

    def finish(self, results: Sequence[tuple[str, OperationState, str]], *, now: str, log_size: int) -> None:
        """Write down what became of operations, announce it, and drop their contents: all or nothing.

        ``log_size`` is one at which all that they have added is in the log.
        """
        ...
