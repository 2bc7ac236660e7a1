"""What a witness remembers of the logs that it follows."""

from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.transparency import VerifierKey

__all__ = ["WitnessMemory"]


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
