"""What converting needs from the rest of the system; ``gateway.app`` joins it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.contract import Assembly
from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.ports import Clock, Journal, Log, Memory, Quarantine, RecordFiles
from gateway.service.preparing import PartJob, Prepared
from gateway.service.scheme import MakeConverter
from gateway.signing import KeyedIndex, Signer

__all__ = ["Converting", "PrepareAll", "Sorting"]

PART_ROWS: Final = 32_768  # three parts are in memory at once, each about 100 MB with all that is made of it


class Sorting(Protocol):
    """The stages that sort more rows than memory holds."""

    def assemble(self, rows: Iterator[SourceRow | RefusedRow], assembly: Assembly) -> Iterator[Outcome]:
        """Sort rows and put them together as the adapter declares."""
        ...

    def order(self, keyed: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Sort payloads by their keys."""
        ...


PrepareAll = Callable[[Callable[[PartJob], Prepared], Iterator[PartJob]], Iterator[tuple[PartJob, Prepared]]]
"""Prepare parts in this process or in others; they come back in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converting:
    """What converting needs; joined by ``gateway.app``.

    ``memory`` is the journal, or what a dry run remembers over it. ``part_rows`` is how many rows are
    decided at once.
    """

    issuer: str
    profile: str
    journal: Journal
    memory: Memory
    records: RecordFiles
    log: Log
    quarantine: Quarantine
    sorting: Sorting
    clock: Clock
    random_bytes: Callable[[int], bytes]
    index: KeyedIndex
    signers: Sequence[Signer]
    make_converter: MakeConverter
    prepare_all: PrepareAll
    part_rows: int = PART_ROWS
