"""Read the public statements of a log of others, and hold them against each other.

A monitor sees no record: it can tell that series have no gap, that day statements sum batches which are in
the log, use mappings which were published, and count no more records than those batches have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from gateway.errors import MalformedDocument
from gateway.model.canonical import digest
from gateway.model.shape import Shape
from gateway.model.statement import BATCH_TYPE, DAY_TYPE, MAPPING_TYPE
from gateway.model.strict import read_strict_object
from gateway.ports import MonitorBooks, SeriesHead, StatedDay

__all__ = ["StatementReader"]

Body = dict[str, Any]  # a statement that its schema has found good
_SUMS = ("count", "co2e_mg", "points")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReader:
    """Reads entries in their order."""

    books: MonitorBooks
    shape: Shape

    def read(self, position: int, entry: bytes) -> None:
        """Take one entry into the books; what does not fit is noted as a finding."""
        try:
            statement = read_strict_object(entry)
            self.shape.require(statement, f"entry {position}")
        except MalformedDocument as error:
            self.books.add_finding(position, f"no statement: {error}")
            return
        body = cast("Body", statement["body"])
        found: Iterator[str] = iter(())
        if body["type"] == BATCH_TYPE:
            found = self._batch(body, entry_digest=digest(entry))
        elif body["type"] == DAY_TYPE:
            found = self._day(body)
        elif body["type"] == MAPPING_TYPE:
            self.books.add_mapping(body["mapping"]["digest"])
        for words in found:
            self.books.add_finding(position, words)

    def _batch(self, body: Body, *, entry_digest: str) -> Iterator[str]:
        platform, kind = body["platform"], body["kind"]
        head = self.books.series(platform, kind)
        expected = (0, "") if head is None else (head.sequence + 1, head.digest)
        if (body["sequence"], body.get("previous", "")) != expected:
            yield f"series {platform} {kind}: batch {body['sequence']} does not follow on the last one"
        self.books.add_batch(
            platform,
            kind,
            head=SeriesHead(body["sequence"], entry_digest),
            root=body["records"]["root"],
            size=body["records"]["size"],
        )

    def _day(self, body: Body) -> Iterator[str]:
        """Check a day statement: its number, its batches, its mappings, its sums."""
        platform, day = body["platform"], body["day"]
        where = f"day {day} of {platform}, supplement {body['supplement']}"
        last = self.books.day(platform, day)
        expected = (0, -1) if last is None else (last.supplement + 1, last.through)
        if (body["supplement"], body["batches"]["after"]) != expected:
            yield f"{where}: does not follow on the statement before it"
        if len(set(body["roots"])) != len(body["roots"]):
            yield f"{where}: sums a batch twice"
        sizes = [self.books.batch_sizes(platform, root) for root in body["roots"]]
        if not all(sizes):
            yield f"{where}: sums a batch that is not in the log before it"
        for cell in body["cells"]:
            if not self.books.knows_mapping(cell["mapping"]):
                yield f"{where}: uses the mapping {cell['mapping']}, which was not published before"
        cells = [*body["cells"], *([body["merged"]] if "merged" in body else [])]
        sums = {name: sum(int(cell[name]) for cell in cells) for name in _SUMS}
        records = sum(max(known, default=0) for known in sizes)
        if sums["count"] > records:
            yield f"{where}: counts {sums['count']} records, its batches have {records}"
        stated = StatedDay(body["supplement"], body["batches"]["through"])
        self.books.add_day(platform, day, stated=stated, sums=sums)
