"""Whether a column is one of many values: to PostgreSQL they are one parameter, an array."""

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ARRAY, Column, ColumnElement, any_, bindparam

__all__ = ["VALUES", "one_of"]

VALUES: Final = "values_given"
"""The name of the parameter that takes the values as a list."""


@lru_cache(maxsize=64)
def one_of(column: Column[Any], dialect: str) -> ColumnElement[bool]:
    """Return the condition that a column is one of what will be given as ``VALUES``."""
    if dialect == "postgresql":
        found: ColumnElement[bool] = column == any_(bindparam(VALUES, type_=ARRAY(column.type)))
        return found
    return column.in_(bindparam(VALUES, expanding=True))
