"""What an evaluation gives: the value with its trace, or a refusal."""

import re
from fractions import Fraction
from typing import NamedTuple

from gateway.model.codes import Rejection

__all__ = [
    "ActFinding",
    "Converted",
    "ConvertedBlock",
    "ConvertedColumns",
    "Refusal",
    "StepTrace",
    "quoted",
    "shape",
]

QUOTED_MAX = 32  # enough to recognise a code, a number or a time; too short to carry a document


class Refusal(NamedTuple):
    """Why an act was not converted: the reason, the field or step it arose in, and what was expected."""

    code: Rejection
    field: str
    detail: str


class ActFinding(NamedTuple):
    """Why an act that is counted is not plausible: the rule, and the integers that it was held against.

    These are the quantity (scaled) and the seconds for a limit of speed, the seconds for one of duration
    and for an overlap, the claimed and the computed value for a claim.
    """

    rule: str
    values: tuple[int, ...]


class StepTrace(NamedTuple):
    """One step of the formula: its exact value, the value that went on, and the rating it stands for."""

    name: str
    exact: Fraction
    value: Fraction
    label: str | None


class Converted(NamedTuple):
    """One act by one mapping: its reduction, and its points before any cap.

    ``inputs`` are scaled integers, or the index of a class. ``points_exact`` is the points step before
    its rounding, in lowest terms with a positive denominator. ``touched`` names the rows of the
    document that the result rests on; only the interpreter fills it in. ``findings`` name the rules that
    hold the act for implausible and have it counted all the same.
    """

    inputs: dict[str, int]
    co2e_mg: int
    points: int
    points_exact: tuple[int, int]
    trace: tuple[StepTrace, ...] = ()
    touched: frozenset[tuple[str, ...]] = frozenset()
    findings: tuple[ActFinding, ...] = ()


class ConvertedBlock(NamedTuple):
    """Converted acts of one behaviour, column by column; ``rows`` are their places in the batch.

    ``traces`` is empty unless the trace was asked for. ``findings`` are those of acts that have some, by
    their places in the block.
    """

    behaviour: str
    rows: list[int]
    inputs: dict[str, list[int]]
    co2e_mg: list[int]
    points: list[int]
    points_num: list[int]
    points_den: list[int]
    traces: list[tuple[StepTrace, ...]]
    findings: dict[int, tuple[ActFinding, ...]]

    def act(self, place: int) -> Converted:
        """Return one act as the other evaluators give it."""
        return Converted(
            {name: values[place] for name, values in self.inputs.items()},
            self.co2e_mg[place],
            self.points[place],
            (self.points_num[place], self.points_den[place]),
            self.traces[place] if self.traces else (),
            findings=self.findings.get(place, ()),
        )


class ConvertedColumns(NamedTuple):
    """What became of a batch: the converted acts in blocks, and the refusals by place."""

    blocks: list[ConvertedBlock]
    refusals: dict[int, Refusal]

    def outcomes(self) -> list[Converted | Refusal]:
        """Return the outcomes row by row."""
        found: dict[int, Converted | Refusal] = dict(self.refusals)
        for block in self.blocks:
            found.update({row: block.act(place) for place, row in enumerate(block.rows)})
        return [found[row] for row in range(len(found))]


def quoted(text: str) -> str:
    """Quote a text that is not personal: what cannot be seen escaped, and cut after a few characters."""
    shown = repr(text[:QUOTED_MAX])
    return shown if len(text) <= QUOTED_MAX else f"{shown}... ({len(text)} characters)"


def shape(text: str) -> str:
    """Quote the form of a text and not its content: every digit shown as 9, every letter as A."""
    return quoted(re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text)))
