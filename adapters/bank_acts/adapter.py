"""Hand over the rows between a bank's title and its sums; the mapping names the columns."""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.bank_acts.wire import read_acts
from gateway.contract import Assembly
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["BankActsAdapter"]


class BankActsAdapter:
    """Read tables of acts as banks print them; the columns keep their Chinese names.

    ``笔数`` and ``金额（元）`` come without separators of thousands; every other text comes as it is,
    full-width digits and signs included.
    """

    name = "bank_acts"
    platform: str | None = None
    assembly: Assembly | None = None

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each act once, after the sums at the foot have been found right."""
        return read_acts(document, file, source=source)
