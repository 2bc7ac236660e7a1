"""What holds of the rows of a single document."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from gateway.conformance.damage import CANARY
from gateway.conformance.sample import Reading, opened_in_pieces, read_sample
from gateway.conformance.trial import Trial
from gateway.contract import ROW_BYTES_MAX
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import Place, RefusedRow

__all__ = [
    "bounded",
    "early",
    "numbered",
    "quiet",
    "reads_samples",
    "reasons",
    "repeatable",
    "texts",
    "total",
    "whole_in_pieces",
]

TEXT_MAX: Final = 4 * ROW_BYTES_MAX  # a byte that is no text is kept as four characters
DETAIL_MAX: Final = 1000
_PIECES: Final = (1, 7, 1000)


def reads_samples(trial: Trial) -> Iterator[str]:
    """Check that no sample is refused whole, and a row of one of them may become an act."""
    for reading in trial.clean:
        yield f"{reading.of}: refused whole: {reading.refused}" if reading.refused else ""
    tried = [reading for reading in trial.clean if not reading.refused and not reading.fault]
    if tried:
        yield "" if any(map(Reading.accepted, tried)) else "expected a row that may become an act, got none"


def total(trial: Trial) -> Iterator[str]:
    """Check that whatever the bytes, rows come out or MalformedDocument, and nothing else."""
    read = ((reading.of, reading.fault) for reading in trial.everything())
    assembled = ((one.of, one.fault) for one in trial.assembled)
    for of, fault in chain(read, assembled):
        yield f"{of}: {fault}" if fault else ""


def numbered(trial: Trial) -> Iterator[str]:
    """Check that rows stand in their file and are numbered from 1 on, each once, without a gap."""
    for reading in trial.readings():
        places = [place for row in reading.rows for place in (row.place, *row.also)]
        wanted = [Place(reading.sample.file, number) for number in range(1, len(places) + 1)]
        wrong = next((pair for pair in zip(places, wanted, strict=True) if pair[0] != pair[1]), None)
        yield f"{reading.of}: expected the place {wrong[1]}, got {wrong[0]}" if wrong else ""


def early(trial: Trial) -> Iterator[str]:
    """Check that a refused document has given no row: rows before a refusal may be recorded already."""
    for reading in trial.readings():
        if reading.refused and reading.sample.source.kind != "parquet":  # read one row group after the other
            number = len(reading.rows)
            yield f"{reading.of}: refused after {number} rows: {reading.refused}" if number else ""


def repeatable(trial: Trial) -> Iterator[str]:
    """Check that the same bytes give the same rows, whatever was read in between."""
    for reading in (*trial.clean, *trial.damaged[::4]):
        again = read_sample(trial.adapter, reading.sample)
        yield _difference(reading, again, how="read once more")


def whole_in_pieces(trial: Trial) -> Iterator[str]:
    """Check that a document gives the same rows if it comes in small pieces."""
    for reading in trial.clean:
        for size in _PIECES:
            again = read_sample(trial.adapter, reading.sample, opened=opened_in_pieces(size))
            yield _difference(reading, again, how=f"read {size} bytes at a time")


def reasons(trial: Trial) -> Iterator[str]:
    """Check that a refused row has a code and a detail; a refused document names itself and has a remedy."""
    for reading in trial.readings():
        if reading.refused:
            yield _unreasoned_document(reading, reading.refused)
        for row in reading.rows:
            if isinstance(row, RefusedRow):
                yield _unreasoned_row(row.place, row.code, detail=row.detail)


def quiet(trial: Trial) -> Iterator[str]:
    """Check that no error and no detail repeats a word of the document: it may be a person's."""
    for reading in trial.marked:
        said = [row.detail for row in reading.rows if isinstance(row, RefusedRow)]
        said += [str(reading.refused), reading.refused.remedy] if reading.refused else []
        loud = next((text for text in said if CANARY in str(text)), "")
        yield f"{reading.of}: repeated in {loud!r}" if loud else ""


def texts(trial: Trial) -> Iterator[str]:
    """Check that names and values of fields are texts that can be written as UTF-8."""
    for reading in trial.readings():
        for row in reading.rows:
            wrong = next((pair for pair in row.fields.items() if not all(map(_is_text, pair))), None)
            yield f"{reading.of}: {row.place}: expected texts, got {wrong!a}" if wrong else ""


def bounded(trial: Trial) -> Iterator[str]:
    """Check that the texts of a row take at most 256 KiB, a detail at most 1,000 characters."""
    for reading in trial.readings():
        for row in reading.rows:
            size = sum(len(str(text)) for pair in row.fields.items() for text in pair)
            detail = len(row.detail) if isinstance(row, RefusedRow) else 0
            if size > TEXT_MAX:
                yield f"{reading.of}: {row.place}: expected at most {TEXT_MAX} characters, got {size}"
            else:
                long = detail > DETAIL_MAX
                yield f"{reading.of}: {row.place}: a detail of {detail} characters" if long else ""


def _difference(one: Reading, other: Reading, *, how: str) -> str:
    if one.rows != other.rows:
        at = next(
            (n for n, pair in enumerate(zip(one.rows, other.rows, strict=False)) if pair[0] != pair[1]), None
        )
        where = f"row {at + 1} differs" if at is not None else f"{len(other.rows)} rows"
        return f"{one.of}, {how}: expected the same {len(one.rows)} rows, got {where}"
    ends = [(str(reading.refused), reading.fault) for reading in (one, other)]
    return "" if ends[0] == ends[1] else f"{one.of}, {how}: expected the same end, got another"


def _unreasoned_document(reading: Reading, refused: MalformedDocument) -> str:
    message = str(refused)
    if reading.sample.file not in message:
        return f"{reading.of}: expected {reading.sample.file} in the message, got {message!r}"
    return "" if refused.remedy else f"{reading.of}: expected a remedy beside {message!r}"


def _unreasoned_row(place: Place, code: object, *, detail: str) -> str:
    if not isinstance(code, Rejection):
        return f"{place}: expected one of the rejection codes, got {code!r}"
    return "" if detail.strip() else f"{place}: {code}: expected a detail, got none"


def _is_text(value: object) -> bool:
    try:
        return isinstance(value, str) and value.encode("utf-8") is not None
    except UnicodeEncodeError:
        return False
