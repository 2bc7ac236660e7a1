"""schemathesis, run against a served interface with each of its requests signed."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.fakes.signing_hooks import KEY_VARIABLE

EXAMPLES = int(os.environ.get("TANQIAO_API_EXAMPLES", "2"))  # of each operation and phase
SEED = os.environ.get("TANQIAO_API_SEED", "1")
ROOT = Path(__file__).parents[2]


def tried(folder: Path, url: str, *, contract: Path, key: Path, options: list[str]) -> int:
    """Run schemathesis with all its checks; returns how many requests it made up."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(contract), "--url", url]
    command += ["--checks", "all", "--max-examples", str(EXAMPLES), "--seed", SEED, *options]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.fakes.signing_hooks",
        KEY_VARIABLE: str(key),
        "COLUMNS": "160",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(re.search(r"([0-9,]+) generated", done.stdout)[1].replace(",", ""))  # type: ignore[index]  # its last line
