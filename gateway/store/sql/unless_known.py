"""Rows of which some may be there already, and answers that are given once: many with one statement."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Table,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.selectable import TableValuedAlias

from gateway.store.sql.dialects import upsert

__all__ = ["insert_unless_known", "set_once"]

Row = Mapping[str, Any]
ROWS: Final = "given_rows"


def insert_unless_known(connection: Connection, key: Column[Any], *, rows: Sequence[Row]) -> Sequence[Any]:
    """Insert those rows that are not there yet; returns the values that one of the columns has in them."""
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        return connection.execute(_inserting(key, tuple(rows[0])), _document(rows)).scalars().all()
    unless_known = upsert(connection, key.table).on_conflict_do_nothing().returning(key)
    return connection.execute(unless_known, rows).scalars().all()


def set_once(connection: Connection, one: Column[Any], *, rows: Sequence[Row]) -> None:
    """Set a column where it is null; each row names its whole primary key and the value."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_setting(one, tuple(rows[0])), _document(rows))
        return
    marks = [{f"_{name}": value for name, value in row.items()} for row in rows]
    mine = [key == bindparam(f"_{key.name}") for key in one.table.primary_key]
    value: dict[str, Any] = {one.name: bindparam(f"_{one.name}")}
    connection.execute(update(one.table).where(*mine, one.is_(None)).values(value), marks)


@lru_cache(maxsize=16)  # a statement that is made anew costs more than its rows
def _inserting(key: Column[Any], names: tuple[str, ...]) -> ReturningInsert[Any]:
    given = _given(key.table, names)
    new = insert(key.table).from_select(names, select(*(given.c[name] for name in names)))
    return new.on_conflict_do_nothing().returning(key)


@lru_cache(maxsize=16)
def _setting(one: Column[Any], names: tuple[str, ...]) -> Update:
    given = _given(one.table, names)
    mine = [key == given.c[key.name] for key in one.table.primary_key]
    value: dict[str, Any] = {one.name: given.c[one.name]}
    return update(one.table).where(*mine, one.is_(None)).values(value)


def _given(table: Table, names: Sequence[str]) -> TableValuedAlias:
    columns = [column(name, table.c[name].type) for name in names]
    rows = func.json_to_recordset(cast(bindparam(ROWS, type_=Text), JSON))
    return rows.table_valued(*columns).render_derived(name="given", with_types=True)


def _document(rows: Sequence[Row]) -> dict[str, str]:
    return {ROWS: orjson.dumps(rows).decode()}
