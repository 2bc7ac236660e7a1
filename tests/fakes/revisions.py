"""Databases as an earlier version of this program has left them."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine


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
