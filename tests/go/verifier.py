"""The check of a log by a Go program that shares no code with ours.

``go_verifier`` is a fixture for any test: import it into a ``conftest.py`` or a test module. It needs
Debian's Go and x/mod; without them the test is skipped with a line that names ``make test-deps``.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

__all__ = ["GoVerifier", "go_verifier", "missing_for_go"]

_SOURCE = Path(__file__).parent / "logcheck" / "main.go"
_GOPATH = Path("/usr/share/gocode")  # where Debian's golang-golang-x-mod-dev puts its sources
_PACKAGE = _GOPATH / "src" / "golang.org" / "x" / "mod" / "sumdb" / "tlog"


class GoVerifier(Protocol):
    """Run the Go program; the answer's return code is 0 only if everything holds."""

    def __call__(
        self,
        *,
        vkey: str,
        log: Path | None = None,
        proof: tuple[str, bytes] | None = None,
        consistency: str | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Check a log folder, a log proof with its entry, and a consistency proof to the log's checkpoint."""
        ...


def missing_for_go() -> str:
    """Say what is missing to run the Go program, or return an empty text."""
    if shutil.which("go") is None:
        return "the Go toolchain is not here: make test-deps"
    if not _PACKAGE.is_dir():
        return f"x/mod is not in {_GOPATH}: make test-deps"
    return ""


@pytest.fixture(scope="session")
def go_verifier() -> Iterator[GoVerifier]:
    """Build the Go program once and return a function that runs it."""
    missing = missing_for_go()
    if missing:
        pytest.skip(missing)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "logcheck"
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(_GOPATH), "GOFLAGS": ""}
        environment.setdefault("GOCACHE", str(Path(folder) / "cache"))
        subprocess.run(["go", "build", "-o", program, _SOURCE], check=True, env=environment)

        def verify(
            *,
            vkey: str,
            log: Path | None = None,
            proof: tuple[str, bytes] | None = None,
            consistency: str | None = None,
        ) -> "subprocess.CompletedProcess[str]":
            with tempfile.TemporaryDirectory() as scratch:
                arguments = _arguments(Path(scratch), proof, consistency)
                where = [] if log is None else ["-log", str(log)]
                command = [str(program), "-vkey", vkey, *where, *arguments]
                return subprocess.run(command, capture_output=True, text=True, timeout=120)

        yield verify


def _arguments(folder: Path, proof: tuple[str, bytes] | None, consistency: str | None) -> list[str]:
    files: dict[str, bytes] = {}
    if proof is not None:
        files |= {"proof": proof[0].encode(), "entry": proof[1]}
    if consistency is not None:
        files["consistency"] = consistency.encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [item for name in files for item in (f"-{name}", str(folder / name))]
