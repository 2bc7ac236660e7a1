"""What converting needs from the rest of the system; ``gateway.app`` joins it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ports import Clock, Journal, Log, Memory, Quarantine, RecordFiles
from gateway.service.preparing import Prepared
from gateway.service.publishing import PublishingRings
from gateway.service.scheme import MakeConverter
from gateway.service.sorting import Sorting
from gateway.signing import KeyedIndex, Signer

__all__ = ["Converting", "Run"]

PART_ROWS: Final = 32_768  # three parts are in memory at once, each about 100 MB with all that is made of it


Run = Callable[[Callable[[], Iterator[Prepared]]], Iterator[Prepared]]
"""Run a source of parts, in this process or in another, ahead of the one that decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converting:
    """What converting needs; joined by ``gateway.app``.

    ``memory`` is the journal, or what a dry run remembers over it. ``rings`` tells which keys may have
    signed what is published. ``part_rows`` is how many rows are decided at once.
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
    rings: Callable[[], PublishingRings]
    make_converter: MakeConverter
    run: Run
    part_rows: int = PART_ROWS
