"""What a witness remembers of the logs that it follows, and what a log keeps of its witnesses."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from gateway.transparency import VerifierKey

__all__ = [
    "CosignedNotes",
    "CosigningStatus",
    "WitnessAnswer",
    "WitnessMemory",
    "WitnessPeers",
    "WitnessState",
]


class WitnessMemory(Protocol):
    """The keys of known logs, and of each log the newest note that the witness has cosigned."""

    def keys(self, origin: str) -> Sequence[VerifierKey]:
        """Return the keys that are trusted for a log; none where it is not known."""
        ...

    def decide(self, origin: str, judge: Callable[[bytes], bytes]) -> bytes:
        """Replace the newest note by what ``judge`` makes of it, and return that.

        The note is empty where none was cosigned yet. No other decision about the log comes between reading
        and replacing, and what is returned survives a kill. Where ``judge`` raises, nothing is changed.
        """
        ...

    def keep_evidence(self, data: bytes) -> None:
        """Keep the proof that a log was forked; the same proof is kept once."""
        ...


class WitnessAnswer(NamedTuple):
    """What a witness answered over HTTP; ``kind`` is the content type without parameters."""

    status: int
    kind: str
    content: bytes


class WitnessPeers(Protocol):
    """The way to witnesses."""

    def add_checkpoint(self, url: str, body: bytes) -> WitnessAnswer:
        """Send an add-checkpoint request to the witness at a submission prefix.

        Raises:
            Unreachable: it does not answer, or answers too much.
        """
        ...


class WitnessState(NamedTuple):
    """How asking one witness goes: the size it cosigned last, failures in a row, and the last one's words."""

    name: str
    size: int
    failures: int
    trouble: str


class CosigningStatus(NamedTuple):
    """How cosigning goes. ``waiting_since`` is empty while the newest checkpoint has its quorum."""

    reported: str
    quorum: str
    waiting_since: str
    witnesses: tuple[WitnessState, ...] = ()


class CosignedNotes(Protocol):
    """Checkpoints of the own log with the cosignatures that were gathered. An empty note is none."""

    def newest(self) -> bytes:
        """Return the newest checkpoint that any witness has cosigned."""
        ...

    def witnessed(self) -> bytes:
        """Return the newest checkpoint that has reached the quorum."""
        ...

    def keep(self, note: bytes, *, is_witnessed: bool) -> None:
        """Keep a checkpoint with its cosignatures."""
        ...

    def status(self) -> CosigningStatus | None:
        """Return the last report; None where nothing was ever reported."""
        ...

    def report(self, status: CosigningStatus) -> None:
        """Replace the report."""
        ...
