"""The checks that every adapter passes, each by its name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from gateway.conformance import row_checks as rows
from gateway.conformance import stage_checks as stages
from gateway.conformance.memory import little_memory
from gateway.conformance.trial import Trial

__all__ = ["CHECKS", "Check", "Result"]

_FINDINGS_KEPT: Final = 5


class Result(NamedTuple):
    """What a check found: how many things it tried, and the first of those that did not hold."""

    check: str
    asks: str
    tried: int
    failed: int
    findings: tuple[str, ...]

    @property
    def outcome(self) -> Literal["passed", "failed", "nothing to try"]:
        """Say how it ended; a check that had nothing to try has not passed."""
        if self.failed:
            return "failed"
        return "passed" if self.tried else "nothing to try"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``attempt`` yields a text for each thing that it tries: what is wrong, or nothing."""

    name: str
    attempt: Callable[[Trial], Iterator[str]]

    def __str__(self) -> str:
        return self.name

    def run(self, trial: Trial) -> Result:
        """Try everything and keep the first findings."""
        tried = failed = 0
        findings: list[str] = []
        for finding in self.attempt(trial):
            tried += 1
            failed += bool(finding)
            if finding and len(findings) < _FINDINGS_KEPT:
                findings.append(finding)
        asks = (self.attempt.__doc__ or "").removeprefix("Check that ")
        return Result(self.name, asks, tried, failed, tuple(findings))

    def findings(self, trial: Trial) -> tuple[str, ...]:
        """Return what is wrong; nothing is expected: ``assert check.findings(trial) == ()``."""
        return self.run(trial).findings


CHECKS: Final = (
    Check("offer", stages.offered),
    Check("samples", rows.reads_samples),
    Check("totality", rows.total),
    Check("places", rows.numbered),
    Check("early", rows.early),
    Check("repeatable", rows.repeatable),
    Check("pieces", rows.whole_in_pieces),
    Check("reasons", rows.reasons),
    Check("quiet", rows.quiet),
    Check("texts", rows.texts),
    Check("bounded", rows.bounded),
    Check("memory", little_memory),
    Check("stages", stages.declared),
    Check("accounting", stages.accounted),
    Check("order", stages.orderless),
    Check("round-trip", stages.rendered),
)
