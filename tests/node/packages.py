"""Which packages of npm are here; what runs them, one JSON document a line in and out."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["CLIENTS", "CREDENTIAL", "asked", "missing_packages"]

CREDENTIAL = Path(__file__).parent / "credential"
CLIENTS = Path(__file__).parent / "clients"


def missing_packages(project: Path) -> str:
    """Say what is missing to run the packages of a folder, or return an empty text."""
    if shutil.which("node") is None:
        return "Node.js is not here: make test-deps"
    if not (project / "node_modules" / ".package-lock.json").is_file():
        return f"the packages of {project.relative_to(project.parents[2])} are not installed: make test-deps"
    return ""


def asked(script: Path, questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give a script one question a line and return its answers."""
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(
        ["node", str(script)], input=lines, capture_output=True, text=True, timeout=600, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]
