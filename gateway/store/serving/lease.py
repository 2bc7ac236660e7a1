"""Who may write to a home that several hosts can reach: one holder at a time, by a row of the database.

Each holder has a term, one more than the one before. Every transaction of a holder looks at the row first
(``Database.fence``), and transactions that write follow one another, so one whose term is over changes
nothing more in the database; its next checkpoint would lose the swap.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from gateway.errors import GatewayError, HomeBusy, LocalFileError
from gateway.store.serving.tables import leases
from gateway.store.sql.database import Database

__all__ = ["LeaseLost", "WriterLease"]

SECONDS: Final = 15  # so long after its holder was last heard of, another one takes the lease
_logger = logging.getLogger(__name__)


class LeaseLost(HomeBusy):
    """Another host has become the writer of this home; nothing was written since."""

    code = "lease-lost"
    remedy = "nothing is to be done: the other host goes on; a lease is lost by whoever was silent too long"


class WriterLease:
    """The lease of one log in its PostgreSQL database."""

    def __init__(self, database: Database, *, origin: str, holder: str) -> None:
        """``holder`` is the same for all that are kept apart by a file lock already."""
        self._database = database
        self._origin = origin
        self._holder = holder
        self._term = 0
        self._ended = threading.Event()

    def found(self) -> None:
        """Make this database the log's.

        Raises:
            LocalFileError: it is another log's already.
        """
        with self._database.write() as connection:
            owner = connection.execute(select(leases.c.name)).scalar()
            if owner is not None:
                raise LocalFileError(
                    f"the database {self._database.name} is that of the log {owner}",
                    remedy="make a database for this home alone",
                )
            connection.execute(insert(leases).values(name=self._origin, holder="", term=0, expires=0))

    def require_own(self) -> None:
        """Check that the database is this log's.

        Raises:
            LocalFileError: it is another's, or an empty one.
        """
        with self._database.read() as connection:
            owner = connection.execute(select(leases.c.name)).scalar()
        if owner != self._origin:
            raise LocalFileError(
                f"the database {self._database.name} is that of {owner or 'no log'}, expected {self._origin}",
                remedy="correct TANQIAO_DATABASE, or restore this home's database",
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lease and renew it; every transaction of this database is fenced meanwhile.

        Raises:
            HomeBusy: another host holds it.
        """
        self._take()
        self._ended.clear()
        renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._database.fence = self._require
        renewing.start()
        try:
            yield
        finally:
            self._ended.set()
            renewing.join()
            self._database.fence = None
            self._release()

    def require(self) -> None:
        """Check that this process is the writer still; raises LeaseLost."""
        with self._database.read() as connection:
            self._require(connection)

    def _take(self) -> None:
        with self._database.write() as connection:
            row = connection.execute(select(leases).where(leases.c.name == self._origin)).one()
            now = _now(connection)
            if row.holder not in ("", self._holder) and row.expires > now:
                raise HomeBusy(
                    f"{row.holder} writes to the home of {self._origin};"
                    f" its lease ends in {row.expires - now} s"
                )
            self._term = row.term + 1
            self._set(connection, holder=self._holder, term=self._term, expires=now + SECONDS)

    def _require(self, connection: Connection) -> None:
        term = connection.execute(select(leases.c.term).where(leases.c.name == self._origin)).scalar()
        if term != self._term:
            raise LeaseLost(f"term {self._term} of the writer of {self._origin} is over, {term} has begun")

    def _renew(self) -> None:
        while not self._ended.wait(SECONDS / 3):
            try:
                with self._database.write(alone=False) as connection:
                    self._set(connection, expires=_now(connection) + SECONDS)
            except GatewayError as error:  # the next write says so too, where it matters
                _logger.warning("the lease was not renewed: %s", error.code)

    def _release(self) -> None:
        try:
            with self._database.write(alone=False) as connection:
                self._set(connection, holder="", expires=0)
        except GatewayError as error:
            _logger.warning("the lease was not given back and runs out by itself: %s", error.code)

    def _set(self, connection: Connection, **values: object) -> None:
        """Change the row unless somebody else's term has begun."""
        row = update(leases).where(leases.c.name == self._origin, leases.c.term <= self._term)
        connection.execute(row.values(**values))


def _now(connection: Connection) -> int:
    """Return the seconds of the database's clock, the only one that all holders share."""
    return int(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
