"""What became of each row of a submission: its record, the record it repeats, or why it was refused."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import orjson

from gateway.contract import PlatformAdapter
from gateway.model.erasure import NOWHERE
from gateway.model.packed import cut
from gateway.model.source import SourceRow
from gateway.ports import EventMark, Journal, RecordFiles
from gateway.service.recording import event_text
from gateway.service.scheme import SchemeEvaluator
from gateway.service.submission import InputDocument
from gateway.signing import NAME_BYTES, KeyedIndex

__all__ = ["RowOutcome", "SetAside", "outcomes_of_rows", "reasons_of"]


class SetAside(Protocol):
    """The rows that a submission has set aside."""

    def lines(self, submission: str) -> Iterator[bytes]:
        """Return one JSON object for each."""
        ...


class RowOutcome(NamedTuple):
    """What became of one row: accepted or duplicate with a record and its batch, or rejected with a code.

    Why in words is not part of it: that quotes the row, so it stands in the quarantine alone, which is
    forgotten with the person (:func:`reasons_of`).
    """

    row: int
    outcome: str
    record: str = ""
    batch: int = -1
    code: str = ""
    field: str = ""

    def document(self, first_row: int) -> dict[str, object]:
        """Return the outcome as it is kept, counted from a request's first row."""
        number: dict[str, object] = {"row": self.row - first_row + 1, "outcome": self.outcome}
        if self.outcome == "rejected":
            return number | {"code": self.code, "field": self.field}
        return number | {"record": self.record, "batch": self.batch}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    journal: Journal
    records: RecordFiles
    ids: dict[int, dict[int, str]]

    def id_at(self, mark: EventMark) -> str:
        """Return the id of a record; empty where its person was erased."""
        batch, leaf_index = mark.batch, mark.leaf_index
        if batch == NOWHERE:
            return ""
        if batch not in self.ids:
            self.ids[batch] = {
                index: record
                for file in self.journal.files(batch)
                for columns in [self.records.read_columns(file)]
                for index, record in zip(columns.leaf_index, columns.id, strict=True)
            }
        return self.ids[batch][leaf_index]


def outcomes_of_rows(
    document: InputDocument,
    submission: str,
    *,
    adapter: PlatformAdapter,
    evaluator: SchemeEvaluator,
    index: KeyedIndex,
    kept: tuple[Journal, RecordFiles, SetAside],
) -> list[RowOutcome]:
    """Return the outcome of each row of a converted document, in their order.

    An event's first row of the submission that recorded it is `accepted`, every other one a `duplicate`.

    Args:
        document: what was converted.
        submission: the name under which it was.
        adapter: reads it again.
        evaluator: names its events.
        index: gives the keyed names.
        kept: what the conversion has left: decisions, records, rows set aside.
    """
    journal, records, aside = kept
    rejected = {line["row"]: line for line in map(orjson.loads, aside.lines(submission))}
    good = [row for row in _rows(document, adapter, evaluator=evaluator) if row.place.row not in rejected]
    names = [event_text(event) for event in evaluator.read([row.fields for row in good]).event]
    keys = cut(index.events(evaluator.scheme.platform, names), NAME_BYTES)
    marks = journal.known_events(keys)
    batches = {mark.batch for mark in marks.values() if mark.batch != NOWHERE}
    mine = {number for number in batches if journal.batch(number).submission == submission}
    found = _Found(journal=journal, records=records, ids={})
    outcomes = list(_refused(rejected))
    seen: set[bytes] = set()
    for row, key in zip(good, keys, strict=True):
        mark = marks[key]
        new = mark.batch in mine and key not in seen
        seen.add(key)
        record = found.id_at(mark)
        outcomes.append(RowOutcome(row.place.row, "accepted" if new else "duplicate", record, mark.batch))
    return sorted(outcomes)


def _rows(
    document: InputDocument, adapter: PlatformAdapter, *, evaluator: SchemeEvaluator
) -> list[SourceRow]:
    source = evaluator.scheme.programs[-1].source.format
    with document.open() as stream:
        rows = list(adapter.rows(stream, document.name, source=source))
    return [row for row in rows if isinstance(row, SourceRow)]


def _refused(rejected: Mapping[int, Mapping[str, str]]) -> Iterable[RowOutcome]:
    for row, line in rejected.items():
        yield RowOutcome(row, "rejected", code=line["code"], field=line.get("field", ""))


def reasons_of(lines: Iterable[bytes]) -> dict[int, str]:
    """Return why rows were refused, by the row of what was converted, as the quarantine still says it."""
    found = map(orjson.loads, lines)
    return {line["row"]: line["detail"] for line in found if "detail" in line and "row" in line}
