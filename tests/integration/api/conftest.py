"""One served home for the tests of a module, on each kind of store: starting it takes seconds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.client import GatewayClient
from tests.fakes.homes import make_home
from tests.fakes.servers import PostgresServer, ValkeyServer, keep_in
from tests.fakes.serving import Served, enrolled, served

FOUR_WORKERS = pytest.param(
    4,
    id="PostgreSQL, Valkey, 4 workers",
    marks=pytest.mark.skipif(
        os.environ.get("TANQIAO_TEST_WORKERS") != "4",
        reason="as with 2 workers, 10 s more: TANQIAO_TEST_WORKERS=4 runs it",
    ),
)


@pytest.fixture(
    scope="module",
    params=[pytest.param(0, id="SQLite"), pytest.param(2, id="PostgreSQL, Valkey, 2 workers"), FOUR_WORKERS],
)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    workers: int = request.param
    with pytest.MonkeyPatch.context() as patch:
        if workers:
            postgres: PostgresServer = request.getfixturevalue("postgres")
            valkey: ValkeyServer = request.getfixturevalue("valkey")
            keep_in(patch, postgres, valkey)
        home: Path = make_home(tmp_path_factory.mktemp("served"), patch, profile="default")
        with served(home, workers=workers or 1) as one:
            yield one


@pytest.fixture(scope="module")
def wuhan(running: Served) -> GatewayClient:
    return enrolled(running)
