"""What every test shares: a word at the end about the data sets that were or were not there."""

import pytest

from tests.go.verifier import missing_for_go
from tests.real_data import shared_folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the tests on real data and those by Go ran."""
    folder = shared_folder()
    if folder is None:
        terminalreporter.write_line("real data: not here, the tests marked real_data were skipped")
    else:
        terminalreporter.write_line("real data: found, the tests marked real_data ran")
    missing = missing_for_go()
    terminalreporter.write_line(f"check by Go: NOT RUN, {missing}" if missing else "check by Go: ran")
