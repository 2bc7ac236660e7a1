"""What the HTTP interface needs from the rest of the system; ``gateway.app`` joins it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from gateway.ports import Clock, Journal, Log, Operations, Platforms, RecordFiles
from gateway.service.onboarding import Gatekeeper
from gateway.service.ordering import Desk
from gateway.service.quorum import Quorum
from gateway.service.replaying import Replayer
from gateway.service.submitting import Submitting
from gateway.service.trying import Trying
from gateway.signing import KeyedIndex

__all__ = ["WITNESSED", "WITNESSED_HEADER", "ApiParts", "Limits", "Upload"]

WITNESSED_HEADER: Final = "Tanqiao-Witnessed"  # true or false: has what is sent its quorum of witnesses?
WITNESSED: Final = {
    WITNESSED_HEADER: {
        "description": "`true` once the quorum of witnesses has cosigned the checkpoint; until then `false`.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    }
}

MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a request may take: bytes, and seconds without a byte."""

    document_bytes: int = 8 * MEBIBYTE  # 10,000 acts of 800 bytes
    sample_bytes: int = MEBIBYTE  # what anybody may have computed
    file_bytes: int = 8 * 1024 * MEBIBYTE
    idle_seconds: int = 20
    body_seconds: int = 60  # for a document; a file may take as long as it keeps coming
    wait_seconds: int = 30
    links_a_minute: int = 600  # of one platform: who guesses identities does not get far


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """The parts behind the resources. ``log_folder`` is served as it stands, but for the checkpoint.

    ``checkpoint`` is the newest one with its cosignatures; ``witnessed`` tells if one has its quorum.
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
    journal: Journal
    records: RecordFiles
    log: Callable[[], Log]
    log_folder: Path
    replayer: Callable[[], Replayer]
    trying: Trying
    uploading: Callable[[str], AbstractContextManager[Upload]]
    ready: Callable[[], list[str]]
    quorum: Quorum
    checkpoint: Callable[[], bytes]
    witnessed: Callable[[bytes], bool]
    limits: Limits = field(default_factory=Limits)
