"""The fixture of the Go check, and a word at the end where it could not run."""

import pytest

from tests.go.verifier import go_verifier, missing_for_go

__all__ = ["go_verifier"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why the check by Go did not run, where it did not."""
    missing = missing_for_go()
    if missing:
        terminalreporter.write_line(f"check by Go: NOT RUN, {missing}")
