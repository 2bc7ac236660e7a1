"""An empty database of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.dialects import postgres_url


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a new database is: a file's path, or the address at a server."""
    if request.param == "sqlite":
        return str(tmp_path / "tanqiao.db")
    url: str = request.getfixturevalue("postgres").database()
    return url


@pytest.fixture
def database(address: str, tmp_path: Path) -> Iterator[Database]:
    opened = open_database(address, tmp_path)
    yield opened
    opened.close()


def open_database(address: str, folder: Path) -> Database:
    if "://" in address:
        return Database(postgres_url(address, setting="test"), folder=folder)
    return Database(Path(address))
