"""Many transfers over a few people at once, with faults on all sides: one end, explained by the books.

``TANQIAO_CROWD`` says how many transfers (over 8 people, from 2000 on over 20); by default few.
``TANQIAO_SEED`` draws what is asked for and which faults come, not when they meet.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.fakes.corridors import between_cities
from tests.fakes.crowds import (
    Crowd,
    require_explained_points,
    require_explained_positions,
    require_one_answer,
)
from tests.fakes.ends import require_same_ends
from tests.fakes.servers import PostgresServer, ValkeyServer, keep_in, postgres_server, valkey_server
from tests.fakes.serving import audited_once_free, served

pytestmark = pytest.mark.xdist_group("transfers")
TRANSFERS: Final = int(os.environ.get("TANQIAO_CROWD", "40"))
PERSONS: Final = 20 if TRANSFERS >= 2000 else 8
SEED: Final = int(os.environ.get("TANQIAO_SEED", random.SystemRandom().randrange(10**6)))
BACK_LIMIT_MG: Final = "60000"
DRAIN_SECONDS: Final = 180 + TRANSFERS / 4


@contextmanager
def crowd_in(folder: Path, patch: pytest.MonkeyPatch, *, workers: int) -> Iterator[Crowd]:
    """Serve a home between two cities of many people."""
    with between_cities(folder, patch, persons=PERSONS, net_debit_cap_mg=BACK_LIMIT_MG) as between:
        print("seed", SEED)  # noqa: T201 - repeats what failed
        with served(between.home, workers=workers, arguments=between.arguments) as running:
            yield Crowd(between, running, seed=SEED, persons=PERSONS)


def require_one_story(crowd: Crowd, before: dict[str, int]) -> None:
    """Check all that may be checked once nothing is under way, and print what came about."""
    begun = time.monotonic()
    crowd.drain(seconds=DRAIN_SECONDS)
    drained = time.monotonic() - begun
    ends = require_same_ends(crowd.between.home, list(crowd.between.cities.values()))
    require_explained_points(before, crowd.points(), ends)
    entries = require_explained_positions(crowd.between, ends)
    require_one_answer(crowd.asked, crowd.ask_again(), ends)
    crowd.running.stop()
    assert audited_once_free(crowd.between.home).differences == []
    states = Counter(one.transfer.state.value for one in ends.rows.values())
    reasons = Counter(one.reason for one in ends.decisions.values() if one.reason)
    print("seed", SEED, dict(states), dict(reasons), "unquoted", dict(crowd.unquoted))  # noqa: T201 - seen with -s
    print("faults", dict(crowd.faults), entries, "entries, drained in", round(drained, 1), "s")  # noqa: T201 - likewise
    assert states["COMPLETED"] > TRANSFERS // 20


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PostgresServer, ValkeyServer]]:
    with postgres_server() as server, valkey_server() as valkey:
        keep_in(monkeypatch, server, valkey)
        yield server, valkey


def test_a_crowd_among_faults_on_sqlite_comes_to_one_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crowd_in(tmp_path, monkeypatch, workers=1) as crowd:
        before = crowd.points()
        with crowd.troubled(), crowd.moving(TRANSFERS):
            pass
        require_one_story(crowd, before)


def test_stores_killed_under_a_crowd_change_no_end(
    stores: tuple[PostgresServer, ValkeyServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills: list[Callable[[], None]] = [stores[0].kill, stores[1].kill]
    starts: list[Callable[[], None]] = [stores[0].start, stores[1].start]
    with crowd_in(tmp_path, monkeypatch, workers=2) as crowd:
        before = crowd.points()
        with crowd.troubled(), crowd.moving(TRANSFERS), ExitStack() as started:
            for number, victims in enumerate([(1,), (0,), (0, 1)], 1):
                crowd.wait_for(TRANSFERS * number // 5)
                for one in victims:
                    kills[one]()
                    started.callback(starts[one])  # also where a check fails: nobody waits for ever
                time.sleep(0.5)
                started.pop_all().close()
        require_one_story(crowd, before)
