"""What claims cost: the same recent trips with everybody linked, with nobody, and again from elsewhere."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from benchmarks.measure import Bench, Figure
from benchmarks.processes import Usage, tanqiao
from benchmarks.trips import PLATFORM, accounts, mapping_file, trips_file
from gateway.app.base.home import open_home
from gateway.ports import Link
from gateway.store.sql.tables import links

__all__ = ["measure"]

OTHER = "cn-000001/qinghe"
LINKED, AGAIN, ALONE = "everybody linked", "again, from another city", "nobody linked"
ROUNDS = int(os.environ.get("TANQIAO_BENCH_ROUNDS", "3"))


def measure(bench: Bench) -> Iterator[Figure]:
    """Convert trips without and with links in turn, so that other work falls on both; tell the least."""
    trips = trips_file(bench.folder, bench.rows, kind="ndjson", days=_open_days())
    taken: dict[str, list[Usage]] = {LINKED: [], ALONE: [], AGAIN: []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="home-", dir=bench.folder) as name:
            taken[ALONE].append(_converted(_home(Path(name)), trips))
        with tempfile.TemporaryDirectory(prefix="home-", dir=bench.folder) as name:
            home = _home(Path(name))
            _link_all(home, bench.rows)
            taken[LINKED].append(_converted(home, trips))
            taken[AGAIN].append(_converted(home, trips, platform=OTHER))
    ours = min(taken[LINKED]).cpu_s
    for what, usages in taken.items():
        least = min(usages)
        yield Figure(
            stage="claims",
            what=what,
            role="bound" if what == ALONE else "ours",
            items=bench.rows,
            cpu_us=least.cpu_s / bench.rows * 1e6,
            times=ours / least.cpu_s if what == ALONE else None,
            wall_s=least.wall_s,
            peak_mib=least.peak_mib,
        )


def _open_days() -> list[date]:
    """Return two days that are over and whose claims are not closed."""
    today = datetime.now(UTC).date()
    return [today - timedelta(days=2), today - timedelta(days=1)]


def _home(folder: Path) -> Path:
    tanqiao(["init", "--home", str(folder / "home"), "--profile", "test"], folder / "state")
    return folder / "home"


def _converted(home: Path, trips: Path, *, platform: str = PLATFORM) -> Usage:
    mapping = mapping_file(home.parent, "ndjson", platform=platform)
    command = ["convert", "--home", str(home), "--mapping", str(mapping), str(trips)]
    return tanqiao(command, home.parent / "state")


def _link_all(home: Path, rows: int) -> None:
    """Link the accounts of everybody in so many trips at both cities; this is not measured."""
    with open_home(home) as opened:
        index = opened.index()
        values = [
            Link(
                account=index.pseudonym(platform, account),
                person=index.pseudonym("", account),  # any name that is the same at both will do
                platform=platform,
                epoch=1,
                consent="form",
                linked="2026-11-22T00:00:00Z",
                shared=True,
                after=0,
            )._asdict()
            for account in accounts(rows)
            for platform in (PLATFORM, OTHER)
        ]
        with opened.database.write() as connection:
            connection.execute(insert(links), values)
