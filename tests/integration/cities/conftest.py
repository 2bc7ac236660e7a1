"""Two cities for the tests of a module: starting one takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.cities import SandboxCity, sandbox_city


@pytest.fixture(scope="session")
def _qinglan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxCity]:
    with sandbox_city("qinglan", Path(tmp_path_factory.mktemp("cities"))) as city:
        yield city


@pytest.fixture(scope="session")
def _yuewan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxCity]:
    with sandbox_city("yuewan", Path(tmp_path_factory.mktemp("cities"))) as city:
        yield city


@pytest.fixture
def qinglan(_qinglan: SandboxCity) -> Iterator[SandboxCity]:
    """Give a city in good order."""
    yield _qinglan
    _qinglan.heal()
    _qinglan.clock(0)


@pytest.fixture
def yuewan(_yuewan: SandboxCity) -> Iterator[SandboxCity]:
    """Give another one."""
    yield _yuewan
    _yuewan.heal()
    _yuewan.clock(0)
