"""What became of each row of a submission: its record, the record it repeats, or why it was refused."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import orjson

from gateway.errors import NotFound, Refused
from gateway.model.codes import Rejection
from gateway.model.erasure import NOWHERE
from gateway.model.packed import cut
from gateway.ports import EventMark, Journal, Operation, OperationKind, RecordFiles
from gateway.service.acts.origins import Stated
from gateway.signing import NAME_BYTES, KeyedIndex

__all__ = [
    "RowOutcome",
    "SetAside",
    "find_event",
    "outcomes_of_rows",
    "reasons_of",
    "records_in",
    "rejections_of",
    "submission_of",
]


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

    def again(self, row: int) -> "RowOutcome":
        """Return the outcome of a row that states again what this one has stated."""
        outcome = "duplicate" if self.outcome == "accepted" else self.outcome
        return self._replace(row=row, outcome=outcome)

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
                for index, record in self.records.ids(file).items()
            }
        return self.ids[batch][leaf_index]


def outcomes_of_rows(
    told: Sequence[Stated], submission: str, *, kept: tuple[Journal, RecordFiles, SetAside]
) -> dict[int, RowOutcome]:
    """Return the outcome of each row of a converted document, by its number.

    An event is `accepted` of the rows of the first act that has stated it, if this submission recorded it;
    of all others it is a `duplicate`. What is not in memory is looked up: it need not be this process that
    has recorded it.

    Args:
        told: which rows have stated which events, in the order of the parts.
        submission: the name under which the document was converted.
        kept: what the conversion has left: decisions, records, rows set aside.
    """
    journal, records, aside = kept
    outcomes = {one.row: one for one in _refused(aside.lines(submission))}
    events = [cut(part.events, NAME_BYTES) for part in told]
    marks = journal.known_events([key for keys in events for key in keys])
    batches = {mark.batch for mark in marks.values() if mark.batch != NOWHERE}
    mine = {number for number in batches if journal.batch(number).submission == submission}
    found = _Found(journal=journal, records=records, ids={})
    firsts: dict[bytes, tuple[int, int]] = {}
    for number, (part, keys) in enumerate(zip(told, events, strict=True)):
        for row, act in zip(part.rows, part.acts, strict=True):
            refused = outcomes.get(row)
            if refused is not None and refused.code != Rejection.ALREADY_CLAIMED:
                continue
            key = keys[act]
            new = firsts.setdefault(key, (number, act)) == (number, act)
            if refused is None:
                mark = marks[key]
                outcome = "accepted" if new and mark.batch in mine else "duplicate"
                outcomes[row] = RowOutcome(row, outcome, found.id_at(mark), mark.batch)
    for part in told:
        outcomes.update((row, outcomes[first].again(row)) for row, first in part.again)
    return outcomes


def find_event(
    platform: str, event: str, *, index: KeyedIndex, journal: Journal, records: RecordFiles
) -> list[tuple[str, int]]:
    """Return the id and the batch of an event's record, through the keyed index.

    Raises:
        NotFound: no record is of that event, or its person was erased since.
    """
    key = index.event(platform, event)
    mark = journal.known_events([key]).get(key)
    if mark is None or mark.batch == NOWHERE:
        raise NotFound("no record is of that event", remedy="the outcomes of its operation say why")
    return [(_Found(journal=journal, records=records, ids={}).id_at(mark), mark.batch)]


def records_in(operation: Operation) -> list[tuple[str, int]]:
    """Return the id and the batch of each record that the rows of an operation became or repeat.

    Raises:
        Refused: it is no operation of rows, or it is not done.
    """
    result = orjson.loads(operation.result or "{}")
    if operation.kind is not OperationKind.ROWS or "outcomes" not in result:
        raise Refused(
            f"operation {operation.id} has no outcomes of rows",
            remedy="wait until it is done; the records of a file are found by `event`",
        )
    named = [(one["record"], one["batch"]) for one in result["outcomes"] if one.get("record")]
    return list(dict.fromkeys(named))


def _refused(lines: Iterable[bytes]) -> Iterator[RowOutcome]:
    for line in map(orjson.loads, lines):
        for row in (line["row"], *(other["row"] for other in line.get("also", ()))):
            yield RowOutcome(row, "rejected", code=line["code"], field=line.get("field", ""))


def reasons_of(lines: Iterable[bytes]) -> dict[int, str]:
    """Return why rows were refused, by the row of what was converted, as the quarantine still says it."""
    found = map(orjson.loads, lines)
    return {line["row"]: line["detail"] for line in found if "detail" in line and "row" in line}


def submission_of(operation: Operation) -> str:
    """Return the name of the submission that the file of an operation became.

    Raises:
        NotFound: it is no operation of a file, or it is not done.
    """
    result = orjson.loads(operation.result or "{}")
    if operation.kind is not OperationKind.FILE or "summary" not in result:
        raise NotFound(
            f"operation {operation.id} is no file that was converted",
            remedy="wait until it is done; what became of single rows stands in their operation",
        )
    return str(result["summary"]["submission"])


def rejections_of(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield which rows were refused and why, one JSON object a line, as the quarantine still says it.

    ``also`` are rows that were joined with the first. Of a person who was erased no ``detail`` is left.
    """
    for line in map(orjson.loads, lines):
        told = {name: line[name] for name in ("row", "code", "field", "detail") if line.get(name)}
        also = [other["row"] for other in line.get("also", ())]
        yield orjson.dumps(told | ({"also": also} if also else {}), option=orjson.OPT_APPEND_NEWLINE)
