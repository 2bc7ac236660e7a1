"""One served home for the tests of a module: starting it takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.client import GatewayClient
from tests.fakes.homes import make_home
from tests.fakes.serving import Served, enrolled, served


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        home: Path = make_home(tmp_path_factory.mktemp("served"), patch, profile="default")
        with served(home) as one:
            yield one


@pytest.fixture(scope="module")
def wuhan(running: Served) -> GatewayClient:
    return enrolled(running)
