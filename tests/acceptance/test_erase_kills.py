"""An erasure killed at any moment leaves the old state or the new one, and the next command finishes it.

``TANQIAO_KILLS`` says how many erasures are killed from outside (2 when unset); with it, every single step of
an erasure is one that is stopped at, else some of them. ``TANQIAO_SEED`` repeats a run.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.app.records.erase import erase
from gateway.errors import GatewayError
from gateway.ports import PrivateRow
from gateway.service.erasing import NothingFound
from gateway.store.files.keyed import KeyedFiles
from gateway.store.journal.erasure import HomeErasures
from gateway.store.sql.database import Database
from tests.fakes.forgetting import PERSON, YUNXI, copied, everywhere, secrets_of
from tests.fakes.homes import audited, rows_of
from tests.fakes.searching import found_in, spellings
from tests.fakes.stopping import Killed, killed_at

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TANQIAO_KILLS", "2"))
SEED = int(os.environ.get("TANQIAO_SEED", random.SystemRandom().randrange(10**6)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        yield everywhere(tmp_path_factory.mktemp("kills"), patch)


def erased_until(step: int, home: Path) -> int:
    """Erase, and stop before a step that makes something last; returns how many steps there were."""
    return killed_at(
        step,
        lambda: erase(home, PERSON, platform=YUNXI),
        (HomeErasures, "describe"),
        (HomeErasures, "decide"),
        (KeyedFiles, "adopt"),
        (Database, "scrub"),
    )


def require_old_or_new(home: Path, before: list[PrivateRow]) -> bool:
    """Read every record without repairing anything; returns whether the person is erased."""
    with open_home(home) as opened:
        pseudonym = opened.index().pseudonym(YUNXI, PERSON)
    rows = rows_of(home)
    assert [row[:16] for row in rows] == [row[:16] for row in before]
    theirs = {row.person for row, was in zip(rows, before, strict=True) if was.person == pseudonym}
    assert theirs in ({None}, {pseudonym})
    return theirs == {None}


def require_finished(home: Path, wanted: set[bytes], *, was_new: bool) -> None:
    try:
        again = erase(home, PERSON, platform=YUNXI)
        assert not was_new or not again.records
    except NothingFound:
        assert was_new
    assert not (home / "erasing").exists()
    assert found_in(wanted, home) == []
    ours = [path for path in (home / "quarantine").rglob("*.ndjson") if b"rides.csv" in path.read_bytes()]
    assert ours
    assert not any(name in path.read_bytes() for path in ours for name in spellings(PERSON))
    assert audited(home).differences == []
    with open_home(home) as opened:
        assert len(opened.erasures.notices()) == 1
        assert opened.log.size == opened.journal.length()


def test_an_erasure_stopped_before_any_step_is_old_or_new_and_finished_by_the_next(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, wanted = rows_of(made), secrets_of(made, YUNXI) - spellings(PERSON)
    home = copied(made, tmp_path, monkeypatch)
    total = erased_until(0, home)
    assert total > 20
    seen = []
    wide = os.environ.get("TANQIAO_KILLS") is not None
    for step in range(1, total + 1) if wide else range(1 + SEED % 5, total + 1, 5):
        shutil.rmtree(home.parent)
        home = copied(made, tmp_path, monkeypatch)
        erased_until(step, home)
        seen.append(require_old_or_new(home, before))
        require_finished(home, wanted, was_new=seen[-1])
    assert seen == sorted(seen), "old until it is decided, new from then on"
    assert set(seen) == {False, True}


def test_an_erasure_killed_from_outside_is_finished_by_the_next(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, wanted = rows_of(made), secrets_of(made, YUNXI) - spellings(PERSON)
    moments = random.Random(SEED)
    for _ in range(KILLS):
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        home = copied(made, tmp_path, monkeypatch)
        child = [sys.executable, "-m", "tests.acceptance.converting_child", "run", "erase", "-"]
        process = subprocess.Popen(
            [*child, "--home", str(home), "--platform", YUNXI],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(PERSON.encode())
        process.stdin.close()
        process.stdin = None
        until = time.monotonic() + 60
        while not (home / "erasing").exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        is_new = require_old_or_new(home, before)
        require_finished(home, wanted, was_new=is_new)


def test_any_other_command_that_writes_finishes_what_was_decided(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to know whom it was about: what must go is what no batch refers to."""
    home = copied(made, tmp_path, monkeypatch)
    wanted = secrets_of(home, YUNXI) - spellings(PERSON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "scrub", stopped)
        with pytest.raises(Killed):
            erase(home, PERSON, platform=YUNXI)
    assert (home / "erasing").exists()

    with open_home(home, writing=True):
        pass

    assert not (home / "erasing").exists()
    assert found_in(wanted, home) == []
    assert audited(home).differences == []


def stopped(_database: Database) -> None:
    raise Killed


def test_a_reader_that_does_not_end_is_said_and_the_erasure_is_finished_later(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(made, tmp_path, monkeypatch)
    monkeypatch.setattr("gateway.store.sql.dialects.BUSY_MS", 50)
    with open_home(home) as reader:
        batches = reader.journal.batches()
        next(batches)

        with pytest.raises(GatewayError, match=r"tanqiao\.db"):
            erase(home, PERSON, platform=YUNXI)
        batches.close()  # type: ignore[attr-defined]  # a generator behind the iterator

    with open_home(home, writing=True):
        pass
    assert not (home / "erasing").exists()
    assert audited(home).differences == []
