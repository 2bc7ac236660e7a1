"""Write down what people should look at: acts that are counted and yet not plausible."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from gateway.convert import ActFinding, Program, finding_texts
from gateway.model.codes import Rejection
from gateway.model.columns import picked
from gateway.model.visible import safe_line
from gateway.service.acts.origins import Origin, Origins
from gateway.service.acts.preparing import Prepared
from gateway.service.acts.recording import ID_BYTES, ActColumns
from gateway.service.converting.part import Verdict
from gateway.service.converting.plausible import claims_of

__all__ = ["PartFindings", "finding_lines", "findings_of_part", "findings_of_record", "without_place"]


_PLACE: Final = ("file", "row", "also")


class PartFindings(NamedTuple):
    """The findings of one part, by the number of the accepted act, and how many acts' claims differ."""

    by_act: dict[int, list[ActFinding]]
    claims_differ: int

    def by_rule(self) -> dict[str, int]:
        """Count the findings by rule."""
        return dict(Counter(one.rule for found in self.by_act.values() for one in found))


def findings_of_part(
    prepared: Prepared, verdict: Verdict, *, acts: ActColumns, programs: Mapping[str, Program]
) -> PartFindings:
    """Collect the findings of ``acts``, those that are accepted, in their order."""
    claims = claims_of(acts, verdict.points, programs=programs)
    if not (claims or verdict.overlaps or prepared.findings):
        return PartFindings({}, 0)
    by_act: dict[int, list[ActFinding]] = {}
    for number, place in enumerate(verdict.kept):
        found = [*prepared.findings.get(place, ())]
        if place in verdict.overlaps:
            found.append(verdict.overlaps[place])
        found += claims.get(number, ())
        if found:
            by_act[number] = found
    return PartFindings(by_act, len(claims))


def finding_lines(
    found: PartFindings,
    ids: bytes,
    *,
    kept: Sequence[int],
    origins: Origins,
    programs: Sequence[Program],
) -> list[bytes]:
    """Write a line for each finding; ``ids`` of records, ``kept`` places and ``programs`` are by act."""
    found_at = origins.at(picked(kept, list(found.by_act)))
    return [
        _line(
            ids[number * ID_BYTES : (number + 1) * ID_BYTES].hex(),
            finding,
            origin=origin,
            program=programs[number],
        )
        for origin, (number, several) in zip(found_at, found.by_act.items(), strict=True)
        for finding in several
    ]


def _line(record: str, finding: ActFinding, *, origin: Origin, program: Program) -> bytes:
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
    return safe_line(orjson.dumps(line).decode()).encode()


def findings_of_record(lines: Sequence[bytes], record: str) -> list[dict[str, str]]:
    """Return what the findings of a batch say about one record."""
    documents = [orjson.loads(line) for line in lines]
    return [
        {key: one[key] for key in ("rule", "found", "expected")}
        for one in documents
        if one["record"] == record
    ]


def without_place(line: bytes) -> bytes:
    """Return a finding without where its act stood, which leads to its person: the rest names nobody."""
    kept = {name: value for name, value in orjson.loads(line).items() if name not in _PLACE}
    return safe_line(orjson.dumps({**kept, "erased": True}).decode()).encode()
