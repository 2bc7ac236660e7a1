"""What converting needs from the rest of the system; ``gateway.app`` joins it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from gateway.claims import Kinds
from gateway.ports import (
    Clock,
    EncodedFile,
    Findings,
    Journal,
    Log,
    Memory,
    PrivateColumns,
    Quarantine,
    RecordFiles,
)
from gateway.service.acts.preparing import Asked, Part
from gateway.service.acts.scheme import MakeConverter
from gateway.service.acts.sorting import Sorting
from gateway.service.claims.reversing import Reversing
from gateway.service.converting.finishing import Finished, Finisher
from gateway.service.converting.part import Verdict
from gateway.service.publishing import PublishingRings
from gateway.signing import KeyedIndex, Signer

__all__ = ["Converting", "Crew", "Finishing", "Unfinished"]

PART_ROWS: Final = (
    32_768  # a handful of parts are in memory at once, each about 60 MB with all that is made of it
)


class Finishing(Protocol):
    """A part that is being finished."""

    def done(self) -> bool:
        """Tell whether the result is there."""
        ...

    def result(self) -> Finished:
        """Wait for the result; raises what went wrong."""
        ...


class Unfinished(Protocol):
    """The prepared rest of a part, in whatever form its crew keeps it."""

    def finish(self, finisher: Finisher, *, verdict: Verdict, accepted: datetime) -> Finishing:
        """Begin to finish the part."""
        ...


class Crew(Protocol):
    """Who prepares and finishes parts: this process, or others beside it."""

    @property
    def ahead(self) -> int:
        """Return how many parts may wait to be decided while the next are judged."""
        ...

    def prepare(self, make: Callable[[], Iterator[Part]]) -> Iterator[tuple[Asked, Unfinished]]:
        """Yield what ``make()`` yields."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Converting:
    """What converting needs; joined by ``gateway.app``.

    ``memory`` is the journal, or what a dry run remembers over it. ``kinds`` say what claims compare.
    ``rings`` tells which keys may have signed what is published. ``part_rows`` is how many rows are
    decided at once.
    """

    issuer: str
    profile: str
    journal: Journal
    memory: Memory
    records: RecordFiles
    log: Log
    quarantine: Quarantine
    findings: Findings
    kinds: Kinds
    reversing: Reversing
    sorting: Sorting
    clock: Clock
    random_bytes: Callable[[int], bytes]
    index: KeyedIndex
    signers: Sequence[Signer]
    rings: Callable[[], PublishingRings]
    make_converter: MakeConverter
    encode: Callable[[PrivateColumns], list[EncodedFile]]
    crew: Callable[[], AbstractContextManager[Crew]]
    part_rows: int = PART_ROWS
