"""What maintainers have signed, in the database (:class:`gateway.ports.Publications`)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from gateway.ports import MaintainerSignature, MappingPublication, SignatureQuorum
from gateway.store.sql.database import Database
from gateway.store.sql.tables import METADATA

__all__ = ["SqlPublications", "publication_signatures", "publications"]

publications: Final = Table(
    "publications",
    METADATA,
    Column("number", Integer, primary_key=True),  # in the order of arrival
    Column("digest", String, nullable=False, unique=True),
    Column("id", String, nullable=False),
    Column("version", Integer, nullable=False),  # several texts may wait for one number
    Column("canonical", LargeBinary, nullable=False),
    Column("received", String, nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("fault", String, nullable=False),
    Column("position", BigInteger, ForeignKey("queue.position")),
    Column("proposer", String, nullable=False),
    Column("withdrawn", String, nullable=False),
)

publication_signatures: Final = Table(
    "publication_signatures",
    METADATA,
    Column("number", Integer, primary_key=True),  # in the order of arrival
    Column("digest", String, ForeignKey("publications.digest"), nullable=False),
    Column("key", String, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("value", String, nullable=False),
    UniqueConstraint("digest", "key"),
)

_P: Final = publications.c
_S: Final = publication_signatures.c
_UNSETTLED: Final = _P.position.is_(None)
_OPEN: Final = _UNSETTLED & (_P.withdrawn == "")


class SqlPublications:
    """The publications of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, publication: MappingPublication, *, quorum: SignatureQuorum) -> MappingPublication:
        """Add signatures to a version, the first of each key; what is kept then is returned.

        In the same transaction it is marked as ready once the quorum is there. An earlier fault is forgotten.
        What was withdrawn stays as it is.
        """
        named = _P.digest == publication.digest
        with self._database.write() as connection:
            before = _found(connection, named)
            if before and before[0].withdrawn:
                return before[0]
            if not before:
                values = publication._asdict()
                del values["signatures"], values["number"]
                connection.execute(insert(publications).values(values))
            known = {one.key for kept in before for one in kept.signatures}
            for one in publication.signatures:
                if one.key not in known:
                    row = {"digest": publication.digest, **one._asdict()}
                    connection.execute(insert(publication_signatures).values(row))
            signed = known | {one.key for one in publication.signatures}
            ready = len(signed & quorum.keys) >= quorum.least
            connection.execute(update(publications).where(named, _OPEN).values(ready=ready, fault=""))
            (kept,) = _found(connection, named)
            return kept

    def withdraw(self, digest: str, moment: str) -> MappingPublication | None:
        """Take a version back, unless it was before, or enough have signed; return what is kept then."""
        named = _P.digest == digest
        with self._database.write() as connection:
            undecided = named & _OPEN & (~_P.ready | (_P.fault != ""))
            connection.execute(update(publications).where(undecided).values(withdrawn=moment))
            return next(iter(_found(connection, named)), None)

    def publication(self, digest: str) -> MappingPublication | None:
        """Return one publication."""
        return next(iter(self._read(_P.digest == digest)), None)

    def every(self) -> Sequence[MappingPublication]:
        """Return all in the order in which they came."""
        return self._read(true())

    def open(self, platform: str, *, before: int | None, limit: int) -> Sequence[MappingPublication]:
        """Return those that are neither published nor withdrawn, newest first, before a number.

        ``platform``: those of its mappings; empty: all.
        """
        wanted = _OPEN & (_P.id.startswith(f"{platform}/", autoescape=True) if platform else true())
        if before is not None:
            wanted &= _P.number < literal(before, BigInteger)  # a cursor may name more than there can be
        newest = select(_P.number).where(wanted).order_by(_P.number.desc()).limit(limit)
        return self._read(_P.number.in_(newest))[::-1]

    def due(self) -> Sequence[MappingPublication]:
        """Return those that are ready, neither published nor refused."""
        return self._read(_OPEN & _P.ready & (_P.fault == ""))

    def settle(self, digest: str, position: int) -> None:
        """Note where the version of a digest stands in the log."""
        with self._database.write() as connection:
            unsettled = update(publications).where(_P.digest == digest, _UNSETTLED)
            connection.execute(unsettled.values(position=position, fault=""))

    def refuse(self, digest: str, fault: str) -> None:
        """Note why a version cannot be published."""
        with self._database.write() as connection:
            connection.execute(update(publications).where(_P.digest == digest, _OPEN).values(fault=fault))

    def count(self) -> int:
        """Return how many are published."""
        with self._database.read() as connection:
            published = select(func.count()).where(_P.position.is_not(None))
            return int(connection.execute(published).scalar_one())

    def _read(self, where: ColumnElement[bool]) -> list[MappingPublication]:
        with self._database.read() as connection:
            return _found(connection, where)


def _found(connection: Connection, where: ColumnElement[bool]) -> list[MappingPublication]:
    names = [name for name in MappingPublication._fields if name != "signatures"]
    rows = connection.execute(select(*(_P[name] for name in names)).where(where).order_by(_P.number)).all()
    if not rows:
        return []
    by_digest: defaultdict[str, list[MaintainerSignature]] = defaultdict(list)
    columns = select(_S.digest, *(_S[name] for name in MaintainerSignature._fields))
    wanted = _S.digest.in_([row.digest for row in rows])
    for digest, *signature in connection.execute(columns.where(wanted).order_by(_S.number)):
        by_digest[digest].append(MaintainerSignature._make(signature))
    return [MappingPublication(**row._asdict(), signatures=tuple(by_digest[row.digest])) for row in rows]
