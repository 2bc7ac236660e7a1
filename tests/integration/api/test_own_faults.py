"""What goes wrong on the gateway's side costs nobody an act, and nobody else's time for ever."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.app.base.home import OpenHome, open_home
from gateway.app.records.erase import SubmissionsWaiting, erase
from gateway.app.serving.ordering import orders
from gateway.app.serving.platforms import invite
from gateway.errors import LocalFileError
from gateway.ports import NewOperation, OperationKind, OperationState
from gateway.service.converting.sequencing import CRASHES_MAX, Sequencer
from gateway.store.files.spools import SpoolFolder
from gateway.store.serving.operations import SqlOperations
from gateway.store.sql.group_commit import GroupCommit
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.serving import WUHAN_PLATFORM, enrolled, served

pytestmark = pytest.mark.xdist_group("served")
ROWS = b'{"trip_id": "T-1", "user_id": "u", "trip_type": "metro"}\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_home(tmp_path, monkeypatch, profile="default")
    invite(made, WUHAN_PLATFORM)
    return made


def kept(operations: SqlOperations, name: str = "one") -> None:
    operations.receive(
        NewOperation(
            id=name, kind=OperationKind.ROWS, platform=WUHAN_PLATFORM, key=name, content_sha256=bytes(32),
            mapping=WUHAN, adapter="common", name="", rows=1, content=ROWS, created="2026-11-22T08:00:00Z",
        )
    )  # fmt: skip


def sequencer_that(opened: OpenHome, operations: SqlOperations, trouble: Callable[..., object]) -> Sequencer:
    """Return a sequencer whose conversion meets some trouble."""
    return Sequencer(
        operations=operations,
        orders=orders(opened),
        spools=SpoolFolder(opened.home.spool),  # type: ignore[arg-type]  # nothing is read from it here
        set_aside=opened.home,
        scheme=trouble,  # type: ignore[arg-type]  # the first thing that a conversion asks for
        adapter=trouble,  # type: ignore[arg-type]  # likewise
        parts=trouble,  # type: ignore[arg-type]  # likewise
        require_unchanged=lambda _: None,
        new_name=lambda: "spool",
        log_size=lambda: 0,
        clock=opened.clock,
    )


def full_disk(*_: object) -> object:
    raise LocalFileError("there is no room on the disk", remedy="make room")


def fault(*_: object) -> object:
    raise ZeroDivisionError("a fault of our own")


def test_a_full_disk_stops_the_sequencer_and_fails_no_submission(home: Path) -> None:
    with open_home(home, writing=True) as opened, GroupCommit(opened.database) as writes:
        operations = SqlOperations(opened.database, writes)
        kept(operations)
        with pytest.raises(LocalFileError):
            sequencer_that(opened, operations, full_disk).step()

        again = sequencer_that(opened, operations, full_disk)
        for _ in range(CRASHES_MAX + 1):
            with pytest.raises(LocalFileError):
                again.resume()

        [left] = operations.spooled()
        assert (left.operations[0].state, left.operations[0].crashes) == (OperationState.WORKING, 0)
        assert (opened.home.spool / left.name).read_bytes() == ROWS


def test_a_submission_on_which_the_program_crashes_fails_after_a_while(home: Path) -> None:
    with open_home(home, writing=True) as opened, GroupCommit(opened.database) as writes:
        operations = SqlOperations(opened.database, writes)
        kept(operations)
        sequencer = sequencer_that(opened, operations, fault)
        with pytest.raises(ZeroDivisionError):
            sequencer.step()
        for _ in range(CRASHES_MAX - 1):
            with pytest.raises(ZeroDivisionError):
                sequencer.resume()

        sequencer.resume()

        done = operations.operation("one")
        assert done is not None
        assert done.state is OperationState.FAILED
        assert '"code":"not-converted"' in done.result
        assert operations.spooled() == []


def test_a_spool_that_nothing_refers_to_is_removed_once_it_is_old(home: Path) -> None:
    now = datetime.now(UTC).timestamp()
    with open_home(home, writing=True) as opened, GroupCommit(opened.database) as writes:
        operations = SqlOperations(opened.database, writes)
        kept(operations, "waiting")
        folder = SpoolFolder(opened.home.spool)
        for name in ("waiting", "orphan", "arriving"):
            folder.write(name, [ROWS])
        (opened.home.spool / "cut.half").write_bytes(ROWS)
        for name in ("waiting", "orphan", "cut.half"):
            os.utime(opened.home.spool / name, (now - 7200, now - 7200))

        swept = folder.sweep(operations.spools_in_use, before=now - 3600)

        assert swept == 2
        assert {path.name for path in opened.home.spool.iterdir()} == {"waiting", "arriving"}


def test_nobody_is_erased_while_acts_of_the_platform_wait(home: Path) -> None:
    with served(home) as running:
        enrolled(running).submit(WUHAN, [trip(1)])
    with open_home(home) as opened, GroupCommit(opened.database) as writes:
        kept(SqlOperations(opened.database, writes))

    with pytest.raises(SubmissionsWaiting) as refused:
        erase(home, "somebody", platform=WUHAN_PLATFORM)

    assert refused.value.code == "submissions-waiting"


def test_the_processes_end_with_a_supervisor_that_was_killed(home: Path) -> None:
    with served(home) as running:
        children = running.children()
        assert len(children) >= 4

        os.kill(running.process.pid, signal.SIGKILL)

        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline, "they go on without anybody who could stop them"
            time.sleep(0.1)
