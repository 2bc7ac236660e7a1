"""Run a case: the documents of one folder through an adapter, compared with what stands beside them.

A case is a folder: one or more documents and ``expected.json`` with ``source`` (the mapping's
source.format) and ``outcomes``, in order.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.bulk.assembly import sort_rows
from gateway.contract import PlatformAdapter
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceFormat, SourceRow
from gateway.store.files.inputs import open_input, order_inputs

EXPECTED = "expected.json"
MEMORY = 1 << 20


def case_folders(test_file: str) -> list[Path]:
    """Return the cases beside a test module."""
    return folder_cases(Path(test_file).parent)


def folder_cases(folder: Path) -> list[Path]:
    """Return the cases of a platform's folder."""
    found = sorted(path.parent for path in (folder / "cases").glob(f"*/{EXPECTED}"))
    if not found:
        raise LookupError(f"no cases in {folder}")
    return found


def expected_of(case: Path) -> dict[str, Any]:
    """Return what stands beside the documents of a case."""
    found: dict[str, Any] = json.loads((case / EXPECTED).read_text("utf-8"))
    return found


def source_of(case: Path) -> SourceFormat:
    """Return the source.format of a case."""
    declared = expected_of(case)["source"]
    fixed: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in declared.items()
    }
    return SourceFormat(**fixed)


def documents_of(case: Path) -> list[Path]:
    """Return the documents of a case."""
    return [path for path in sorted(case.iterdir()) if path.name != EXPECTED]


def read_documents(
    adapter: PlatformAdapter, paths: list[Path], *, source: SourceFormat
) -> Iterator[SourceRow | RefusedRow]:
    """Yield the rows of some documents as a submission reads them."""
    for file in order_inputs(paths):
        with open_input(file) as document:
            yield from adapter.rows(document, file.name, source=source)


def outcomes(
    adapter: PlatformAdapter, paths: list[Path], *, source: SourceFormat, scratch: Path, memory: int = MEMORY
) -> list[Outcome]:
    """Return what becomes of the rows of some documents."""
    rows = read_documents(adapter, paths, source=source)
    if adapter.assembly is None:
        return list(rows)
    return list(sort_rows(rows, adapter.assembly, folder=scratch, memory=memory))


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as expected.json writes it."""
    rows = [_place(place) for place in (outcome.place, *outcome.also)]
    match outcome:
        case SourceRow():
            return {"rows": rows, "act": dict(outcome.fields)}
        case RefusedRow():
            return {"rows": rows, "refused": outcome.code.value, "detail": outcome.detail}
        case RepeatedRow():
            return {"rows": rows, "repeats": _place(outcome.first)}


def _place(place: Place) -> str:
    return f"{place.file}:{place.row}"
