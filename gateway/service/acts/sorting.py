"""Sorting what memory does not hold."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from gateway.contract import Assembly
from gateway.model.source import Outcome, RefusedRow, SourceRow

__all__ = ["Sorting"]


class Sorting(Protocol):
    """The stages that sort more rows than memory holds."""

    def assemble(self, rows: Iterator[SourceRow | RefusedRow], assembly: Assembly) -> Iterator[Outcome]:
        """Sort rows and put them together as the adapter declares."""
        ...

    def order(self, keyed: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Sort payloads by their keys."""
        ...
