"""Run a command of the command line in this process, as its users do."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.cli.root import run

__all__ = ["Done", "tanqiao"]


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def tanqiao(*arguments: str | Path, **environment: str) -> Done:
    """Run a command in this process with its output captured, as if piped."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in environment.items():
            patch.setenv(name, value)
        code = run([str(argument) for argument in arguments])
    return Done(code, out.getvalue(), err.getvalue())
