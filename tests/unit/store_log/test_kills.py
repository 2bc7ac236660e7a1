"""A log whose writer is killed at any moment: nothing acknowledged is lost, nothing half is published."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import LocalFileError
from gateway.store.log.tiles import LogFolder, LogForked
from tests.unit.store_log.logs import entries, log_in

ROOT = Path(__file__).resolve().parents[3]
STEPS = 12  # an append over the border of a tile: staged, swapped, 6 files, tiles, checkpoint, partial, stage


def writer(root: Path, step_entries: int, kill_after: int = 0) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.unit.store_log.killed_writer",
            str(root),
            str(step_entries),
            str(kill_after),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
    )


def acknowledged(process: "subprocess.Popen[bytes]", before: int) -> int:
    output, _ = process.communicate(timeout=60)
    lines = output.decode().splitlines()
    return int(lines[-1]) if lines and output.endswith(b"\n") else before


def require_whole(root: Path, at_least: int, at_most: int) -> int:
    """Recover, then check every byte; return the size."""
    log = log_in(root)
    log.recover()
    log.check()
    assert at_least <= log.size <= at_most
    assert list(log.entries(0)) == entries(log.size)
    assert not list((root / "home" / "staging").iterdir())
    return log.size


def test_the_steps_of_an_append_over_a_border_are_those_that_are_killed(tmp_path: Path) -> None:
    log_in(tmp_path).append(entries(255))
    steps: list[str] = []

    log_in(tmp_path, after_step=steps.append).append(entries(258, 255))

    assert len(steps) == STEPS - 1
    assert steps[:2] == ["staged", "swapped"]
    assert steps[-4:] == ["tiles published", "checkpoint published", "partial files removed", "stage removed"]


@pytest.mark.parametrize("kill_after", range(1, STEPS))
def test_a_writer_killed_after_any_step_leaves_all_or_nothing(tmp_path: Path, kill_after: int) -> None:
    log_in(tmp_path).append(entries(255))

    process = writer(tmp_path, 3, kill_after)
    assert acknowledged(process, 255) == 255
    assert process.returncode == 9

    size = require_whole(tmp_path, 255, 258)
    assert size == (255 if kill_after == 1 else 258)  # the swap decides
    log_in(tmp_path).append(entries(size + 2, size))
    require_whole(tmp_path, size + 2, size + 2)


class Stop(Exception):
    pass


@pytest.mark.parametrize("first", range(2, STEPS))
def test_a_recovery_that_is_killed_itself_is_finished_by_the_next(tmp_path: Path, first: int) -> None:
    log_in(tmp_path).append(entries(255))
    stop_after(tmp_path, first, lambda log: log.append(entries(258, 255)))

    second = 1
    while stop_after(tmp_path, second, lambda log: log.recover()):
        second += 1

    assert second > 1 or first == STEPS - 1
    assert require_whole(tmp_path, 258, 258) == 258


def stop_after(root: Path, number: int, act: Callable[[LogFolder], object]) -> bool:
    """Run the act until its n-th step; tell whether there was such a step."""
    steps = 0

    def after_step(_: str) -> None:
        nonlocal steps
        steps += 1
        if steps == number:
            raise Stop

    try:
        act(log_in(root, after_step=after_step))
    except Stop:
        return True
    return False


def test_a_writer_killed_at_random_moments_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20_261_122)
    size = 0
    for step_entries in (1, 100, 7, 300, 1, 64):
        process = writer(tmp_path, step_entries)
        assert process.stdout is not None
        first = process.stdout.readline()  # it has started and appended once
        time.sleep(chance.random() / 20)
        process.kill()
        last = acknowledged(process, int(first))
        assert process.returncode == -9
        size = require_whole(tmp_path, max(size, last), last + step_entries)


def test_a_stage_that_is_not_whole_is_dropped(tmp_path: Path) -> None:
    log_in(tmp_path).append(entries(3))
    stop_after(tmp_path, 1, lambda log: log.append(entries(5, 3)))
    (stage,) = (tmp_path / "home" / "staging").glob("*.zip")
    stage.write_bytes(stage.read_bytes()[:-30])

    assert require_whole(tmp_path, 3, 3) == 3


def test_a_decided_stage_survives_a_start_with_the_wrong_checkpoint_store(tmp_path: Path) -> None:
    log_in(tmp_path).append(entries(3))
    stop_after(tmp_path, 2, lambda log: log.append(entries(5, 3)))
    right = tmp_path / "state"
    right.rename(tmp_path / "aside")
    with pytest.raises(LogForked):
        log_in(tmp_path).recover()

    (tmp_path / "aside").rename(right)

    assert require_whole(tmp_path, 5, 5) == 5


def test_a_full_disk_while_publishing_is_finished_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is the one part that cannot be handed over, so its refusal is patched in."""
    log = log_in(tmp_path)
    log.append(entries(3))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse_in(tmp_path / "home" / "log"))
        with pytest.raises(LocalFileError, match="No space"):
            log.append(entries(5, 3))

    assert log.size == 3
    assert require_whole(tmp_path, 5, 5) == 5


def refuse_in(folder: Path) -> Callable[[Path, Path], Path]:
    original = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target.is_relative_to(folder):
            raise OSError(28, "No space left on device")
        return original(self, target)

    return replace
