"""Databases as an earlier version of this program has left them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, MetaData, create_engine, text


@contextmanager
def at_revision(engine: Engine, revision: str) -> Iterator[Connection]:
    """Make the tables of a revision in an empty database and give a connection to fill them."""
    config = Config()
    config.set_main_option("script_location", "gateway:store/migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        config.attributes["folder"] = None
        command.upgrade(config, revision)
        yield connection
    engine.dispose()


def set_back(path: Path, revision: str) -> None:
    """Put a SQLite database back to a revision: its tables and columns of that time, their rows of today."""
    older = path.with_suffix(".older")
    with at_revision(create_engine(f"sqlite:///{older}"), revision) as connection:
        connection.execute(text("ATTACH DATABASE :path AS today"), {"path": str(path)})
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.tables.values():
            if table.name != "alembic_version":
                names = ", ".join(f'"{column.name}"' for column in table.columns)
                connection.exec_driver_sql(f"DELETE FROM main.{table.name}")  # noqa: S608 - names of our own
                connection.exec_driver_sql(
                    f"INSERT INTO main.{table.name} ({names}) SELECT {names} FROM today.{table.name}"  # noqa: S608 - likewise
                )
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    older.replace(path)
