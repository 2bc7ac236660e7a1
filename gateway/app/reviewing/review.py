"""Join the parts of reviewing mappings and explaining rows."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from gateway.app.base.home import DiskSorting
from gateway.app.base.mappings import Reading, program_from_file
from gateway.catalog import Timeline
from gateway.convert import Interpreter, Program, Refusal, SourceReader, check_scheme
from gateway.convert.coverage import measure
from gateway.convert.explain import explain
from gateway.convert.selftest import TestResult, run_tests
from gateway.convert.survivors import fates
from gateway.errors import ChecksFailed, Refused, UsageError
from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.plugins import list_adapters
from gateway.resources import schema
from gateway.service.acts.assembling import assembled
from gateway.store.files.inputs import open_input, order_inputs

__all__ = ["adapters", "check_mappings", "coverage_of", "explain_row", "require_checked"]


def adapters() -> list[dict[str, object]]:
    """List the installed adapters; one that cannot be used is listed with its fault."""
    return [
        {
            "name": found.name,
            "platform": (found.adapter.platform if found.adapter else None) or "any",
            "distribution": found.distribution,
            "fault": str(found.fault or ""),
        }
        for found in list_adapters()
    ]


def check_mappings(files: Sequence[Path]) -> list[dict[str, object]]:
    """Check documents, and versions of one scheme against each other.

    Raises:
        MappingRefused: the first document that is no mapping; each finding with line and column.
    """
    programs = [(str(file), program_from_file(file)) for file in files]
    schemes: defaultdict[str, list[Program]] = defaultdict(list)
    for _, program in programs:
        schemes[program.id].append(program)
    for versions in schemes.values():
        if len(versions) > 1:
            _require_scheme(versions)
    return [_checked(name, program) for name, program in programs]


def require_checked(program: Program, others: Sequence[Program]) -> None:
    """Refuse a version whose own tests fail, or that does not follow the other versions of its scheme.

    Raises:
        ChecksFailed: the first test that fails.
        Refused: how the versions contradict each other.
    """
    faults = _faults_of(run_tests(program, Interpreter(program).convert), program.id)
    if faults:
        raise ChecksFailed(faults[0], remedy="mend the document or the test that is wrong")
    versions = [one for one in others if (one.id, one.version) != (program.id, program.version)]
    if versions:
        _require_scheme([*versions, program])


def _require_scheme(versions: Sequence[Program]) -> None:
    for finding in check_scheme(versions):
        raise Refused(
            f"{versions[0].id}: {finding.message}",
            field=finding.pointer,
            remedy="let the versions of a scheme follow each other as docs/reference/mapping.md §8 says",
        )


def _faults_of(results: Sequence[TestResult], name: str) -> list[str]:
    return [f"{name}: {result.name}: {fault}" for result in results for fault in result.faults]


def _checked(name: str, program: Program) -> dict[str, object]:
    results = run_tests(program, Interpreter(program).convert)
    return {
        "id": program.id,
        "version": program.version,
        "status": program.status,
        "unmapped": len(program.unmapped),
        "tests": len(results),
        "failed": sum(1 for result in results if result.faults),
        "digest": "sha256:" + program.digest,
        "faults": _faults_of(results, name),
    }


def coverage_of(file: Path, *, mutate: bool) -> dict[str, object]:
    """Measure what a document's tests touch, and which changes of it they notice."""
    program = program_from_file(file)
    coverage = measure(program)
    result: dict[str, object] = {
        "id": program.id,
        "version": program.version,
        "rules": len(coverage.rules),
        "touched": len(coverage.touched),
        "untouched": [str(rule) for rule in coverage.untouched],
        "missing": [str(rule) for rule in coverage.missing],
    }
    if mutate:
        tried = list(fates(program, schema("mapping")))
        result["mutants"] = len(tried)
        result["survived"] = [fate.mutant.description for fate in tried if fate.fate == "survived"]
        result["equivalent"] = [
            f"{fate.mutant.description}: {fate.reason}" for fate in tried if fate.fate == "equivalent"
        ]
    return result


def explain_row(
    file: Path,
    row: int,
    *,
    reading: Reading,
    lang: Literal["zh", "en"],
) -> list[str]:
    """Explain what becomes of one row of a file, before caps: each number from source to result."""
    adapter, scheme = reading.choose()
    document = order_inputs([file])[0]
    with open_input(document) as stream, TemporaryDirectory() as folder:
        rows = adapter.rows(stream, document.name, source=scheme.programs[-1].source.format)
        sorting = DiskSorting(Path(folder))
        outcomes = assembled(rows, scheme.programs[-1], adapter=adapter, assemble=sorting.assemble)
        outcome = next((one for one in outcomes if row in _numbers(one)), None)
    if outcome is None:
        raise UsageError(f"{document.name} has no row {row}", remedy="rows count from 1, the header is none")
    if isinstance(outcome, RefusedRow):
        return [f"{document.name}, {row}: {outcome.code}: {outcome.detail}"]
    if not isinstance(outcome, SourceRow):
        return [f"{document.name}, {row}: repeats row {outcome.first.row} of {outcome.first.file}"]
    return _explained(scheme.programs, outcome, lang=lang)


def _numbers(outcome: Outcome) -> list[int]:
    return [outcome.place.row, *(place.row for place in outcome.also)]


def _explained(programs: Sequence[Program], row: SourceRow, *, lang: Literal["zh", "en"]) -> list[str]:
    roles = SourceReader(programs[-1]).read(row.fields)
    program = programs[-1] if isinstance(roles, Refusal) else Timeline(programs).on(roles.day)
    return explain(program or programs[0], row.fields, lang=lang, rows=1 + len(row.also)).lines()
