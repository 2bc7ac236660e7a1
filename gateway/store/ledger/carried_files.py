"""The numbers and digests of files that are carried to platforms and back."""

from typing import Any

from sqlalchemy import Row, func, insert, select

from gateway.ports import CarriedFile, Heading
from gateway.store.ledger.transfer_tables import carried_files as table
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import upsert

__all__ = ["SqlCarriedFiles"]


class SqlCarriedFiles:
    """The files between this gateway and platforms (:class:`gateway.ports.CarriedFiles`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, platform: str, *, digest: str, moment: str) -> int:
        """Give a file for a platform the next number."""
        mine = (table.c.platform == platform, table.c.heading == Heading.OUT.value)
        with self._database.write() as connection:
            last = connection.execute(select(func.max(table.c.sequence)).where(*mine)).scalar()
            made = CarriedFile(platform, Heading.OUT, (last or 0) + 1, digest, moment)
            connection.execute(insert(table), made._asdict())
        return made.sequence

    def take(self, file: CarriedFile) -> bool:
        """Keep that a platform's file was taken, again or not; False: another file has its number."""
        mine = (table.c.platform == file.platform, table.c.heading == file.heading.value)
        kept = select(table.c.digest).where(*mine, table.c.sequence == file.sequence)
        with self._database.write(alone=False) as connection:
            connection.execute(upsert(connection, table).on_conflict_do_nothing(), file._asdict())
            return str(connection.execute(kept).scalar_one()) == file.digest

    def of(self, platform: str, heading: Heading) -> list[CarriedFile]:
        """Return the files of a platform, by their numbers; of all platforms where it is empty."""
        query = select(table).where(table.c.heading == heading.value)
        if platform:
            query = query.where(table.c.platform == platform)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.c.platform, table.c.sequence))
            return [_file(row) for row in found]


def _file(row: Row[Any]) -> CarriedFile:
    return CarriedFile(row.platform, Heading(row.heading), row.sequence, row.digest, row.moment)
