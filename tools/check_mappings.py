"""Check every shipped mapping: shape, meaning, its own tests, their coverage, and the order of versions."""

import sys
from collections import defaultdict
from collections.abc import Iterator

from gateway import resources
from gateway.convert.coverage import measure
from gateway.convert.interpret import Interpreter
from gateway.convert.load import check_scheme, load_program
from gateway.convert.program import Program
from gateway.convert.selftest import run_tests
from gateway.errors import InvalidMapping
from gateway.model.behaviour import read_behaviours


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
    checked = sum(map(len, schemes.values()))
    print("\n".join(faults) if faults else f"mappings: ok ({checked} checked)")
    return 1 if faults or not checked else 0


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
