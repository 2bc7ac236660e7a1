"""The demo: the main job, on sandbox cities, from files to a refused forgery."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.app.base.home import create_home, open_home
from gateway.app.base.mappings import Reading
from gateway.app.records.check import audit, receipt_of, verifier
from gateway.app.records.convert import convert_files
from gateway.app.reviewing.review import explain_row
from gateway.errors import ChecksFailed, GatewayError, InvariantBroken
from gateway.ports import PrivateRow
from gateway.sandbox import YUNXI_MAPPING, SandboxFile, sandbox_files
from gateway.service.acts.submission import Summary

__all__ = ["Demo"]

RIDES = 2_000


@dataclass(frozen=True, slots=True)
class Demo:
    """One run in one folder. ``say`` prints a line."""

    folder: Path
    seed: int
    say: Callable[[str], None]

    @property
    def home(self) -> Path:
        """Return the home's folder."""
        return self.folder / "home"

    def run(self) -> None:
        """Make the cities' files, convert, audit, explain, verify, tamper.

        Raises:
            GatewayError: a step did not do what it should; the demo is also a check.
        """
        create_home(self.home, profile="test")
        files = self._write_files()
        self._heading(
            "1. Three sandbox cities hand over their files: encodings, repetitions and bad rows as in life"
        )
        first = self._convert(files)
        self._heading("2. Audit: everything is recomputed from the rows up to the signed checkpoint")
        self._audit()
        row = self._first_row(first)
        self._heading("3. One ride explained, from the source text to the points")
        self._explain(files[0], row)
        self._heading("4. Its receipt, verified with the trust files alone; then one digit is changed")
        self._verify_and_tamper(row)

    def _heading(self, text: str) -> None:
        self.say("")
        self.say(text)

    def _write_files(self) -> list[SandboxFile]:
        files = sandbox_files(self.seed, RIDES)
        for file in files:
            (self.folder / file.name).write_bytes(file.data)
        (self.folder / "yunxi.yaml").write_text(YUNXI_MAPPING, encoding="utf-8")
        return files

    def _mapping(self, file: SandboxFile) -> str:
        return str(self.folder / "yunxi.yaml") if file.mapping == "yunxi" else file.mapping

    def _convert(self, files: list[SandboxFile]) -> Summary:
        summaries = []
        for file in files:
            summary = convert_files(
                self.home, [self.folder / file.name], reading=Reading(file.adapter, [self._mapping(file)])
            )
            counts = summary.counts
            rejected = ", ".join(f"{code} {count}" for code, count in sorted(counts.rejected.items()))
            self.say(f"   {file.name}: {counts.rows:,} rows, {counts.accepted:,} accepted, "
                     f"{counts.duplicates:,} repeated, {counts.merged:,} entry taps")  # fmt: skip
            self.say(
                f"     {counts.co2e_mg // 10**6:,} kg CO2e, {counts.points:,} points;"
                f" set aside: {rejected or 'none'}"
            )
            summaries.append(summary)
        return summaries[0]

    def _audit(self) -> None:
        report = audit(self.home, lambda _rows: None)
        if report.differences:
            raise InvariantBroken(report.differences[0])
        for check in report.checks:
            self.say(f"   ok  {check.name} ({check.looked_at:,})")

    def _first_row(self, summary: Summary) -> PrivateRow:
        with open_home(self.home) as opened:
            return opened.records.read(opened.journal.files(summary.batches[0])[0])[0]

    def _explain(self, file: SandboxFile, row: PrivateRow) -> None:
        lines = gzip.decompress(file.data).decode().splitlines()
        number = next(number for number, line in enumerate(lines, start=1) if f'"{row.event}"' in line)
        path = self.folder / file.name
        for line in explain_row(path, number, reading=Reading(file.adapter, [file.mapping]), lang="en"):
            self.say(f"   {line}")

    def _verify_and_tamper(self, row: PrivateRow) -> None:
        with open_home(self.home) as opened:
            checks = verifier(opened.trust.policy(), opened.trust.ring_bytes())
        receipt = receipt_of(self.home, row.id, disclose=["event"])
        (self.folder / "receipt.json").write_bytes(receipt)
        checks.verify(receipt)
        self.say(f"   verified: record {row.id}, {row.co2e_mg:,} mg CO2e on {row.day}")
        forged = receipt.replace(b'"co2e_mg":"%d"' % row.co2e_mg, b'"co2e_mg":"%d"' % (row.co2e_mg + 1))
        (self.folder / "forged.json").write_bytes(forged)
        try:
            checks.verify(forged)
        except GatewayError as refused:
            self.say(f"   one mg more: refused ({refused.code})")
            return
        raise ChecksFailed("a forged receipt was accepted")
