"""The check of credentials by Digital Bazaar's packages, which share no code with ours.

``node_verifier`` is a fixture for any test: import it into a ``conftest.py`` or a test module. It needs
Node.js and the packages of ``tests/node/credential``; without them the test is skipped with a line that
names ``make test-deps``.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import pytest

from tests.node.packages import CREDENTIAL, missing_packages

__all__ = ["NodeVerifier", "missing_for_node", "node_verifier"]


class NodeVerifier(Protocol):
    """Verify credentials, one answer for each: ``holds``, or ``refused:`` and the reason."""

    def __call__(self, published: Path, credentials: Iterable[str], *, expand: bool = False) -> list[str]:
        """Verify credentials against a folder that ``tanqiao keys publish`` has written."""
        ...


def missing_for_node() -> str:
    """Say what is missing to run the packages, or return an empty text."""
    return missing_packages(CREDENTIAL)


@pytest.fixture(scope="session")
def node_verifier() -> NodeVerifier:
    """Return a function that runs the packages, or skip."""
    missing = missing_for_node()
    if missing:
        pytest.skip(missing)

    def verify(published: Path, credentials: Iterable[str], *, expand: bool = False) -> list[str]:
        command = ["node", str(CREDENTIAL / "verify.mjs"), str(published), *(["--expand"] if expand else [])]
        lines = "".join(f"{credential}\n" for credential in credentials)
        done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=600)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return verify
