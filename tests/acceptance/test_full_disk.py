"""A disk that is really full: the command says so, what was decided stays, and the rerun goes on.

A small file system is mounted for each test, which needs the right to mount; elsewhere these tests are
skipped, and limits of file sizes (``test_kill.py``) stand in for them.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.root import run
from tests.fakes.homes import (
    WUHAN,
    audited,
    bytes_below,
    convert,
    make_home,
    points_by_event,
    trips,
    write_trips,
)

DISK_BYTES = 8 << 20
ROOMS_KIB = [0, 20, 60, 100, 140, 180, 220, 2000]
"""What is left free: less than the first write takes, up to more than the whole conversion takes."""
EARLIER, LATER = trips(50), trips(400, first=1000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount an empty file system of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("a full disk needs the commands mount and umount")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"a full disk needs the right to mount one: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run([umount, "--lazy", str(place)], check=True)


def leave_room(disk: Path, kib: int) -> Path:
    """Fill a disk up to what is to be left, by a file that is in nobody's way."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(max(0, free - kib * 1024)))
    return filler


def refused_then_resumed(home: Path, file: Path, filler: Path, *, capsys: pytest.CaptureFixture[str]) -> int:
    """Convert on a disk that may be full, then with room; returns the first exit code."""
    published = bytes_below(home / "log" / "tile", home / "records")
    command = ["convert", "--home", str(home), "--mapping", WUHAN, str(file)]
    capsys.readouterr()

    code = run(command)

    said = capsys.readouterr().err
    assert "Traceback" not in said
    if code:
        assert code == 3
        assert "code:   local-file" in said
        assert "remedy: make room" in said
        assert str(filler.parent) in said  # where it is that has no room
    filler.unlink()
    assert {path: path.read_bytes() for path in published} == published
    assert run(command) == 0
    assert set(points_by_event(home)) == {row["trip_id"] for row in (*EARLIER, *LATER)}
    assert audited(home).differences == []
    return code


@pytest.mark.parametrize("kib", ROOMS_KIB)
def test_a_full_disk_is_said_nothing_is_lost_and_the_rerun_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    disk: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    kib: int,
) -> None:
    """Home and checkpoint store have little room, so that another step fails each time."""
    home = make_home(disk, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", EARLIER))
    file = write_trips(tmp_path / "b.ndjson", LATER)

    code = refused_then_resumed(home, file, leave_room(disk, kib), capsys=capsys)

    assert code == (3 if kib < 100 else 0 if kib > 1000 else code)


def test_a_checkpoint_store_on_a_full_disk_is_said_and_the_rerun_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The decision has been made by then; the log is brought up by the rerun."""
    home = make_home(tmp_path, monkeypatch)
    shutil.copytree(tmp_path / "state", disk / "state")
    monkeypatch.setenv("TANQIAO_STATE", str(disk / "state"))
    convert(home, write_trips(tmp_path / "a.ndjson", EARLIER))
    file = write_trips(tmp_path / "b.ndjson", LATER)

    assert refused_then_resumed(home, file, leave_room(disk, 0), capsys=capsys) == 3
