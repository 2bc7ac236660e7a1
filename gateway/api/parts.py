"""What the HTTP interface needs from the rest of the system; ``gateway.app`` joins it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from opentelemetry.trace import Tracer

from gateway.ports import Clock, Journal, Log, Operations, Platforms, RecordFiles
from gateway.service.access.onboarding import Gatekeeper
from gateway.service.access.operating import OperatorGate
from gateway.service.agreements.agreeing import Agreeing
from gateway.service.mappings.maintaining import Judging
from gateway.service.mappings.trying import Trying
from gateway.service.receipts.replaying import Replayer
from gateway.service.submitting.ordering import Desk
from gateway.service.submitting.taking import Submitting
from gateway.service.transfers.answering import Answering
from gateway.service.transfers.transferring import Transferring
from gateway.service.webhooks.endpoints import WebhookDesk
from gateway.service.witnesses.quorum import Quorum
from gateway.signing import KeyedIndex

__all__ = ["WITNESSED", "WITNESSED_HEADER", "ApiParts", "Limits", "Measures", "Reasons", "Upload"]

WITNESSED_HEADER: Final = "Tanqiao-Witnessed"  # true or false: has what is sent its quorum of witnesses?
WITNESSED: Final = {
    WITNESSED_HEADER: {
        "description": "`true` once the quorum of witnesses has cosigned the checkpoint; until then `false`.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    }
}

MEBIBYTE: Final = 1 << 20
Reasons = Callable[[str], Mapping[int, str]]  # of a submission: why rows were refused, by their number


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What requests may take: bytes, and seconds without a byte."""

    document_bytes: int = 8 * MEBIBYTE  # 10,000 acts of 800 bytes
    sample_bytes: int = MEBIBYTE  # what anybody may have computed
    file_bytes: int = 8 * 1024 * MEBIBYTE
    idle_seconds: int = 20
    body_seconds: int = 60  # for a document; a file may take as long as it keeps coming
    wait_seconds: int = 30
    bytes_per_second: int = 1024  # a file may take as long as it keeps coming, but not for ever
    held_bytes: int = 256 * MEBIBYTE  # contents of all requests of one process that are being answered
    requests: int = 4000  # that one process answers at a time; those that wait for outcomes, too


class Upload(Protocol):
    """A file that is arriving."""

    whole: bool
    size: int

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        ...

    @property
    def sha256(self) -> bytes:
        """Return the digest of what has arrived."""
        ...


class Measures(Protocol):
    """What is counted for those who watch the service."""

    def answered(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count an answer."""
        ...

    def text(self) -> bytes | None:
        """Return all figures in the text format of Prometheus; None where they are not shown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """The parts behind the resources. ``web_folder`` is served as it stands, ``log_folder`` nearly so.

    ``checkpoint`` is the newest one with its cosignatures; ``witnessed`` tells if one has its quorum.
    ``reasons`` says why rows of a submission were refused, as long as it may be said, ``rejections`` the
    same of a whole file as lines.
    ``day_of_records`` gives the records of a platform and day, for somebody named, as lines.
    """

    issuer: str
    origin: str
    clock: Clock
    gatekeeper: Gatekeeper
    submitting: Submitting
    desk: Desk
    index: Callable[[], KeyedIndex]
    platforms: Platforms
    operations: Operations
    webhooks: WebhookDesk
    journal: Journal
    records: RecordFiles
    log: Callable[[], Log]
    log_folder: Path
    web_folder: Path
    agreeing: Agreeing
    transferring: Transferring
    answering: Answering
    replayer: Callable[[], Replayer]
    trying: Trying
    judging: Judging
    reasons: Reasons
    rejections: Callable[[str], Iterator[bytes]]
    uploading: Callable[[str], AbstractContextManager[Upload]]
    drop_upload: Callable[[str], None]
    ready: Callable[[], list[str]]
    measures: Measures
    operator_gate: OperatorGate
    new_code: Callable[[], str]
    day_of_records: Callable[[str, str, str], Iterator[bytes]]
    quorum: Quorum
    checkpoint: Callable[[], bytes]
    witnessed: Callable[[bytes], bool]
    limits: Limits = field(default_factory=Limits)
    tracer: Tracer | None = None
