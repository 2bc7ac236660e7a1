"""openapi-generator: whether it is here, and what it makes of the contract."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from tools.write_openapi import CONTRACT

__all__ = ["generated", "generator_jar", "missing_for_generator"]


def missing_for_generator() -> str:
    """Say what is missing to generate clients, or return an empty text."""
    if importlib.util.find_spec("openapi_generator_cli") is None:
        return "openapi-generator-cli is not installed: make test-deps"
    if shutil.which("javac") is None:
        return "Java is not here: make test-deps"
    return ""


def generator_jar() -> Path:
    """Return the generator's jar, which holds what its Java clients import too."""
    found = importlib.util.find_spec("openapi_generator_cli")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "openapi-generator.jar"


def generated(language: str, folder: Path, *options: str) -> Path:
    """Make a client of the contract in a folder."""
    command = [str(Path(sys.executable).with_name("openapi-generator-cli")), "generate", "-g", language]
    command += ["-i", str(CONTRACT), "-o", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
