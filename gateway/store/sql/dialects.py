"""What differs between SQLite and PostgreSQL: opening, troubles told, what only one of them can.

On both, transactions that write follow one another: SQLite's write lock does it, on PostgreSQL an advisory
lock of the database. Writes that stand such company (see ``GroupCommit``) leave that lock out.
"""

import math
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import psycopg
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.interfaces import Dialect as SqlDialect
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InvalidatePoolError,
    PendingRollbackError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.errors import GatewayError, IntegrityBroken, LocalFileError, Unreachable

__all__ = ["DatabaseUnavailable", "Dialect", "Postgres", "Sqlite", "is_conflict", "postgres_url", "upsert"]

CACHE_KIB: Final = 32 * 1024
BUSY_MS: Final = 30_000  # how long another process's transaction is waited for
TRIED_MS: Final = 3  # SQLite looks after 1 and 3 ms; its further pauses grow to 100
POOL: Final = 8  # connections that a process keeps; as many more for a moment
CONNECT_SECONDS: Final = 5
ASKED_SECONDS: Final = 1.0  # a connection that was in use so lately is taken to be there still
WRITER: Final = 0x74616E7169616F  # "tanqiao": the advisory lock of whoever writes
_SILENT: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_FROM_OUTSIDE: Final = tuple(
    f"SQLITE_{name}" for name in ("FULL", "IOERR", "BUSY", "LOCKED", "CANTOPEN", "READONLY", "PERM", "NOMEM")
)
_USED: Final = "tanqiao-used"
_CONFLICTS: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock: the same again succeeds
_DAMAGE: Final = ("XX001", "XX002", "42P01", "42703")  # a page, an index; no such table, no such column


class DatabaseUnavailable(Unreachable):
    """The database server does not answer, or cannot do what is asked now; nothing of it was kept."""

    code = "database-unavailable"
    remedy = "see that PostgreSQL runs, has room and takes connections; sending the same again is safe"


class Dialect(Protocol):
    """One kind of database. ``name`` stands in messages and never holds a password."""

    name: str
    troubles: tuple[type[SQLAlchemyError], ...]

    def engine(self) -> Engine:
        """Return what connects."""
        ...

    def for_reading(self, engine: Engine, *, at_one_moment: bool) -> Engine:
        """Return what connects for reading alone; ``at_one_moment``: all statements see the same."""
        ...

    def begin_write(self, connection: Connection, *, alone: bool) -> None:
        """Begin a transaction that writes; ``alone``: after every other such one."""
        ...

    def told(self, error: SQLAlchemyError) -> GatewayError:
        """Turn what a database says into what a user can do."""
        ...

    def require_fit(self, connection: Connection) -> None:
        """Refuse a server whose settings break a promise."""
        ...

    def scrub(self, engine: Engine) -> None:
        """Leave nothing of what was overwritten or deleted, as far as this database can."""
        ...


class Sqlite:
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.troubles: tuple[type[SQLAlchemyError], ...] = (DatabaseError,)
        self._path = path

    def engine(self) -> Engine:
        """Return what connects."""
        engine = create_engine(f"sqlite:///{self._path}", hide_parameters=True)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def for_reading(self, engine: Engine, *, at_one_moment: bool) -> Engine:  # noqa: ARG002 - it always is
        """Return the same: what is read in one transaction is of one moment."""
        return engine

    def begin_write(self, connection: Connection, *, alone: bool) -> None:
        """Do nothing: the transaction has begun with the write lock, see ``_begin``."""

    def told(self, error: SQLAlchemyError) -> GatewayError:
        """Turn what SQLite says about its file into what a user can do."""
        said = getattr(error, "orig", None)
        if not getattr(said, "sqlite_errorname", "").startswith(_FROM_OUTSIDE):
            return IntegrityBroken(f"the database {self.name} is damaged: {said}", field=self.name)
        return LocalFileError(
            f"the database {self.name} cannot be used: {said}",
            remedy="make room, mend the permissions or end who holds it; then run the command again",
        )

    def require_fit(self, connection: Connection) -> None:
        """Do nothing: ``_prepare`` has set each connection up."""

    def scrub(self, engine: Engine) -> None:
        """Write the whole file anew.

        Raises:
            LocalFileError: another process is reading and does not end.
        """
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() or (1,)
            cursor.close()
        if busy:
            raise LocalFileError(
                f"another process is reading the database {self.name}",
                remedy="wait for it to end, then run the command again",
            )


