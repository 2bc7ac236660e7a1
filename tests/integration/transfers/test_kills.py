"""Kill the process that carries transfers out before and after each of its writes and sends.

``TANQIAO_TRANSFER_KILLS`` says at how many points, spread evenly; 0: at all of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gateway.app.home import open_home
from gateway.ledger import require_whole
from gateway.store.ledger import SqlLedgerReader
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id

pytestmark = pytest.mark.xdist_group("transfers")
KILLS = int(os.environ.get("TANQIAO_TRANSFER_KILLS", "3"))


@pytest.fixture(scope="module")
def between(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with (
        pytest.MonkeyPatch.context() as patch,
        between_cities(tmp_path_factory.mktemp("kills"), patch) as made,
    ):
        yield made


def carry(between: Between, point: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.integration.transfers.mover", str(between.home), str(point)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def ends(between: Between, name: str) -> dict[str, list[object]]:
    """Return what the cities have done about a transfer."""
    query = "SELECT resource || ' ' || state || ' ' || points FROM moves WHERE transfer = ?"
    return {city.name: city.column(query, name) for city in between.cities.values()}


def test_a_kill_at_any_write_or_send_leaves_one_end(between: Between) -> None:
    between.start(between.quote(3))
    points = int(carry(between, 0).stdout)
    chosen = sorted({1 + points * one // (KILLS or points) for one in range(KILLS or points)})

    for point in chosen:
        before, name = (between.points(SOURCE), between.points(DESTINATION)), transfer_id()
        made = between.quote(3)
        between.start(made, name=name)
        killed = carry(between, point)
        again = carry(between, 0)

        assert killed.returncode in (0, -signal.SIGKILL), killed.stderr
        assert again.returncode == 0, again.stderr
        shown = between.until(name, "committed", "aborted")
        went = int(shown["points_out"]), int(shown["points_in"])
        moved = went if shown["state"] == "committed" else (0, 0)
        after = between.points(SOURCE), between.points(DESTINATION)
        assert (before[0] - after[0], after[1] - before[1]) == moved, (point, shown, ends(between, name))
    with open_home(between.home) as opened:
        standing = SqlLedgerReader(opened.database).standing()
        require_whole(standing.book)
    print(f"killed at {len(chosen)} of {points} points")  # noqa: T201 - the count is to be seen with -s
