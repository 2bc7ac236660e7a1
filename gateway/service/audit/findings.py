"""Audit what was found of accepted acts: the files that were written, and every claim that differs."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from gateway.convert import ActFinding, finding_texts, then_of
from gateway.errors import IntegrityBroken
from gateway.ports import BatchRow, FindingFile, Findings, PrivateRow
from gateway.service.audit.report import Check
from gateway.service.converting.plausible import claims_of_row
from gateway.service.receipts.replaying import Replayer

__all__ = ["FindingAudit"]

_Line = tuple[str, str, str, str]
"""Record, rule, what was found, what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingAudit:
    """Audits the findings of batch after batch. Of times a record knows nothing, of claims everything."""

    findings: Findings
    files: dict[int, FindingFile]
    replayer: Replayer
    check: Check

    def audit(self, batch: BatchRow, rows: Sequence[PrivateRow]) -> None:
        """Audit the findings of one batch."""
        where = f"batch {batch.number}"
        lines: list[_Line] = []
        file = self.files.get(batch.number)
        with self.check.noting(where):
            if file is not None:
                lines = [_read(line) for line in self.findings.read(batch.number, file)]
                if len(lines) != file.size:
                    raise IntegrityBroken(f"{len(lines)} findings are in the file, {file.size} were decided")
        by_id = {row.id: row for row in rows}
        for record, rule, *_ in lines:
            with self.check.noting(f"{where}: record {record}"):
                self._require_known(by_id.get(record), rule)
        with self.check.noting(where):
            stated = sorted(line for line in lines if line[1].startswith("claimed_"))
            if stated != sorted(line for row in rows for line in self._claims(row)):
                raise IntegrityBroken("the claims give other findings than are written down")
        self.check.looked_at += len(lines)

    def strays(self) -> None:
        """Note files that belong to no batch."""
        for name in self.findings.strays(set(self.files)):
            self.check.differs(
                f"findings/{name} belongs to no batch; if a run was interrupted, run its command again"
            )

    def _require_known(self, row: PrivateRow | None, rule: str) -> None:
        if row is None:
            raise IntegrityBroken("a finding is about a record that the batch does not have")
        source = self.replayer.program(row.mapping).source
        rules = {limit.name for limit in source.limits} | {"overlap", "claimed_reduction", "claimed_points"}
        if rule not in rules or then_of(source, rule) != "finding":
            raise IntegrityBroken(f"its mapping has no rule {rule} that gives findings")

    def _claims(self, row: PrivateRow) -> list[_Line]:
        program = self.replayer.program(row.mapping)
        found: list[ActFinding] = claims_of_row(row, program)
        return [(row.id, one.rule, *finding_texts(program, one)) for one in found]


def _read(line: bytes) -> _Line:
    stated = orjson.loads(line)
    return stated["record"], stated["rule"], stated["found"], stated["expected"]