class Postgres:
    """A database of a PostgreSQL server."""

    def __init__(self, url: URL) -> None:
        self.name = url.set(query={}).render_as_string(hide_password=True)
        self.troubles: tuple[type[SQLAlchemyError], ...] = (DBAPIError, PendingRollbackError, PoolExhausted)
        self._url = url

    def engine(self) -> Engine:
        """Return what connects; a connection that has been idle and was cut meanwhile is replaced."""
        options = f"-c lock_timeout={BUSY_MS} -c idle_in_transaction_session_timeout={2 * BUSY_MS}"
        options += " -c jit=off"  # no statement of ours is worth a compilation
        options += "".join(f" -c tcp_{name}={value}" for name, value in _SILENT.items())
        engine = create_engine(
            self._url,
            hide_parameters=True,  # a row must not get into a log with an error's trace
            pool_size=POOL,
            max_overflow=POOL,
            connect_args={
                "client_encoding": "UTF8",
                "connect_timeout": CONNECT_SECONDS,
                "options": options,
                **_SILENT,
            },
        )
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_require_there, dialect=engine.dialect))
        return engine

    def for_reading(self, engine: Engine, *, at_one_moment: bool) -> Engine:
        """Return what reads without a transaction, unless all is to be of one moment.

        By default each statement sees its own moment anyhow; so a question is one round trip, not three.
        """
        return engine.execution_options(isolation_level="REPEATABLE READ" if at_one_moment else "AUTOCOMMIT")

    def begin_write(self, connection: Connection, *, alone: bool) -> None:
        """Take the advisory lock for this transaction, if it is to be alone."""
        if alone:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER})

    def told(self, error: SQLAlchemyError) -> GatewayError:
        """Turn what PostgreSQL says into what a user can do."""
        said = getattr(error, "orig", None) or error
        state = getattr(said, "sqlstate", None) or ""
        words = " ".join(str(said).split())
        if state.startswith(_DAMAGE):
            return IntegrityBroken(f"the database {self.name} is damaged: {words}", field=self.name)
        return DatabaseUnavailable(f"the database {self.name} cannot be used: {words}")

    def require_fit(self, connection: Connection) -> None:
        """Refuse a server whose settings break a promise.

        Raises:
            LocalFileError: it does not keep every character, or answers before a commit is on the disk.
        """
        for setting, bad in (("synchronous_commit", ("off",)), ("fsync", ("off",))):
            found = connection.execute(text(f"SHOW {setting}")).scalar()
            if found in bad:
                raise LocalFileError(
                    f"the database {self.name} has {setting} = {found}: an answer would not survive a crash",
                    remedy=f"set {setting} = on for this database",
                )
        encoding = connection.execute(text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            raise LocalFileError(
                f"the database {self.name} has the encoding {encoding}, expected UTF8",
                remedy="make it with: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'",
            )

    def scrub(self, engine: Engine) -> None:
        """Write the tables anew; what the server's log and backups keep is the operator's to end."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM FULL"))


def postgres_url(written: str, *, setting: str) -> URL:
    """Read the address of a PostgreSQL database.

    Raises:
        LocalFileError: names the setting and what it should be; no address is shown, it may hold a password.
    """
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in ("postgresql", "postgresql+psycopg") or not url.database:
        raise LocalFileError(
            f"{setting} is no address of a PostgreSQL database",
            remedy="write postgresql+psycopg://USER@HOST:PORT/DATABASE; a password may stand in PGPASSFILE",
        )
    return url.set(drivername="postgresql+psycopg")


def upsert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert of this connection's database, which can say what to do about a known key."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def is_conflict(error: BaseException) -> bool:
    """Tell whether what a database said is that a write met another one: made again, it succeeds."""
    said = getattr(error.__cause__, "orig", None)
    return getattr(said, "sqlstate", None) in _CONFLICTS


def _note_use(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED] = time.monotonic()


def _require_there(
    connection: DBAPIConnection, entry: ConnectionPoolEntry, *_: object, dialect: SqlDialect
) -> None:
    """Ask the server whether it is there, unless it was a moment ago: each question is a way there and back.

    Raises:
        InvalidatePoolError: it has cut this connection; the pool makes new ones.
    """
    if time.monotonic() - entry.info.get(_USED, math.inf) < ASKED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # sqlite3 must not begin transactions by itself; _begin does
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a decision that was answered survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("tanqiao_write", False):
        _begin_to_write(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_to_write(connection: Connection) -> None:
    """Begin once nobody else writes, at once: by itself SQLite looks again after up to 100 ms."""
    plain = connection.connection.driver_connection
    if plain is None:
        raise RuntimeError("there is no connection in which to begin")
    until = time.monotonic() + BUSY_MS / 1000
    plain.execute(f"PRAGMA busy_timeout={TRIED_MS}")
    try:
        while time.monotonic() < until:
            try:
                plain.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorname", "") != "SQLITE_BUSY":
                    break
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what is wrong is told the usual way
    finally:
        plain.execute(f"PRAGMA busy_timeout={BUSY_MS}")
