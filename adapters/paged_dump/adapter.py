"""Hand over the acts of a dump of pages; the mapping names JSON Pointers from an act on."""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.paged_dump.wire import read_pages
from gateway.contract import Assembly
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["PagedDumpAdapter"]


class PagedDumpAdapter:
    """Read whole dumps of pages; an act on two pages comes twice, and counts once by its event."""

    name = "paged_dump"
    platform: str | None = None
    assembly: Assembly | None = None

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each entry of each page, after all pages have been found to follow each other."""
        return read_pages(document, file, source=source)
