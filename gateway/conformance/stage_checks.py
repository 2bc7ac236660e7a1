"""What holds of the adapter as a whole: what it declares, how it assembles, what it writes."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from gateway.conformance.sample import Sample, read_sample
from gateway.conformance.trial import Assembled, Trial, assemble_rows
from gateway.contract import RenderingAdapter, contract_fault
from gateway.errors import GatewayError
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceRow

__all__ = ["accounted", "declared", "offered", "orderless", "rendered"]

_PLATFORM: Final = re.compile(r"[a-z]{2}-[0-9]{6}/[a-z0-9-]+")


def offered(trial: Trial) -> Iterator[str]:
    """Check that the adapter has name, platform, assembly and rows as the contract says."""
    adapter = trial.adapter
    name, platform = getattr(adapter, "name", ""), getattr(adapter, "platform", None)
    yield contract_fault(adapter, str(name))
    if isinstance(platform, str):
        wrong = not _PLATFORM.fullmatch(platform)
        yield f"expected a platform such as cn-420100/wuhan, got {platform!r}" if wrong else ""


def declared(trial: Trial) -> Iterator[str]:
    """Check that every field by which rows are grouped and ordered occurs in a sample."""
    assembly = trial.adapter.assembly
    if assembly is None:
        return
    known = {name for reading in trial.clean for row in reading.accepted() for name in row.fields}
    for name in (*assembly.group_by, *assembly.order_by) if known else ():
        yield "" if name in known else f"no sample has the field {name}: misspelt, or a sample is lacking"


def accounted(trial: Trial) -> Iterator[str]:
    """Check that the assembly gives every row one fate, and a repetition names a row that is there."""
    for one in trial.assembled:
        if not one.fault:
            yield _unaccounted(one)


def orderless(trial: Trial) -> Iterator[str]:
    """Check that what comes out does not depend on the order of the files, nor on their names."""
    clean = [reading for reading in trial.clean if not reading.fault]
    for reading in reversed(clean):
        again = read_sample(trial.adapter, reading.sample)
        yield "" if again.rows == reading.rows else f"{reading.of}: other rows after other documents"
    assembly = trial.adapter.assembly
    rows = [row for reading in clean for row in reading.accepted()]
    if assembly is None or not rows:
        return
    forth = assemble_rows(rows, assembly, of="in their order")
    back = assemble_rows(_renamed(rows), assembly, of="in reverse")
    if not forth.fault and not back.fault:
        different = _essence(forth.outcomes) - _essence(back.outcomes)
        yield f"other outcomes from rows in another order: {len(different)}" if different else ""


def rendered(trial: Trial) -> Iterator[str]:
    """Check that what the adapter writes, if it can write, it reads again as it was."""
    adapter = trial.adapter
    if not isinstance(adapter, RenderingAdapter):
        return
    for reading in trial.clean:
        rows = reading.accepted()
        if reading.fault or not rows:
            continue
        try:
            document = adapter.render(rows, source=reading.sample.source)
        except Exception as error:  # noqa: BLE001 - what may come out of an adapter is the question
            ours = "" if isinstance(error, GatewayError) else f"{type(error).__name__}: "
            yield f"{reading.of}: its rows cannot be written: {ours}{error}"
            continue
        again = read_sample(adapter, Sample(reading.sample.file, document, reading.sample.source))
        same = [row.fields for row in again.rows] == [row.fields for row in rows]
        yield (
            "" if same and not again.refused else f"{reading.of}: written and read again, other rows came out"
        )


def _unaccounted(one: Assembled) -> str:
    given = Counter(place for row in one.rows for place in (row.place, *row.also))
    found = Counter(place for outcome in one.outcomes for place in (outcome.place, *outcome.also))
    if given != found:
        place = min((given - found) | (found - given))
        return f"{one.of}: expected one fate of {place}, got {found[place]}"
    for outcome in one.outcomes:
        if isinstance(outcome, RepeatedRow) and (
            outcome.first not in given or outcome.first == outcome.place
        ):
            return f"{one.of}: {outcome.place} repeats {outcome.first}, which is no other row"
    return ""


def _renamed(rows: list[SourceRow]) -> list[SourceRow]:
    """Return the rows as if the last one had been read first, out of a file with another name."""
    return [
        row._replace(place=Place("renamed", number), also=()) for number, row in enumerate(reversed(rows), 1)
    ]


def _essence(outcomes: tuple[Outcome, ...]) -> Counter[tuple[str, frozenset[tuple[str, str]]]]:
    """Count outcomes by what they say, whatever the rows are numbered."""
    return Counter(map(_said, outcomes))


def _said(outcome: Outcome) -> tuple[str, frozenset[tuple[str, str]]]:
    match outcome:
        case SourceRow():
            return "act", frozenset(outcome.fields.items())
        case RefusedRow():
            return str(outcome.code), frozenset(outcome.fields.items())
        case RepeatedRow():
            return "repeated", frozenset()
