"""Tokens of operators in the database, as hashes."""

from typing import Any

from sqlalchemy import Select, insert, select, update

from gateway.ports import Operator
from gateway.store.serving import tables as t
from gateway.store.sql.database import Database

__all__ = ["SqlOperators"]


class SqlOperators:
    """Who runs or watches this gateway (:class:`gateway.ports.Operators`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, operator: Operator, *, token_hash: bytes) -> None:
        """Keep a token."""
        with self._database.write() as connection:
            connection.execute(insert(t.operators).values(token_hash=token_hash, **operator._asdict()))

    def by_hash(self, token_hash: bytes) -> Operator | None:
        """Return whose token it is, whether it still holds or not."""
        with self._database.read() as connection:
            row = connection.execute(_operators().where(t.operators.c.token_hash == token_hash)).first()
        return None if row is None else Operator(*row)

    def revoke(self, name: str, *, now: str) -> bool:
        """End a token; False where there is none of that id."""
        ending = update(t.operators).where(t.operators.c.id == name)
        with self._database.write() as connection:
            known = connection.execute(_operators().where(t.operators.c.id == name)).first()
            connection.execute(ending.where(t.operators.c.revoked.is_(None)).values(revoked=now))
        return known is not None

    def operators(self) -> list[Operator]:
        """Return all, the oldest first."""
        with self._database.read() as connection:
            return [
                Operator(*row) for row in connection.execute(_operators().order_by(t.operators.c.created))
            ]


def _operators() -> Select[Any]:
    return select(*(t.operators.c[name] for name in Operator._fields))
