"""Empty databases of each kind, copied from one that was migrated."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from gateway.store.sql.database import Database
from gateway.store.sql.dialects import postgres_url
from tests.fakes.servers import PostgresServer

NewAddress = Callable[[], str]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    open_database(str(folder / "tanqiao.db"), folder).close()
    return folder / "tanqiao.db"


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    address = postgres.database()
    open_database(address, tmp_path_factory.mktemp("migrated")).close()
    return address.rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgres"])
def new_address(request: pytest.FixtureRequest, tmp_path: Path) -> NewAddress:
    """Make new databases and return where each is: a file's path, or the address at a server."""
    numbers = count()
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        return lambda: str(shutil.copy(template, tmp_path / f"{next(numbers)}.db"))
    server: PostgresServer = request.getfixturevalue("postgres")
    model: str = request.getfixturevalue("postgres_template")

    def copied() -> str:
        name = f"copy_{tmp_path.name.replace('-', '_')}_{next(numbers)}"[-60:].lower()
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{model}"'.encode())
        return server.url(name).replace("postgresql://", "postgresql+psycopg://")

    return copied


@pytest.fixture
def address(new_address: NewAddress) -> str:
    """Return where a new database is."""
    return new_address()


@pytest.fixture
def database(address: str, tmp_path: Path) -> Iterator[Database]:
    """Open a new database."""
    opened = open_database(address, tmp_path)
    yield opened
    opened.close()


def open_database(address: str, folder: Path) -> Database:
    """Open a database by its address."""
    if "://" in address:
        return Database(postgres_url(address, setting="test"), folder=folder)
    return Database(Path(address))
