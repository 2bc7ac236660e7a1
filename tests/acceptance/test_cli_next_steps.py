"""What the demo says to try next can be copied into a shell as it stands."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.demo import next_steps
from tests.acceptance.commands import tanqiao

TOOLS = Path(sys.executable).parent
SPACED = "a folder 碳"


def exports(text: str) -> str:
    return next(line for line in text.splitlines() if "export " in line)


def shell(script: str, folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-ec", script], cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def test_the_program_is_found_where_it_is_not_in_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "argv", [str(TOOLS / "tanqiao"), "demo"])
    monkeypatch.setenv("PATH", str(TOOLS))
    assert "PATH=" not in exports(next_steps(tmp_path, tmp_path / "home"))
    monkeypatch.setenv("PATH", "/nowhere")

    script = exports(next_steps(tmp_path, tmp_path / "home")) + "\ncommand -v tanqiao"

    assert shell(script, tmp_path).strip() == str(TOOLS / "tanqiao")


def test_a_folder_with_spaces_stays_one_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / SPACED
    kept = target / "home" / "quarantine" / "one" / "part-000000.ndjson"
    kept.parent.mkdir(parents=True)
    kept.write_text("set aside\n")
    monkeypatch.setenv("TANQIAO_STATE", str(target / "state"))
    text = next_steps(target, target / "home")

    look = next(line for line in text.splitlines() if "head " in line)

    assert shell(f'{exports(text)}\n{look}\necho "$TANQIAO_HOME"', tmp_path).splitlines() == [
        "set aside",
        str(target / "home"),
    ]


def test_a_home_for_production_is_told_commands_and_not_to_edit_what_is_pinned(tmp_path: Path) -> None:
    state = str(tmp_path / "state")

    done = tanqiao("init", "--home", tmp_path / "home", "--profile", "production", TANQIAO_STATE=state)

    assert done.returncode == 0, done.stderr
    assert "tanqiao witness trust, then tanqiao witness quorum" in done.stderr
    assert "trust/policy" not in done.stderr
