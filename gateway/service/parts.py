"""What converting needs from the rest of the system; ``gateway.app`` joins it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from gateway.contract import Assembly
from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.ports import Clock, Journal, Log, Memory, RecordFiles, Workspace
from gateway.service.scheme import MakeConverter
from gateway.signing import KeyedIndex, Signer

__all__ = ["Converting", "Sorting"]

PART_ROWS: Final = 32_768  # outcomes in memory at once: about 100 MB with everything made of them


class Sorting(Protocol):
    """The stages that need the disk."""

    def assemble(
        self, rows: Iterator[SourceRow | RefusedRow], assembly: Assembly, *, folder: Path
    ) -> Iterator[Outcome]:
        """Sort rows outside of memory and put them together as the adapter declares."""
        ...

    def order(self, keyed: Iterable[tuple[bytes, bytes]], folder: Path) -> Iterator[bytes]:
        """Sort payloads by their keys outside of memory."""
        ...


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
    workspace: Workspace
    sorting: Sorting
    clock: Clock
    random_bytes: Callable[[int], bytes]
    index: KeyedIndex
    signers: Sequence[Signer]
    make_converter: MakeConverter
    part_rows: int = PART_ROWS
