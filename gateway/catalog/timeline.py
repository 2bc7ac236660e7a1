"""Choose the version of a scheme by the day of the act."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from typing import Generic, Protocol, TypeVar

__all__ = ["Timeline", "Version"]


class Version(Protocol):
    """A version of a scheme with the days it covers: from the first, up to and without the second."""

    @property
    def effective_from(self) -> date:
        """Return the first day covered."""
        ...

    @property
    def effective_until(self) -> date | None:
        """Return the first day no longer covered, or None."""
        ...


V = TypeVar("V", bound=Version)


class Timeline(Generic[V]):
    """The versions of one scheme in the order of their days; a successor's first day ends its predecessor."""

    def __init__(self, versions: Iterable[V]) -> None:
        self.versions = tuple(sorted(versions, key=lambda version: version.effective_from))
        self._starts = [version.effective_from.toordinal() for version in self.versions]
        self._ends = [
            None if version.effective_until is None else version.effective_until.toordinal()
            for version in self.versions
        ]

    def on(self, day: int) -> V | None:
        """Return the version in force on a day (proleptic Gregorian ordinal), or None."""
        place = bisect_right(self._starts, day) - 1
        if place < 0:
            return None
        end = self._ends[place]
        return None if end is not None and day >= end else self.versions[place]
