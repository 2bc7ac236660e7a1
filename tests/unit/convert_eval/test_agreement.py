"""The interpreter, the generated function and the column kernel give one answer, whatever the mapping."""

import os
import random
import sys
from collections import Counter
from collections.abc import Sequence

import pytest

from gateway.bulk.columns import ColumnEvaluator
from gateway.bulk.kernel import fits
from gateway.convert.fast import FastEvaluator
from gateway.convert.interpret import Interpreter
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Program
from gateway.convert.roles import Roles, SourceReader
from gateway.model.codes import Rejection
from gateway.resources import schema
from tests.fakes.random_mappings import random_program
from tests.fakes.random_rows import RowMaker

PAIRS = int(os.environ.get("TANQIAO_AGREEMENT_PAIRS", "20000"))
SEED = int(os.environ.get("TANQIAO_AGREEMENT_SEED", "20251122"))
ROWS_OF_A_MAPPING = 100


def essence(outcome: Converted | Refusal, *, traced: bool) -> object:
    """Give what all evaluators must agree on: value and trace, or the reason and where it arose."""
    if isinstance(outcome, Refusal):
        return outcome.code, outcome.field
    return outcome._replace(touched=frozenset(), trace=outcome.trace if traced else ())


def halves(rng: random.Random, rows: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Split a batch at two random places."""
    first, second = sorted(rng.choices(range(len(rows) + 1), k=2))
    return [rows[:first], rows[first:second], rows[second:]]


def by_columns(
    evaluator: ColumnEvaluator, reader: SourceReader, *, batches: Sequence[list[dict[str, str]]], traced: bool
) -> list[object]:
    """Convert batch after batch."""
    found: list[object] = []
    for rows in batches:
        result = evaluator.convert_batch(rows, reader.read_columns(rows), traced=traced)
        found += [essence(outcome, traced=traced) for outcome in result.outcomes()]
    return found


def one_by_one(program: Program, rows: list[dict[str, str]], *, traced: bool) -> list[object]:
    """Convert with the generated function."""
    reader, fast = SourceReader(program), FastEvaluator(program)
    convert = fast.convert_traced if traced else fast.convert
    outcomes = []
    for row in rows:
        roles = reader.read(row)
        outcomes.append(convert(row, roles) if isinstance(roles, Roles) else roles)
    return [essence(outcome, traced=traced) for outcome in outcomes]


@pytest.mark.parametrize("part", range(4))
def test_three_evaluators_agree(part: int) -> None:
    """Value, reason and trace are equal for generated mappings and rows, however a batch is split."""
    rng = random.Random(SEED + part)
    seen: Counter[str] = Counter()
    for number in range(max(1, PAIRS // ROWS_OF_A_MAPPING // 4)):
        program = random_program(rng, schema("mapping"))
        rows = RowMaker(program, rng).rows(ROWS_OF_A_MAPPING)
        reader, columns = SourceReader(program), ColumnEvaluator(program)
        interpreter = Interpreter(program)
        referee = [interpreter.convert(row) for row in rows]
        message = f"seed {SEED + part}, mapping {number}: {program.canonical.decode()}"

        expected = [essence(outcome, traced=True) for outcome in referee]
        assert one_by_one(program, rows, traced=True) == expected, message
        assert by_columns(columns, reader, batches=[rows], traced=True) == expected, message

        plain = [essence(outcome, traced=False) for outcome in referee]
        assert one_by_one(program, rows, traced=False) == plain, message
        assert by_columns(columns, reader, batches=halves(rng, rows), traced=False) == plain, message
        seen += tally(program, referee)

    sys.stdout.write(f"seed {SEED + part}: {dict(sorted(seen.items()))}\n")
    if PAIRS >= 20_000:
        assert set(EXPECTED_KINDS) <= seen.keys()


EXPECTED_KINDS = (
    "converted", "beyond-int64", "within-int64", "tie", "label", "engagement",
    "missing-field", "not-a-decimal", "excess-digits", "out-of-bounds", "unknown-code", "quantity-unknown",
    "implausible", "too-fast", "finding", "no-figure", "no-reduction", "mapping-not-in-force",
    "malformed-row", "unmapped", "unclaimed", "early", "late", "no-points",
)  # fmt: skip


def tally(program: Program, outcomes: list[Converted | Refusal]) -> Counter[str]:
    """Count what was reached, so that a generator that has gone lame is noticed."""
    seen: Counter[str] = Counter()
    for blocks in FastEvaluator(program).blocks.values():
        seen.update("within-int64" if fits(made.block) else "beyond-int64" for made in blocks)
    for outcome in outcomes:
        if isinstance(outcome, Refusal):
            seen[outcome.code.value] += 1
            seen["too-fast"] += outcome.field.startswith("fast")
            continue
        seen["converted"] += 1
        seen["finding"] += bool(outcome.findings)
        seen["engagement"] += program.kind == "engagement"
        seen["no-points"] += program.kind == "none"
        seen["tie"] += any(touched[0] == "rounding" and touched[2] == "tie" for touched in outcome.touched)
        seen["label"] += any(step.label is not None for step in outcome.trace)
    return seen


def test_every_reason_of_an_evaluation_can_arise() -> None:
    """The kinds counted above are real rejection codes, so a misspelt one cannot hide."""
    counted = {"converted", "beyond-int64", "within-int64", "tie", "label", "engagement"}
    counted |= {"too-fast", "finding", "no-points"}

    assert set(EXPECTED_KINDS) - counted <= {code.value for code in Rejection}
