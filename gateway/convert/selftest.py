"""Run the tests that a mapping document carries, single and in sequence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, cast

from gateway.convert.caps import CapKey, CapMeter, Granted
from gateway.convert.document import Value, leaves
from gateway.convert.exact import side
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.own_acts import OwnActs
from gateway.convert.plausible import OVERLAP, claimed_outcome, overlap_finding, with_finding
from gateway.convert.program import Program
from gateway.convert.roles import Roles, SourceReader

__all__ = ["ActResult", "Evaluate", "TestResult", "run_tests", "source_fields"]

Evaluate = Callable[[Mapping[str, str]], Converted | Refusal]
"""What turns a row's fields into a result before caps, such as ``Interpreter(program).convert``."""


class ActResult(NamedTuple):
    """One act of a test: its row, what came of it, and what the caps left of it.

    ``touched`` has ``("limit", rule, "max", side)`` for the rules that are judged beside the formula.
    """

    fields: Mapping[str, str]
    outcome: Converted | Refusal
    granted: Granted | None
    touched: frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of a document; ``faults`` says what came otherwise than expected, if anything did."""

    __test__: ClassVar[bool] = False  # pytest would take the name for a class of tests

    name: str
    faults: tuple[str, ...]
    acts: tuple[ActResult, ...]


def run_tests(program: Program, evaluate: Evaluate) -> list[TestResult]:
    """Run every embedded test.

    A single test states results before caps. The acts of a sequence are accepted one after the other
    by one person, each on its own day unless ``accepted`` says another, and pass through the caps:
    their ``points`` are what was granted, ``uncapped`` what the formula gave.
    """
    return [_result(program, cast("dict[str, Any]", test), evaluate=evaluate) for test in program.tests]


def source_fields(program: Program, given: Value, *, label: str, person: str) -> dict[str, str]:
    """Return a source row for the values that a test states by path or column.

    An event and a person that are left out are filled in with the labels.
    """
    keys = {key for field in program.source.fields for key in field.keys}
    stated = {_key(pointer, keys): text for pointer, text in leaves(given)}
    fillers = {"event": label, "person": person}
    own = {key for field in program.source.fields if field.role not in fillers for key in field.keys}
    for role in ("person", "event"):
        for source in program.source.fields:
            for key in source.keys if source.role == role else ():
                if key not in own:
                    stated.setdefault(key, fillers[role])
    return stated


def _key(pointer: str, keys: set[str]) -> str:
    return pointer if pointer in keys else pointer[1:].replace("~1", "/").replace("~0", "~")


def _result(program: Program, test: dict[str, Any], *, evaluate: Evaluate) -> TestResult:
    name, trial = str(test["name"]), _Trial(program)
    if "sequence" not in test:
        fields = source_fields(program, test["given"], label=name, person=name)
        act = trial.single(fields, evaluate(fields))
        return TestResult(name, tuple(_faults(test, act.outcome)), (act,))
    acts: list[ActResult] = []
    faults: list[str] = []
    for number, stated in enumerate(test["sequence"], start=1):
        fields = source_fields(program, stated["given"], label=f"{name} {number}", person=name)
        act = trial.next(fields, evaluate(fields), accepted=stated.get("accepted"))
        acts.append(act)
        found = _faults(stated, act.outcome, granted=act.granted)
        faults.extend(f"act {number}: {fault}" for fault in found)
    return TestResult(name, tuple(faults), tuple(acts))


@dataclass(slots=True)
class _Trial:
    """The acts of one test, of one person: what the caps have left, and when the acts took place."""

    program: Program
    usage: dict[CapKey, int] = field(default_factory=dict)
    own: OwnActs = field(default_factory=OwnActs)
    touched: set[tuple[str, ...]] = field(default_factory=set)

    def single(self, fields: Mapping[str, str], outcome: Converted | Refusal) -> ActResult:
        """Judge an act by itself, before any cap."""
        roles = SourceReader(self.program).read(fields)
        self.touched.clear()
        if isinstance(outcome, Converted) and isinstance(roles, Roles):
            outcome = self._claims(roles, outcome, points=outcome.points)
        return ActResult(fields, outcome, None, frozenset(self.touched))

    def next(
        self, fields: Mapping[str, str], outcome: Converted | Refusal, *, accepted: str | None
    ) -> ActResult:
        """Judge the next act of a sequence; one that is refused leaves no trace."""
        roles = SourceReader(self.program).read(fields)
        self.touched.clear()
        granted = None
        if isinstance(outcome, Converted) and isinstance(roles, Roles):
            day = date.fromordinal(roles.day) if accepted is None else date.fromisoformat(accepted)
            outcome, granted = self._granted(roles, outcome, day=day)
        return ActResult(fields, outcome, granted, frozenset(self.touched))

    def _granted(
        self, roles: Roles, converted: Converted, *, day: date
    ) -> tuple[Converted | Refusal, Granted | None]:
        meter, usage = CapMeter(self.program), dict(self.usage)
        keys = meter.keys(roles, day)
        if isinstance(keys, Refusal):
            return keys, None
        outcome = self._overlap(roles, converted)
        if isinstance(outcome, Refusal):
            return outcome, None
        granted = meter.grant(outcome, keys, usage=usage)
        if isinstance(granted, Refusal):
            return granted, None
        outcome = self._claims(roles, outcome, points=granted.points)
        if isinstance(outcome, Refusal):
            return outcome, None
        self.usage = usage
        rule = self.program.source.overlap
        compared = rule is not None and rule.concerns(roles.behaviour)
        if compared and roles.start is not None and roles.end is not None:
            self.own.add(roles.start, roles.end)
        return outcome, granted

    def _overlap(self, roles: Roles, converted: Converted) -> Converted | Refusal:
        rule = self.program.source.overlap
        if rule is None or roles.start is None or roles.end is None or not rule.concerns(roles.behaviour):
            return converted
        seconds = self.own.overlap(roles.start, roles.end, enough=rule.tolerance_s)
        where = "under" if seconds is None else side(seconds, rule.tolerance_s)
        self.touched.add(("limit", OVERLAP, "max", where))
        finding = overlap_finding(self.program, roles, acts=self.own)
        return converted if finding is None else with_finding(self.program, converted, finding=finding)

    def _claims(self, roles: Roles, converted: Converted, *, points: int) -> Converted | Refusal:
        source = self.program.source
        if roles.claimed_mg is not None:
            apart = abs(roles.claimed_mg - converted.co2e_mg)
            self.touched.add(("limit", "claimed_reduction", "max", side(apart, source.claim_tolerance_mg)))
        if roles.claimed_points is not None:
            equal = roles.claimed_points in (converted.points, points)
            self.touched.add(("limit", "claimed_points", "max", "at" if equal else "over"))
        return claimed_outcome(self.program, converted, roles=roles, points=points)


def _faults(
    expected: dict[str, Any], outcome: Converted | Refusal, *, granted: Granted | None = None
) -> Iterator[str]:
    reject = expected.get("reject")
    if isinstance(outcome, Refusal):
        rule = expected.get("rule", outcome.field)
        if (reject, rule) != (outcome.code, outcome.field):
            by = f" by {rule}" if "rule" in expected else ""
            wanted = f"the rejection {reject}{by}" if reject else "a result"
            yield f"expected {wanted}, got {outcome.code} ({outcome.field}: {outcome.detail})"
        return
    results = _results(outcome, granted)
    if reject:
        yield f"expected the rejection {reject}, got {_shown(results)}"
        return
    rules, stated = sorted({one.rule for one in outcome.findings}), sorted(expected.get("findings", ()))
    if rules != stated:
        yield f"expected {_listed(stated)}, got {_listed(rules)}"
    for name, text in expected["expect"].items():
        found = results.get(name)
        if found is None or not _equal(found, text):
            yield f"expected {name} {text}, got {'none' if found is None else _text(found)}"


def _listed(rules: list[str]) -> str:
    return f"a finding of {' and '.join(rules)}" if rules else "no finding"


def _results(outcome: Converted, granted: Granted | None) -> dict[str, Fraction | str]:
    results: dict[str, Fraction | str] = {
        step.name: step.value if step.label is None else step.label for step in outcome.trace
    }
    if granted is not None:
        results |= {"uncapped": Fraction(outcome.points), "points": Fraction(granted.points)}
    return results


def _equal(found: Fraction | str, text: str) -> bool:
    if isinstance(found, str):
        return found == text
    try:
        return found == Fraction(text)
    except ValueError:
        return False


def _shown(results: dict[str, Fraction | str]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in results.items())


def _text(value: Fraction | str) -> str:
    """Write a value as a decimal where it is one, otherwise as a fraction."""
    if isinstance(value, str):
        return value
    digits = next((n for n in range(40) if (value * 10**n).denominator == 1), None)
    if digits is None:
        return str(value)
    scaled = int(abs(value) * 10**digits)
    sign = "-" if value < 0 else ""
    whole, rest = divmod(scaled, 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"
