"""What platforms have signed about their corridors: agreements, pauses, and the ends of pauses."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

__all__ = ["CorridorDocument", "CorridorDocuments", "CorridorKind"]


class CorridorKind(StrEnum):
    """What a document does to a corridor."""

    AGREEMENT = "agreement"
    PAUSE = "pause"
    RESUME = "resume"


class CorridorDocument(NamedTuple):
    """A signed document about a corridor.

    ``digest`` is that of its body. ``version`` is 0 for what is no agreement. ``position`` is its place in
    the log, None until it stands there.
    """

    digest: str
    kind: CorridorKind
    source: str
    destination: str
    version: int
    document: bytes
    received: str
    position: int | None = None


class CorridorDocuments(Protocol):
    """The documents of all corridors, in the order in which they came."""

    def receive(self, document: CorridorDocument) -> bool:
        """Keep a document; False where another agreement has its corridor and version already."""
        ...

    def of(self, source: str = "", destination: str = "") -> Sequence[CorridorDocument]:
        """Return the documents from a platform, to a platform, or all."""
        ...

    def document(self, digest: str) -> CorridorDocument | None:
        """Return one document."""
        ...

    def waiting(self) -> Sequence[CorridorDocument]:
        """Return the documents that do not stand in the log yet."""
        ...

    def announce(self, digest: str, entry: bytes) -> None:
        """Queue the log entry of a document, once, in one transaction with its place."""
        ...
