"""Look at the batches of a home at once, in this process or in several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.app.base.mappings import published_replayer
from gateway.bulk.workers import in_another_process
from gateway.ports import BatchRow, PublishedMapping, RecordFile, RecordFiles
from gateway.service.audit import QuickLook, Seen
from gateway.signing import KeyedIndex

__all__ = ["Looking"]

_Batches = Sequence[tuple[BatchRow, Sequence[RecordFile]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What looking needs; with ``processes`` of 0 it is done in this one."""

    issuer: str
    records: RecordFiles
    index: KeyedIndex
    mappings: Sequence[PublishedMapping]
    processes: int

    def __call__(self, batches: _Batches) -> Iterator[Seen | None]:
        """Yield what is seen of each batch, in their order; each process takes every so many-th."""
        if not self.processes:
            yield from self.here(batches)
            return
        shares = [
            in_another_process(partial(self.here, batches[first :: self.processes]))
            for first in range(self.processes)
        ]
        for number in range(len(batches)):
            yield next(shares[number % self.processes])

    def here(self, batches: _Batches) -> Iterator[Seen | None]:
        """Look at batches in this process."""
        quick = QuickLook(
            issuer=self.issuer,
            records=self.records,
            index=self.index,
            replayer=published_replayer(self.mappings),
            published={"sha256:" + mapping.digest: mapping.position for mapping in self.mappings},
        )
        return quick.looks(batches)
