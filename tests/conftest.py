"""What every test shares: a word at the end about the data sets that were or were not there."""

from collections.abc import Iterator

import pytest

from tests.browser.opener import missing_for_browser
from tests.fakes.servers import PostgresServer, ValkeyServer, postgres_server, valkey_server
from tests.go.verifier import missing_for_go
from tests.node.packages import CLIENTS, missing_packages
from tests.node.verifier import missing_for_node
from tests.outside.generator import missing_for_generator
from tests.real_data import shared_folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start one PostgreSQL for all tests of a process; each takes a database of its own."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """Start one Valkey for all tests of a process that do not stop it."""
    with valkey_server() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the tests on real data and those by Go, Node.js and a browser ran."""
    folder = shared_folder()
    if folder is None:
        terminalreporter.write_line("real data: not here, the tests marked real_data were skipped")
    else:
        terminalreporter.write_line("real data: found, the tests marked real_data ran")
    checks = (
        ("Go", missing_for_go()),
        ("Node.js", missing_for_node()),
        ("clients of npm", missing_packages(CLIENTS)),
        ("clients of openapi-generator", missing_for_generator()),
        ("a browser", missing_for_browser()),
    )
    for what, missing in checks:
        said = f"check by {what}: NOT RUN, {missing}" if missing else f"check by {what}: ran"
        terminalreporter.write_line(said)
