"""Check every shipped mapping: shape, meaning, its own tests, their coverage, and the order of versions."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Set

import yaml

from gateway import resources
from gateway.claims import NO_KIND, Kinds
from gateway.convert.coverage import measure
from gateway.convert.interpret import Interpreter
from gateway.convert.load import check_scheme, load_program
from gateway.convert.program import Program
from gateway.convert.selftest import run_tests
from gateway.errors import InvalidMapping, Refused
from gateway.model.behaviour import read_behaviours
from gateway.model.shape import Shape


def main() -> int:
    """Print each fault as ``file: what`` and return 1 if there is any."""
    schema, known = resources.schema("mapping"), read_behaviours(resources.behaviour_table())
    schemes: defaultdict[str, list[Program]] = defaultdict(list)
    faults: list[str] = []
    for name, text in resources.shipped_mappings():
        try:
            program = load_program(text, schema, name=name, behaviours=known)
        except InvalidMapping as invalid:
            faults.append(str(invalid))
            continue
        schemes[program.id].append(program)
        faults.extend(f"{name}: {fault}" for fault in _faults(program, name))
    for scheme, programs in schemes.items():
        faults.extend(f"{scheme}: {finding.message}" for finding in check_scheme(programs))
    faults.extend(_kinds_faults(known.keys()))
    checked = sum(map(len, schemes.values()))
    print("\n".join(faults) if faults else f"mappings: ok ({checked} checked)")
    return 1 if faults or not checked else 0


def _kinds_faults(known: Set[str]) -> Iterator[str]:
    """Check the declaration of kinds: its form, its meaning, and that it speaks of every behaviour once."""
    document = yaml.safe_load(resources.shipped_kinds())
    try:
        Shape(resources.schema("kinds")).require(document, "kinds.yaml")
        kinds = Kinds.of(document)
    except Refused as refused:
        yield f"kinds.yaml: {refused}"
        return
    unclaimed = set(document["unclaimed"])
    for code in sorted(known | unclaimed | {code for kind in kinds.kinds for code in kind.behaviours}):
        if code not in known:
            yield f"kinds.yaml: {code} is no behaviour"
        elif (kinds.number(code) == NO_KIND) != (code in unclaimed):
            yield f"kinds.yaml: {code} should be in one kind, or unclaimed"


def _faults(program: Program, name: str) -> Iterator[str]:
    place, _, scheme = program.id.rpartition("/")
    expected = f"{place.replace('/', '-')}/{scheme}.v{program.version}.yaml"
    if name != expected:
        yield f"expected the file name {expected} for {program.id}"
    if program.status == "illustrative":
        yield "expected a mapping with sources, got status illustrative"
    for result in run_tests(program, Interpreter(program).convert):
        yield from (f"test {result.name}: {fault}" for fault in result.faults)
    yield from (f"no test touches {rule}" for rule in measure(program).missing)


if __name__ == "__main__":
    sys.exit(main())
