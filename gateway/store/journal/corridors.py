"""Documents of corridors in the database (:class:`gateway.ports.CorridorDocuments`)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from gateway.ports import CorridorDocument, CorridorKind
from gateway.store.sql.database import Database
from gateway.store.sql.queueing import queue_entry
from gateway.store.sql.tables import METADATA

__all__ = ["SqlCorridors", "corridor_documents"]

corridor_documents: Final = Table(
    "corridor_documents",
    METADATA,
    Column("number", Integer, primary_key=True),  # in the order of arrival
    Column("digest", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("source", String, nullable=False),
    Column("destination", String, nullable=False),
    Column("version", Integer),  # of an agreement; null for what is none
    Column("document", LargeBinary, nullable=False),
    Column("received", String, nullable=False),
    Column("position", BigInteger, ForeignKey("queue.position")),
    UniqueConstraint("source", "destination", "version"),
)
_T: Final = corridor_documents.c


class SqlCorridors:
    """The documents of corridors of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def receive(self, document: CorridorDocument) -> bool:
        """Keep a document; False where another agreement has its corridor and version already."""
        values = document._asdict() | {"version": document.version or None}
        try:
            with self._database.write() as connection:
                known = connection.execute(_documents().where(_T.digest == document.digest)).first()
                if known is None:
                    connection.execute(insert(corridor_documents).values(values))
        except IntegrityError:
            return False
        return True

    def of(self, source: str = "", destination: str = "") -> Sequence[CorridorDocument]:
        """Return the documents from a platform, to a platform, or all."""
        given = {"from": source, "to": destination}
        named = {name: value for name, value in given.items() if value}
        with self._database.read() as connection:
            found = connection.execute(_documents_of(bool(source), bool(destination)), named)
            return [_document(row) for row in found]

    def document(self, digest: str) -> CorridorDocument | None:
        """Return one document."""
        return next(iter(self._found(_documents().where(_T.digest == digest))), None)

    def waiting(self) -> Sequence[CorridorDocument]:
        """Return the documents that do not stand in the log yet."""
        return self._found(_documents().where(_T.position.is_(None)))

    def announce(self, digest: str, entry: bytes) -> None:
        """Queue the log entry of a document, once, in one transaction with its place."""
        unplaced = (_T.digest == digest) & _T.position.is_(None)
        with self._database.write() as connection:
            if connection.execute(_documents().where(unplaced)).first() is not None:
                position = queue_entry(connection, entry)
                connection.execute(update(corridor_documents).where(unplaced).values(position=position))

    def _found(self, query: Select[Any]) -> list[CorridorDocument]:
        with self._database.read() as connection:
            return [_document(row) for row in connection.execute(query)]


@lru_cache(maxsize=4)
def _documents_of(source: bool, destination: bool) -> Select[Any]:
    query = _documents()
    query = query.where(_T.source == bindparam("from")) if source else query
    return query.where(_T.destination == bindparam("to")) if destination else query


def _documents() -> Select[Any]:
    return select(*(_T[name] for name in CorridorDocument._fields)).order_by(_T.number)


def _document(row: Row[Any]) -> CorridorDocument:
    found = CorridorDocument._make(row)
    return found._replace(kind=CorridorKind(found.kind), version=found.version or 0)
