"""Hand over the rows of a document as they are; the mapping names columns or JSON Pointers."""

from collections.abc import Iterator
from typing import BinaryIO, assert_never

from gateway.contract import Assembly, read_csv, read_ndjson, read_ndjson_blocks, read_parquet
from gateway.model.source import RefusedRow, SourceBlock, SourceFormat, SourceRow

__all__ = ["CommonAdapter"]


class CommonAdapter:
    """Read the common formats; for every platform that can export one of them."""

    name = "common"
    platform: str | None = None
    assembly: Assembly | None = None

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each row of a document once; see the contract for what a reader refuses."""
        match source.kind:
            case "csv":
                return read_csv(document, file, source=source)
            case "ndjson":
                return read_ndjson(document, file, source=source)
            case "parquet":
                return read_parquet(document, file)
            case _:
                assert_never(source.kind)

    def blocks(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceBlock | SourceRow | RefusedRow]:
        """Yield the same rows, those of NDJSON in blocks where they can be read at once."""
        if source.kind == "ndjson":
            return read_ndjson_blocks(document, file, source=source)
        return self.rows(document, file, source=source)
