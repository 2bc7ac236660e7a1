"""Open a home's database: durable, migrated to the tables this version needs; SQLite or PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from gateway.errors import LocalFileError
from gateway.store.sql.dialects import Dialect, Postgres, Sqlite

__all__ = ["Database", "refuse_network_disk"]

HEAD: Final = "0023"
_NETWORK_DISKS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "glusterfs", "ceph"}
)


class Database:
    """One database and the folder of the files beside it. Transactions that write follow one another.

    ``fence`` is asked at the start of each transaction that writes; it raises where this process may not.
    """

    def __init__(self, place: Path | URL, *, folder: Path | None = None) -> None:
        """Open a SQLite file, or a PostgreSQL database whose files are in ``folder``."""
        self._dialect: Dialect = Sqlite(place) if isinstance(place, Path) else Postgres(place)
        self.folder = folder or Path(str(place)).parent
        self.fence: Callable[[Connection], None] | None = None
        if isinstance(place, Path):
            refuse_network_disk(self.folder)
        self.engine = self._dialect.engine()
        self._reading = {
            whole: self._dialect.for_reading(self.engine, at_one_moment=whole) for whole in (False, True)
        }
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """Return where the database is, without a password."""
        return self._dialect.name

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def read(self, *, at_one_moment: bool = False) -> Iterator[Connection]:
        """Give a connection for reading; ``at_one_moment``: all its statements see the same, everywhere."""
        with self.told(), self._reading[at_one_moment].connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, alone: bool = True) -> Iterator[Connection]:
        """Give a connection inside one write transaction: all of it is kept, or nothing.

        ``alone``: no other such transaction runs meanwhile. Without it only PostgreSQL runs several at a
        time, for writes that the tables' own rules keep apart.
        """
        with self.told(), self.engine.connect() as plain:
            connection = plain.execution_options(tanqiao_write=True)
            with connection.begin():
                self._dialect.begin_write(connection, alone=alone)
                if self.fence is not None:
                    self.fence(connection)
                yield connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the database says into what a user can do.

        Raises:
            DatabaseUnavailable: the server does not answer, or not now.
            LocalFileError: the file cannot be used.
            IntegrityBroken: what is stored is damaged.
        """
        try:
            yield
        except IntegrityError:
            raise  # a rule of the tables: the program's own fault, not the database's
        except self._dialect.troubles as error:
            raise self._dialect.told(error) from error

    def scrub(self) -> None:
        """Leave nothing in the database that was overwritten or deleted.

        Raises:
            LocalFileError: another process is reading and does not end.
        """
        with self.told():
            self._dialect.scrub(self.engine)

    def _migrate(self) -> None:
        with self.read() as connection:
            self._dialect.require_fit(connection)
            if _revision(connection) == HEAD:
                return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "gateway:store/migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["folder"] = self.folder
        with self.write() as connection:
            if _revision(connection) != HEAD:  # another process may have been faster
                config.attributes["connection"] = connection
                command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


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
