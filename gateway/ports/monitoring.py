"""What a monitor remembers of a log of others."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

__all__ = ["MonitorBooks", "SeriesHead", "StatedDay"]


class SeriesHead(NamedTuple):
    """The last batch of a series: its number, and the digest of its entry."""

    sequence: int
    digest: str


class StatedDay(NamedTuple):
    """The last statement of a day of a platform: its number, and the last batch that it covers."""

    supplement: int
    through: int


class MonitorBooks(Protocol):
    """The books of one log, written together with how far its entries were read."""

    def checkpoint(self) -> bytes:
        """Return the last checkpoint that was found consistent; empty at first."""
        ...

    def entries(self) -> int:
        """Return how many entries were read."""
        ...

    def advance(self, note: bytes, entries: int) -> None:
        """Note a checkpoint that was found consistent, and how many entries were read under it."""
        ...

    def series(self, platform: str, kind: str) -> SeriesHead | None:
        """Return the last batch of a series."""
        ...

    def add_batch(self, platform: str, kind: str, *, head: SeriesHead, root: str, size: int) -> None:
        """Note a batch."""
        ...

    def batch_sizes(self, platform: str, root: str) -> list[int]:
        """Return the sizes of a platform's batches with that root."""
        ...

    def add_mapping(self, digest: str) -> None:
        """Note a published mapping."""
        ...

    def knows_mapping(self, digest: str) -> bool:
        """Tell whether a mapping was published."""
        ...

    def day(self, platform: str, day: str) -> StatedDay | None:
        """Return the last statement of a day."""
        ...

    def add_day(self, platform: str, day: str, *, stated: StatedDay, sums: Mapping[str, int]) -> None:
        """Note a day statement and what its cells add up to."""
        ...

    def add_finding(self, position: int, words: str) -> None:
        """Note something that people should look at."""
        ...
