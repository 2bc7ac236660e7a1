"""Write down what people should look at: acts that are counted and yet not plausible."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from gateway.convert import ActFinding, Program, finding_texts
from gateway.model.codes import Rejection
from gateway.ports import PrivateColumns
from gateway.service.part import PartResult
from gateway.service.plausible import claims_of
from gateway.service.preparing import Origin

__all__ = ["PartFindings", "findings_of_part", "findings_of_record"]

CLAIMS = frozenset({"claimed_reduction", "claimed_points"})


class PartFindings(NamedTuple):
    """The findings of one part: their lines, how many there are by rule, and acts whose claims differ."""

    lines: list[bytes]
    by_rule: dict[str, int]
    claims_differ: int


def findings_of_part(
    result: PartResult, rows: PrivateColumns, *, programs: Mapping[str, Program]
) -> PartFindings:
    """Collect the findings of the acts that are accepted, in their order."""
    claims = claims_of(rows, programs)
    lines: list[bytes] = []
    by_rule: Counter[str] = Counter()
    if not (claims or result.overlaps or result.prepared.findings):
        return PartFindings([], {}, 0)
    for index, place in enumerate(result.kept):
        for finding in _of_act(result, place, claims=claims.get(index, ())):
            by_rule[finding.rule] += 1
            origin = result.prepared.origins.at(place)
            lines.append(
                _line(rows.id[index], origin, program=programs[rows.mapping[index]], finding=finding)
            )
    return PartFindings(lines, dict(by_rule), len(claims))


def _of_act(result: PartResult, place: int, *, claims: Sequence[ActFinding]) -> Iterator[ActFinding]:
    yield from result.prepared.findings.get(place, ())
    if place in result.overlaps:
        yield result.overlaps[place]
    yield from claims


def _line(record: str, origin: Origin, *, program: Program, finding: ActFinding) -> bytes:
    found, expected = finding_texts(program, finding)
    line: dict[str, object] = {
        "record": record,
        "file": origin.place.file,
        "row": origin.place.row,
        "code": Rejection.IMPLAUSIBLE,
        "rule": finding.rule,
        "found": found,
        "expected": expected,
    }
    if origin.also:
        line["also"] = [{"file": other.file, "row": other.row} for other in origin.also]
    return orjson.dumps(line)


def findings_of_record(lines: Sequence[bytes], record: str) -> list[dict[str, str]]:
    """Return what the findings of a batch say about one record."""
    documents = [orjson.loads(line) for line in lines]
    return [
        {key: one[key] for key in ("rule", "found", "expected")}
        for one in documents
        if one["record"] == record
    ]
