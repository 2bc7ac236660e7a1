"""Hand over the acts of a month whose totals are right, and write such files."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from adapters.monthly_settlement.wire import read_month, write_month
from gateway.contract import Assembly
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["MonthlySettlementAdapter"]


class MonthlySettlementAdapter:
    """Read whole settlement files of a month; one that contradicts its heading is refused whole.

    A row has ``month``, ``institution``, ``event``, ``user``, ``day``, ``kind``, ``quantity`` and ``points``.
    """

    name = "monthly_settlement"
    platform: str | None = None
    assembly: Assembly | None = None

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each act once, after the whole file has been found to agree with its heading."""
        return read_month(document, file, source=source)

    def render(self, rows: Iterable[SourceRow], *, source: SourceFormat) -> bytes:
        """Write the settlement file of a month, with its totals.

        Raises:
            UsageError: the rows are not of one month and institution, or the format cannot hold them.
        """
        return write_month(list(rows), source=source)
