"""What every test shares: a word at the end about the data sets that were or were not there."""

import pytest

from tests.real_data import shared_folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the tests on real data ran."""
    folder = shared_folder()
    if folder is None:
        terminalreporter.write_line("real data: not here, the tests marked real_data were skipped")
    else:
        terminalreporter.write_line("real data: found, the tests marked real_data ran")
