"""The readers of platforms' documents, and the mapping on what they read."""

import io
import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import BinaryIO

from adapters.bank_acts import BankActsAdapter
from adapters.common import CommonAdapter
from adapters.monthly_settlement import MonthlySettlementAdapter
from adapters.paged_dump import PagedDumpAdapter
from adapters.project_register import ProjectRegisterAdapter
from adapters.shenzhen_transit import ShenzhenTransitAdapter
from gateway.bulk.columns import ColumnEvaluator
from gateway.contract import ROW_BYTES_MAX, Assembly, PlatformAdapter
from gateway.convert import Converted, Interpreter, Program, Refusal, SourceReader, load_program
from gateway.model.source import Outcome, Place, RefusedRow, SourceFormat, SourceRow
from gateway.resources import schema, shipped_mappings

__all__ = ["MODES", "read_document"]

_PLATFORMS = ("cn-420100/wuhan", "cn-440300/shenzhen")

# The first byte of an input chooses one of these.
MODES: tuple[tuple[PlatformAdapter, SourceFormat], ...] = (
    (CommonAdapter(), SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))),
    (CommonAdapter(), SourceFormat(kind="csv", encodings=("gb18030",), delimiter=";", quote="'")),
    (CommonAdapter(), SourceFormat(kind="csv", delimiter="\t", quote="")),
    (CommonAdapter(), SourceFormat(kind="ndjson")),
    (CommonAdapter(), SourceFormat(kind="ndjson", encodings=("utf-8", "gb18030"))),
    (CommonAdapter(), SourceFormat(kind="parquet")),
    (ShenzhenTransitAdapter(), SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))),
    (BankActsAdapter(), SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))),
    (PagedDumpAdapter(), SourceFormat(kind="ndjson")),
    (MonthlySettlementAdapter(), SourceFormat(kind="csv")),
    (ProjectRegisterAdapter(), SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))),
)


def _newest(platform: str) -> Program:
    programs = [load_program(text, schema("mapping"), name=name) for name, text in shipped_mappings()]
    return max((one for one in programs if one.platform == platform), key=lambda one: one.version)


class _Rules:
    """One mapping with everything that evaluates it."""

    def __init__(self, program: Program) -> None:
        self.reader = SourceReader(program)
        self._interpreter = Interpreter(program)
        self._columns = ColumnEvaluator(program)

    def require_agreement(self, rows: list[SourceRow]) -> None:
        """Convert rows both ways; they must agree on value or reason."""
        fields = [row.fields for row in rows]
        result = self._columns.convert_batch(fields, self.reader.read_columns(fields))
        for row, quick in zip(fields, result.outcomes(), strict=True):
            slow = self._interpreter.convert(row)
            assert _essence(slow) == _essence(quick), (row, slow, quick)


def _essence(outcome: Converted | Refusal) -> object:
    if isinstance(outcome, Refusal):
        return outcome.code, outcome.field
    return outcome.inputs, outcome.co2e_mg, outcome.points, outcome.points_exact


_RULES = {platform: _Rules(_newest(platform)) for platform in _PLATFORMS}


def read_document(data: bytes) -> None:
    """Read a document as one of the modes and convert its rows; rows number on and are text."""
    adapter, source = MODES[data[0] % len(MODES)] if data else MODES[0]
    outcomes = _read(adapter, io.BytesIO(data[1:]), source=source)
    acts: list[Outcome] = []
    for number, row in enumerate(outcomes, start=1):
        assert row.place == Place("f", number), (row.place, number)
        _require_text(row)
        acts.append(row)
    if adapter.assembly:
        acts = _assembled(acts, adapter.assembly)
    rows = [act for act in acts if isinstance(act, SourceRow)]
    _RULES[adapter.platform or _PLATFORMS[0]].require_agreement(rows)


def _read(
    adapter: PlatformAdapter, document: BinaryIO, *, source: SourceFormat
) -> Iterator[SourceRow | RefusedRow]:
    rows: Callable[..., Iterator[SourceRow | RefusedRow]] = adapter.rows
    return rows(document, "f", source=source)


def _require_text(row: SourceRow | RefusedRow) -> None:
    """Check that a row can be kept: it is text without halves of characters, and of bounded length."""
    kept = json.dumps(dict(row.fields), ensure_ascii=False).encode("utf-8")
    assert sum(map(len, row.fields.values())) <= 4 * ROW_BYTES_MAX, len(kept)
    if isinstance(row, RefusedRow):
        assert row.detail, row


def _assembled(outcomes: list[Outcome], assembly: Assembly) -> list[Outcome]:
    """Sort and assemble as the gateway does; every row has exactly one fate."""
    rows = [one for one in outcomes if isinstance(one, SourceRow)]

    def key(names: tuple[str, ...]) -> Callable[[SourceRow], list[tuple[bool, str]]]:
        return lambda row: [(name in row.fields, row.fields.get(name, "")) for name in names]

    rows.sort(key=key(assembly.group_by + assembly.order_by))
    acts = [act for _, group in groupby(rows, key(assembly.group_by)) for act in assembly.assemble(group)]
    places = sorted(place for act in acts for place in (act.place, *act.also))
    assert places == sorted(row.place for row in rows)
    return acts
