"""The rule: from inputs to reduction and points.

Peers: one query over all rows, and a schema with an expression for each record. Neither is exact as ours is.
"""

from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Bench, Figure, cpu_seconds, figure, measured
from benchmarks.peers import connection, peer
from benchmarks.stages.acts import rows_of
from benchmarks.trips import program_of
from gateway.bulk.columns import ColumnEvaluator
from gateway.convert import FastEvaluator, Refusal, Roles, SourceReader

__all__ = ["measure"]

SLOW_ROWS = 2000  # for peers that take a millisecond each
QUERY = """
SELECT sum(mg), sum(floor(mg / 10000)) FROM (
  SELECT round(CAST(distance AS DECIMAL(18, 3)) * (180.125 - CASE mode WHEN '地铁' THEN 36.253
    WHEN '公交' THEN 52.371 WHEN '电单车' THEN 11.007 END), 3) * 1000 AS mg FROM trips)
"""
EXPRESSION = (
    "int((double(distance) * (180.125 - (mode == '地铁' ? 36.253 : mode == '公交' ? 52.371 : 11.007)))"
    " * 1000.0 + 0.5)"
)
SCHEMA = {
    "type": "object",
    "required": ["distance", "mode"],
    "properties": {
        "distance": {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,2})\.[0-9]{1,3}$"},
        "mode": {"enum": ["地铁", "公交", "电单车"]},
    },
}


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure the column kernel and the generated function with the reading of their inputs."""
    program = program_of(bench.folder, "ndjson")
    rows = rows_of(bench)
    read = SourceReader(program).read_columns(rows)
    roles = read.roles()
    columns, single = ColumnEvaluator(program), FastEvaluator(program)
    ours = measured("rule", "columns", items=len(rows), work=lambda: columns.convert_batch(rows, read))
    yield ours
    yield measured("rule", "one by one", items=len(rows), work=lambda: _one_by_one(single, rows, roles=roles))
    small = [
        {"distance": row["/里程"], "mode": row["/出行方式"]}
        for row, act in zip(rows, roles, strict=True)
        if not isinstance(act, Refusal)
    ]
    yield from peer("duckdb", lambda: _query(small, ours))
    yield from peer("celpy", lambda: _checked(small[:SLOW_ROWS], ours))


def _one_by_one(single: FastEvaluator, rows: list[dict[str, str]], *, roles: list[Roles | Refusal]) -> None:
    for row, act in zip(rows, roles, strict=True):
        if not isinstance(act, Refusal):
            single.convert(row, act)


def _query(rows: list[dict[str, str]], ours: Figure) -> Figure:
    columns = {name: [row[name] for row in rows] for name in ("distance", "mode")}
    with connection(columns) as database:
        cpu = cpu_seconds(lambda: database.execute(QUERY).fetchall())
    return figure("rule", "DuckDB query", role="peer", items=len(rows), cpu=cpu, ours=ours)


def _checked(rows: list[dict[str, str]], ours: Figure) -> Figure:
    import celpy
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(SCHEMA)
    environment = celpy.Environment()
    program = environment.program(environment.compile(EXPRESSION))

    def one(row: dict[str, str]) -> Any:  # noqa: ANN401 - a number type of the peer's own
        schema.validate(row)
        return program.evaluate({name: celpy.celtypes.StringType(value) for name, value in row.items()})

    cpu = cpu_seconds(lambda: [one(row) for row in rows])
    return figure("rule", "jsonschema and cel-python", role="peer", items=len(rows), cpu=cpu, ours=ours)
