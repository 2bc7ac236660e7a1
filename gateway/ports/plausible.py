"""What judging whether acts are plausible keeps: when they took place, and what was found."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["FindingFile", "Findings", "NewSpan"]


class NewSpan(NamedTuple):
    """When an accepted act took place, in seconds, and the last day on which it is compared with others.

    ``key`` names the person within one scheme; nobody can tell who it is without the index key.
    """

    key: bytes
    start: int
    end: int
    last_day: int


class FindingFile(NamedTuple):
    """The findings of a batch: the digest of their file, and how many they are."""

    digest: str
    size: int


class Findings(Protocol):
    """Where findings about accepted acts are written down, a file for each batch that has some."""

    def write(self, batch: int, lines: Sequence[bytes]) -> FindingFile:
        """Write the findings of a batch durably; replaces what a killed run has left."""
        ...

    def read(self, batch: int, file: FindingFile) -> list[bytes]:
        """Read the findings of a batch after checking the digest; raises IntegrityBroken naming the file."""
        ...

    def strays(self, batches: set[int]) -> list[str]:
        """Return files that belong to none of the batches."""
        ...

    def keep_only(self, batches: set[int]) -> None:
        """Remove files that belong to none of the batches."""
        ...

    def sweep(self, batch: int) -> None:
        """Remove what a killed run has written of a batch that was never decided."""
        ...
