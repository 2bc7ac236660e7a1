"""Run the tests that a mapping document carries, single and in sequence."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, cast

from gateway.convert.caps import CapKey, CapMeter, Granted
from gateway.convert.document import Value, leaves
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Program
from gateway.convert.roles import SourceReader

__all__ = ["ActResult", "Evaluate", "TestResult", "run_tests", "source_fields"]

Evaluate = Callable[[Mapping[str, str]], Converted | Refusal]
"""What turns a row's fields into a result before caps, such as ``Interpreter(program).convert``."""


class ActResult(NamedTuple):
    """One act of a test: its row, what came of it, and what the caps left of it."""

    fields: Mapping[str, str]
    outcome: Converted | Refusal
    granted: Granted | None


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
        for field in program.source.fields:
            for key in field.keys if field.role == role else ():
                if key not in own:
                    stated.setdefault(key, fillers[role])
    return stated


def _key(pointer: str, keys: set[str]) -> str:
    return pointer if pointer in keys else pointer[1:].replace("~1", "/").replace("~0", "~")


def _result(program: Program, test: dict[str, Any], *, evaluate: Evaluate) -> TestResult:
    name = str(test["name"])
    if "sequence" not in test:
        fields = source_fields(program, test["given"], label=name, person=name)
        outcome = evaluate(fields)
        return TestResult(name, tuple(_faults(test, outcome)), (ActResult(fields, outcome, None),))
    acts: list[ActResult] = []
    faults: list[str] = []
    usage: dict[CapKey, int] = {}
    for number, act in enumerate(test["sequence"], start=1):
        fields = source_fields(program, act["given"], label=f"{name} {number}", person=name)
        outcome, granted = _granted(program, evaluate(fields), fields=fields, act=act, usage=usage)
        acts.append(ActResult(fields, outcome, granted))
        faults.extend(f"act {number}: {fault}" for fault in _faults(act, outcome, granted=granted))
    return TestResult(name, tuple(faults), tuple(acts))


def _granted(
    program: Program,
    outcome: Converted | Refusal,
    *,
    fields: Mapping[str, str],
    act: dict[str, Any],
    usage: MutableMapping[CapKey, int],
) -> tuple[Converted | Refusal, Granted | None]:
    roles = SourceReader(program).read(fields)
    if isinstance(outcome, Refusal) or isinstance(roles, Refusal):
        return outcome, None
    day = date.fromisoformat(act["accepted"]) if "accepted" in act else date.fromordinal(roles.day)
    meter = CapMeter(program)
    keys = meter.keys(roles, accepted=day)
    if isinstance(keys, Refusal):
        return keys, None
    granted = meter.grant(outcome, keys, usage=usage)
    return (granted, None) if isinstance(granted, Refusal) else (outcome, granted)


def _faults(
    expected: dict[str, Any], outcome: Converted | Refusal, *, granted: Granted | None = None
) -> Iterator[str]:
    reject = expected.get("reject")
    if isinstance(outcome, Refusal):
        if reject != outcome.code:
            wanted = f"the rejection {reject}" if reject else "a result"
            yield f"expected {wanted}, got {outcome.code} ({outcome.field}: {outcome.detail})"
        return
    results = _results(outcome, granted)
    if reject:
        yield f"expected the rejection {reject}, got {_shown(results)}"
        return
    for name, text in expected["expect"].items():
        found = results.get(name)
        if found is None or not _equal(found, text):
            yield f"expected {name} {text}, got {'none' if found is None else _text(found)}"


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
