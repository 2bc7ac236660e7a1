"""Try a mapping on some rows and keep nothing: what each would become, and every number of one of them."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.contract import Assembly, NotStrictJson, PlatformAdapter, strict_json
from gateway.convert import Converted, Program, Refusal
from gateway.convert.explain import Explanation, explain
from gateway.errors import NotFound, Refused
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceRow
from gateway.service.acts.assembling import Rows, assembled
from gateway.service.submitting.taking import require_objects

__all__ = ["SAMPLE_ROWS_MAX", "Trying"]

SAMPLE_ROWS_MAX: Final = 1_000  # enough to see every kind of row of a day; they take about a second
_FILE: Final = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """Tries mapping versions; joined by ``gateway.app``. ``assemble`` sorts, ``diff`` compares two.

    ``programs`` gives the versions of this gateway, ``publication`` by its digest one that maintainers are
    still signing.
    """

    programs: Callable[[], Sequence[Program]]
    publication: Callable[[str], Program | None]
    adapter: Callable[[str], PlatformAdapter]
    assemble: Callable[[Rows, Assembly], Iterator[Outcome]]
    diff: Callable[[Program, Program, date], dict[str, object]]

    def program(self, digest: str) -> Program:
        """Return a mapping version by its digest, also one that waits for signatures.

        Raises:
            NotFound: there is none.
        """
        wanted = digest.removeprefix("sha256:")
        found = next((one for one in self.programs() if one.digest == wanted), None)
        found = found or self.publication(wanted)
        if found is None:
            raise NotFound("there is no such mapping here", remedy="see /v1/mappings")
        return found

    def outcomes(self, program: Program, rows: Sequence[bytes]) -> list[dict[str, object]]:
        """Return what each row would become by one version, before caps and claims.

        Raises:
            Refused: there are none, or too many.
            MalformedDocument: one is no JSON object.
        """
        if not 1 <= len(rows) <= SAMPLE_ROWS_MAX:
            raise Refused(
                f"expected 1 to {SAMPLE_ROWS_MAX} rows, got {len(rows)}",
                field="/acts",
                remedy="send a sample; all rows are what POST /v1/acts and POST /v1/files are for",
            )
        require_objects(rows, b"".join(row + b"\n" for row in rows))
        made = sorted(self._made(program, rows), key=lambda one: one.place.row)
        return [_outcome(program, one) for one in made]

    def explanation(self, program: Program, row: bytes) -> dict[str, object]:
        """Explain one row by one version: each number from source to result, in Chinese and in English.

        Raises:
            MalformedDocument: it is no JSON object.
        """
        require_objects([row], row)
        made = next(iter(self._made(program, [row])), None)
        if made is None or isinstance(made, RepeatedRow):
            raise Refused("there is no row", remedy="send one row as the platform writes it")
        told = _outcome(program, made)
        del told["row"]
        if isinstance(made, SourceRow):
            for lang in ("zh", "en"):
                lines = explain(program, made.fields, lang=lang).items
                told[lang] = [line._asdict() for line in lines]
        return told

    def _made(self, program: Program, rows: Sequence[bytes]) -> Iterator[Outcome]:
        adapter = self.adapter(program.source.adapter)
        if program.source.format.kind == "ndjson":
            document = io.BytesIO(b"".join(row + b"\n" for row in rows))
            read = adapter.rows(document, _FILE, source=program.source.format)
        else:
            read = (_columns(row, Place(_FILE, number)) for number, row in enumerate(rows, 1))
        return assembled(read, program, adapter=adapter, assemble=self.assemble)


def _columns(row: bytes, place: Place) -> SourceRow | RefusedRow:
    """Read a row of a table, which stands here as an object: the names of columns, each with its text."""
    try:
        value = strict_json(row.decode())
    except (NotStrictJson, UnicodeDecodeError) as error:
        return RefusedRow(place, Rejection.MALFORMED_ROW, f"not strict JSON: {error}", {})
    if not isinstance(value, dict):
        return RefusedRow(place, Rejection.MALFORMED_ROW, "expected an object of columns with texts", {})
    return SourceRow(place, {name: text for name, text in value.items() if isinstance(text, str)})


def _outcome(program: Program, made: Outcome) -> dict[str, object]:
    told: dict[str, object] = {"row": made.place.row}
    if made.also:
        told["also"] = [place.row for place in made.also]
    if isinstance(made, RepeatedRow):
        return told | {"outcome": "repeated", "repeats": made.first.row}
    if isinstance(made, RefusedRow):
        return told | {"outcome": "rejected", "code": made.code.value, "field": "", "detail": made.detail}
    return told | _told(explain(program, made.fields, lang="en", rows=1 + len(made.also)))


def _told(explanation: Explanation) -> dict[str, object]:
    match explanation.outcome:
        case Refusal(code, field, detail):
            return {"outcome": "rejected", "code": code.value, "field": field, "detail": detail}
        case Converted() as act:
            findings = [finding.rule for finding in act.findings]
            return {
                "outcome": "counted",
                "co2e_mg": str(act.co2e_mg),
                "points": str(act.points),
                **({"findings": findings} if findings else {}),
            }
