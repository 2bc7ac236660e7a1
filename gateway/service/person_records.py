"""The records of one account: its files are looked through, since nothing that names a person is indexed."""

from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol

from gateway.ports import ArrivedLot, BatchRow, Journal, PrivateRow, RecordFile, RecordFiles

__all__ = ["KeptRecord", "PersonFiles", "records_of"]


class PersonFiles(RecordFiles, Protocol):
    """Record files that can be asked for a person."""

    def names(self, file: RecordFile, pseudonym: bytes) -> bool:
        """Tell whether some row of a file names a person or household."""
        ...


class KeptRecord(NamedTuple):
    """A record's row and its batch; ``arrived``: what of it is meant that came to another platform."""

    row: PrivateRow
    batch: BatchRow
    arrived: ArrivedLot | None = None

    @property
    def lot(self) -> str:
        """Return the name of its lot."""
        return self.row.id if self.arrived is None else self.arrived.name


def records_of(
    account: bytes,
    platform: str,
    *,
    journal: Journal,
    files: PersonFiles,
    days: Collection[str] | None = None,
) -> Iterator[KeptRecord]:
    """Yield the records of an account, by its pseudonym inside the platform: of some days, or of all."""
    for batch in journal.batches():
        if batch.platform != platform:
            continue
        for file in journal.files(batch.number):
            if (days is None or file.day in days) and files.names(file, account):
                yield from (KeptRecord(row, batch) for row in files.read(file) if row.person == account)
