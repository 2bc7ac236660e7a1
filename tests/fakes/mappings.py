"""Programs made by hand: the value that a checked mapping document means, without the document."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from gateway.convert.exact import names_used
from gateway.convert.program import (
    Binary,
    Cap,
    Cite,
    CodeRow,
    Dated,
    Expr,
    Factor,
    Field,
    Formula,
    Input,
    Name,
    Number,
    Program,
    Rounding,
    Source,
    Step,
    Table,
    TableRow,
)
from gateway.model.codes import Rejection
from gateway.model.source import SourceFormat

SHANGHAI = ZoneInfo("Asia/Shanghai")
CITE = Cite(ref="M1", clause="table 3")
LONG_AGO = date(2024, 1, 1)


def make_field(name: str, **changes: Any) -> Field:
    """Make a text column called like the field, with what differs."""
    values: dict[str, Any] = {
        "name": name,
        "role": None,
        "keys": (name,),
        "constant": None,
        "type": "text",
        "code_table": None,
        "unit": "",
        "scale": 0,
        "excess": "reject",
        "low": 0,
        "high": 0,
        "missing": Rejection.MISSING_FIELD,
        "behaviours": None,
    }
    return Field(**(values | changes))


def decimal_field(name: str, scale: int = 3, *, low: int = 0, high: int = 300_000, **changes: Any) -> Field:
    """Make an input of the formula; bounds are scaled integers."""
    return make_field(name, type="decimal", unit="km", scale=scale, low=low, high=high, **changes)


def role_fields(**changes: Field) -> tuple[Field, ...]:
    """List the roles every act has; each may be replaced."""
    fields = {
        "event": make_field("event", role="event"),
        "behaviour": make_field("behaviour", role="behaviour", code_table="mode"),
        "start": make_field("start", role="start", type="instant"),
        "person": make_field("person", role="person", type="pseudonym"),
        "evidence": make_field("evidence", role="evidence", constant="operator-record", keys=()),
        "ownership": make_field("ownership", role="ownership", constant="personal", keys=()),
    }
    return tuple((fields | changes).values())


def dated(value: Any, since: date = LONG_AGO) -> Dated[Any]:
    """Make a value that holds from long ago, or from another day on."""
    return Dated(since=since, value=value, cite=CITE)


def constant(name: str, value: str | Mapping[str, str], *, by: str | None = None) -> Factor:
    """Make a factor with one value, or one per class, for all time."""
    held = Fraction(value) if isinstance(value, str) else {k: Fraction(v) for k, v in value.items()}
    return Factor(name=name, unit="gCO2e/km", by=by, values=(dated(held),))


def make_table(name: str, kind: str, rows: Iterable[tuple[Any, ...]], *, boundary: str = "from") -> Table:
    """Make a table of one edition; a row is (at, value, label or rejection)."""
    made = [_row(at, value) for at, value in rows]
    return Table(
        name=name, unit="km", of="km", kind=kind, boundary=boundary, values=(dated(tuple(made)),)  # type: ignore[arg-type]  # one of the words
    )  # fmt: skip


def _row(at: str | int, value: str | int | Rejection) -> TableRow:
    if isinstance(value, Rejection):
        return TableRow(at=Fraction(at), reject=value)
    if isinstance(value, str) and value.isalpha():
        return TableRow(at=Fraction(at), label=value)
    return TableRow(at=Fraction(at), value=Fraction(value))


def step(name: str, expr: Expr | dict[str, Expr], *, scale: int | None = 0, mode: str = "floor") -> Step:
    """Make a step with the same expression for every behaviour, rounded unless scale is None."""
    rounding = None if scale is None else Rounding(scale=scale, mode=mode)  # type: ignore[arg-type]  # one of the words
    by_act = expr if isinstance(expr, dict) else dict.fromkeys(("TRV-METRO", "TRV-BUS"), expr)
    return Step(name=name, unit="gCO2e", expr=by_act, rounding=rounding)


def make_program(steps: Sequence[Step], **changes: Any) -> Program:
    """Make a program over ``fields`` (inputs), ``factors`` and ``tables``; whatever else differs by name."""
    inputs: tuple[Field, ...] = changes.pop("fields", (decimal_field("x"),))
    roles: tuple[Field, ...] = changes.pop("roles", role_fields())
    tables = {table.name: table for table in changes.pop("tables", ())}
    factors = {factor.name: factor for factor in changes.pop("factors", ())}
    codes = {"mode": {"01": "TRV-METRO", "02": "TRV-BUS"}} | changes.pop("codes", {})
    behaviours = tuple(steps[0].expr)
    code_tables = {
        name: tuple(CodeRow(code=code, value=value) for code, value in rows.items())
        for name, rows in codes.items()
    }
    classes = {name: tuple(dict.fromkeys(rows.values())) for name, rows in codes.items()}
    formula = Formula(
        inputs={field.name: _input(field, classes) for field in inputs},
        factors=factors,
        tables=tables,
        steps=tuple(steps),
        needs={act: _needs(steps, act, inputs=inputs, factors=factors) for act in behaviours},
        mg_per_reduction_ulp=changes.pop("mg_per_reduction_ulp", 1),
    )
    values: dict[str, Any] = {
        "id": "cn-000000/yunxi/travel",
        "version": 1,
        "digest": "00" * 32,
        "canonical": b"{}",
        "platform": "cn-000000/yunxi",
        "status": "illustrative",
        "title_zh": "云溪市绿色出行",
        "title_en": "Yunxi green travel",
        "effective_from": date(2025, 3, 1),
        "effective_until": None,
        "zone": SHANGHAI,
        "basis": {"M1": {"title": "云溪碳普惠方法学"}},
        "source": Source(
            adapter="common",
            format=changes.pop("format", SourceFormat()),
            fields=(*roles, *inputs),
            code_tables=code_tables,
            claim_tolerance_mg=0,
        ),
        "behaviours": behaviours,
        "formula": formula,
        "unit": "cn-000000/yunxi-point",
        "kind": "gram",
        "caps": (),
        "expiry": None,
        "reversible": True,
        "tests": (),
    }
    return Program(**(values | changes))


def _input(field: Field, classes: Mapping[str, tuple[str, ...]]) -> Input:
    of = None if field.code_table is None else classes[field.code_table]
    return Input(
        name=field.name, unit=field.unit, scale=field.scale, low=field.low, high=field.high, classes=of
    )


def _needs(
    steps: Sequence[Step], behaviour: str, *, inputs: tuple[Field, ...], factors: Mapping[str, Factor]
) -> tuple[str, ...]:
    names = names_used(tuple(steps), behaviour)
    names |= {factor.by for factor in factors.values() if factor.name in names and factor.by}
    return tuple(field.name for field in inputs if field.name in names)


def make_cap(name: str = "daily", **changes: Any) -> Cap:
    """Make a cap of 200 points per person and local day, with what differs."""
    values: dict[str, Any] = {
        "name": name,
        "of": "points",
        "whom": "person",
        "period": "local_day",
        "maximum": 200,
        "order": "accepted_sequence",
        "late": "counts_on_activity_day",
        "when_full": "grant_zero",
        "behaviours": None,
    }
    return Cap(**(values | changes))


def yunxi(**changes: Any) -> Program:
    """Make the example of the mapping reference: metro, bus and electric bicycle by distance."""
    acts = ("TRV-METRO", "TRV-BUS", "TRV-EBIKE")
    old, new = dict(zip(acts, ("36.253", "52.371", "11.007"), strict=True)), {"TRV-METRO": "31.900"}
    act = Factor(
        name="act",
        unit="gCO2e/km",
        by="behaviour",
        values=(
            dated({k: Fraction(v) for k, v in old.items()}),
            dated({k: Fraction(v) for k, v in (old | new).items()}, date(2025, 7, 1)),
        ),
    )
    reduction = Binary("*", Name("distance"), Binary("-", Name("baseline"), Name("act")))
    points = Binary("/", Name("reduction"), Number(Fraction(10)))
    steps = (
        step("reduction", dict.fromkeys(acts, reduction), scale=3, mode="half_up"),
        step("points", dict.fromkeys(acts, points)),
    )
    values: dict[str, Any] = {
        "fields": (decimal_field("distance"),),
        "factors": (constant("baseline", "180.125"), act),
        "codes": {"mode": dict(zip(("01", "02", "03"), acts, strict=True))},
        "caps": (make_cap(),),
    }
    return make_program(steps, **(values | changes))


def act(**changes: str) -> dict[str, str]:
    """Make a row: a metro trip in the morning, with what differs."""
    row = {"event": "e-1", "behaviour": "01", "start": "2025-03-16T07:00:00+08:00", "person": "a"}
    return row | changes
