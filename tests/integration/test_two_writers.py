"""Two processes, two copies of a home, an older copy: one log stays one log."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.app.base.home import create_home, open_home
from gateway.cli.root import run
from gateway.errors import HomeBusy, LocalFileError
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

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, pathlib
from gateway.store.files.home import Home
with Home(pathlib.Path(sys.argv[1])).writing():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


def file_of(tmp_path: Path, first: int, count: int = 5) -> Path:
    return write_trips(tmp_path / f"from-{first}.ndjson", trips(count, first=first))


def test_a_second_process_is_refused_and_writes_nothing(home: Path, tmp_path: Path) -> None:
    file = file_of(tmp_path, 0)
    writer = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"held\n"
        before = bytes_below(home, tmp_path / "state")

        with pytest.raises(HomeBusy):
            convert(home, file)
        commands = (
            ["convert", "--mapping", WUHAN, str(file)],
            ["audit"],
            ["keys", "rotate"],
            ["statements", "close", "2025-03-10"],
            ["init"],
        )
        for command in commands:
            assert run([*command, "--home", str(home)]) == 4, command
        assert bytes_below(home, tmp_path / "state") == before
        assert convert(home, file, dry_run=True).accepted == 5
    finally:
        writer.communicate()

    assert convert(home, file).accepted == 5


def test_of_two_copies_of_a_home_one_is_refused_before_it_touches_its_log(home: Path, tmp_path: Path) -> None:
    convert(home, file_of(tmp_path, 0))
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)

    convert(home, file_of(tmp_path, 100))
    before = bytes_below(copy / "log", copy / "records", copy / "trust")
    for _ in range(2):
        code = run(["convert", "--home", str(copy), "--mapping", WUHAN, str(file_of(tmp_path, 200))])
        assert code in (4, 6)

    assert bytes_below(copy / "log", copy / "records", copy / "trust") == before
    convert(home, file_of(tmp_path, 300))
    assert audited(home).differences == []
    assert len(points_by_event(home)) == 15


def test_a_copy_that_was_open_when_the_other_wrote_loses_the_swap(home: Path, tmp_path: Path) -> None:
    """Both have passed every check at their start; the checkpoint store decides between them."""
    from gateway.store.log.checkpoints import SwapLost

    convert(home, file_of(tmp_path, 0))
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    with open_home(copy, writing=True) as late:
        before = bytes_below(copy / "log")
        stored = late.log.recover()
        convert(home, file_of(tmp_path, 100))
        late.log.recover = lambda: stored  # type: ignore[method-assign]  # it has looked before the other wrote
        late.log._recover = lambda: stored  # type: ignore[method-assign]  # likewise
        with pytest.raises(SwapLost):
            late.log.append([b"a second history"])

    assert bytes_below(copy / "log") == before


@pytest.mark.parametrize("whole", [True, False], ids=["with its database", "log alone"])
def test_an_older_copy_put_back_is_refused(home: Path, tmp_path: Path, *, whole: bool) -> None:
    convert(home, file_of(tmp_path, 0))
    shutil.copytree(home, tmp_path / "backup")
    convert(home, file_of(tmp_path, 100))
    for name in [path.name for path in home.iterdir()] if whole else ["log"]:
        path = home / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        kept = tmp_path / "backup" / name
        shutil.copytree(kept, path) if kept.is_dir() else shutil.copy(kept, path)
    before = bytes_below(home / "log", home / "records")

    assert run(["convert", "--home", str(home), "--mapping", WUHAN, str(file_of(tmp_path, 200))]) == 6
    assert run(["audit", "--home", str(home)]) == 6
    assert bytes_below(home / "log", home / "records") == before


def test_an_older_database_under_a_newer_log_is_refused(home: Path, tmp_path: Path) -> None:
    convert(home, file_of(tmp_path, 0))
    shutil.copy(home / "tanqiao.db", tmp_path / "older.db")
    convert(home, file_of(tmp_path, 100))
    shutil.copy(tmp_path / "older.db", home / "tanqiao.db")
    before = bytes_below(home / "log", home / "records")

    assert run(["convert", "--home", str(home), "--mapping", WUHAN, str(file_of(tmp_path, 200))]) == 6
    assert run(["audit", "--home", str(home)]) == 6
    assert bytes_below(home / "log", home / "records") == before


def test_a_home_without_its_checkpoint_store_is_refused(home: Path, tmp_path: Path) -> None:
    """Otherwise an older copy could be put back by forgetting the store as well."""
    convert(home, file_of(tmp_path, 0))
    before = bytes_below(home / "log")
    for path in (tmp_path / "state").iterdir():
        path.unlink()

    assert run(["convert", "--home", str(home), "--mapping", WUHAN, str(file_of(tmp_path, 100))]) == 6
    assert run(["audit", "--home", str(home)]) == 6
    assert bytes_below(home / "log") == before
    assert bytes_below(tmp_path / "state") == {}


def test_a_home_is_made_once(home: Path) -> None:
    before = bytes_below(home)

    with pytest.raises(LocalFileError, match="a home already"):
        create_home(home)
    assert run(["init", "--home", str(home)]) == 3
    assert bytes_below(home) == before


@pytest.mark.parametrize("name", ["notes.txt", "keys/mine", "log/mine", "tanqiao.db", "tmp/mine"])
def test_a_home_is_made_in_an_empty_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever a folder holds is its owner's, also where it has a name that a home would use."""
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    folder = tmp_path / "folder"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("mine")

    with pytest.raises(LocalFileError, match="not empty"):
        create_home(folder)
    assert (folder / name).read_text() == "mine"


def test_an_origin_has_one_home(home: Path, tmp_path: Path) -> None:
    create_home(tmp_path / "one", origin="gw.example.cn")

    with pytest.raises(LocalFileError, match="knows a log named"):
        create_home(tmp_path / "two", origin="gw.example.cn")
    assert home.exists()
