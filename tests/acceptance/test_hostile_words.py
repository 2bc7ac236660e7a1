"""Words of the command line, and terminals, that are not as the program would like them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.commands import tanqiao
from tests.acceptance.documents import ROOT
from tests.acceptance.hostile import act, converted, new_home, require_refused


def test_word_that_is_no_text_is_a_wrong_use_and_no_crash(tmp_path: Path) -> None:
    word = os.fsdecode(b"\xff")
    with new_home(tmp_path) as home:
        (tmp_path / "a.ndjson").write_bytes(act())
        converted(tmp_path / "a.ndjson", home)
        find = tanqiao("record", "find", word, "--home", home)
        require_refused(find, 2, "usage", says="not text in UTF-8")
        for command in ("record", "receipt"):
            show = tanqiao(command, "show", word, "--home", home)
            require_refused(show, 3, "not-found", says="there is no record")


@pytest.mark.parametrize("encoding", ["latin-1", "gb18030"])
@pytest.mark.parametrize("form", ["json", "table"])
def test_terminal_that_knows_no_chinese_shows_escapes(encoding: str, form: str) -> None:
    command = [
        sys.executable,
        "-c",
        "from gateway.cli import main; main()",
        "mapping",
        "list",
        "--format",
        form,
    ]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "200"}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)

    assert done.returncode == 0, done.stderr
    assert ("武汉" in done.stdout.decode(encoding)) is (encoding == "gb18030")


def test_full_disk_behind_the_output_is_said_and_no_crash() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = [sys.executable, "-c", "from gateway.cli import main; main()", "mapping", "list"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 3
    assert "local-file" in done.stderr
