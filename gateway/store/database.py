"""Open a home's database: SQLite, durable, migrated to the tables this version needs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.errors import IntegrityBroken, LocalFileError

__all__ = ["Database", "refuse_network_disk"]

HEAD: Final = "0009"
CACHE_KIB: Final = 32 * 1024
BUSY_MS: Final = 30_000  # how long another process's transaction is waited for
_FROM_OUTSIDE: Final = tuple(
    f"SQLITE_{name}" for name in ("FULL", "IOERR", "BUSY", "LOCKED", "CANTOPEN", "READONLY", "PERM", "NOMEM")
)
_NETWORK_DISKS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "glusterfs", "ceph"}
)


class Database:
    """One SQLite file. Every write transaction takes the write lock at its start."""

    def __init__(self, path: Path) -> None:
        refuse_network_disk(path.parent)
        self._path = path
        self.folder = path.parent
        self.engine: Engine = create_engine(f"sqlite:///{path}")
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)
        self._migrate()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading."""
        with _naming(self._path), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection inside one write transaction: all of it is kept, or nothing."""
        with _naming(self._path), self.engine.connect() as plain:
            connection = plain.execution_options(tanqiao_write=True)
            with connection.begin():
                yield connection

    def scrub(self) -> None:
        """Write the whole file anew, so that nothing stands in it that was overwritten or deleted.

        Raises:
            LocalFileError: another process is reading and does not end.
        """
        with _naming(self._path), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() or (1,)
            cursor.close()
        if busy:
            raise LocalFileError(
                f"another process is reading the database {self._path}",
                remedy="wait for it to end, then run the command again",
            )

    def _migrate(self) -> None:
        with self.read() as connection:
            if inspect(connection).has_table("alembic_version"):
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
                if found == HEAD:
                    return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "gateway:store/migrations")
        config.set_main_option("path_separator", "os")
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what SQLite says about its file into what a user can do."""
    try:
        yield
    except IntegrityError:
        raise  # a rule of the tables: the program's own fault, not the file's
    except DatabaseError as error:
        if not getattr(error.orig, "sqlite_errorname", "").startswith(_FROM_OUTSIDE):
            raise IntegrityBroken(f"the database {path} is damaged: {error.orig}", field=str(path)) from error
        raise LocalFileError(
            f"the database {path} cannot be used: {error.orig}",
            remedy="make room, mend the permissions or end who holds it; then run the command again",
        ) from error


def refuse_network_disk(folder: Path) -> None:
    """Refuse a folder on a network file system: file locks there do not keep two writers apart.

    Raises:
        LocalFileError: names the folder and the file system.
    """
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return
    entries = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    resolved = folder.resolve()
    under = [entry for entry in entries if resolved.is_relative_to(entry[1])]
    nearest = max(under, key=lambda entry: len(entry[1]), default=None)
    if nearest is not None and nearest[2] in _NETWORK_DISKS:
        raise LocalFileError(
            f"{folder} is on a network file system ({nearest[2]})",
            remedy="put the home on a local disk; one host writes to a home",
        )


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
    write = connection.get_execution_options().get("tanqiao_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
