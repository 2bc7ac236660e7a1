"""Check the embedded tests of a document: names that exist, and one clear expectation each."""

import re
from typing import Final

from gateway.convert.document import leaves
from gateway.convert.program import Source, Step
from gateway.convert.reading import Node
from gateway.model.codes import Rejection

__all__ = ["check_tests"]

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_SEQUENCE_RESULTS: Final = frozenset({"uncapped"})


def check_tests(root: Node, source: Source, *, steps: tuple[Step, ...]) -> None:
    """Report tests that state columns, steps or codes which the document does not have."""
    names: set[str] = set()
    results = {step.name for step in steps}
    for test in root.elements("tests"):
        if test.word("name") in names:
            test["name"].report("test", f"expected each name once, got {test.word('name')} again")
        names.add(test.word("name"))
        if (test.get("given") is None) == (test.get("sequence") is None):
            test.report("test", "expected either given or sequence, got both or neither")
        acts = list(test.elements("sequence"))
        if acts and (test.get("expect") or test.get("reject")):
            test.report(
                "test", "expected expect and reject inside the acts of a sequence, got them beside it"
            )
        for act in acts:
            _check_act(act, source, results=results | _SEQUENCE_RESULTS)
            if act.get("accepted"):
                act.date("accepted")
        if test.get("given"):
            _check_act(test, source, results=results)


def _check_act(act: Node, source: Source, *, results: set[str]) -> None:
    if (act.get("expect") is None) == (act.get("reject") is None):
        act.report("test", "expected either expect or reject, got both or neither")
    reject = act.get("reject")
    if reject is not None and reject.text not in set(Rejection):
        reject.report("name", f"expected a rejection code, got {reject.text}")
    for name, value in act.members("expect"):
        if name not in results:
            value.report("name", f"expected a step of the formula, got {name}")
        elif name in {"reduction", "points", *_SEQUENCE_RESULTS} and not _DECIMAL.fullmatch(value.text):
            value.report("test", f"expected a decimal, got {value.text}")
    _check_rules(act, source)
    _check_given(act["given"], source)


def _check_rules(act: Node, source: Source) -> None:
    """Hold ``findings`` to the rules of the document, and ``rule`` to what can reject an act."""
    rules = {limit.name for limit in source.limits} | {"claimed_reduction", "claimed_points"}
    rules |= {"overlap"} if source.overlap is not None else set()
    findings, rule = act.get("findings"), act.get("rule")
    if findings is not None and act.get("expect") is None:
        findings.report("test", "expected findings beside expect, got them without it")
    for name in act.elements("findings"):
        if name.text not in rules:
            name.report("name", f"expected a plausibility rule, got {name.text}")
    if rule is not None and act.get("reject") is None:
        rule.report("test", "expected a rule beside reject, got it without it")
    if rule is not None and rule.text not in rules | {field.name for field in source.fields}:
        rule.report("name", f"expected a plausibility rule or a field, got {rule.text}")


def _check_given(given: Node, source: Source) -> None:
    keys = {key for field in source.fields for key in field.keys}
    for pointer, _ in leaves(given.value):
        column = pointer[1:].replace("~1", "/").replace("~0", "~")
        if pointer not in keys and column not in keys:
            given.report("name", f"expected a path or column of the fields, got {pointer or 'a text'}")
