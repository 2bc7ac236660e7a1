"""Whatever message or answer is lost: what is shown of a transfer is true at every step, and its end is one.

Before and after each exchange with a city and after each step of the books, the gateway and both cities are
looked at: the gateway twice, around the cities, so that what the cities have done lies between two looks.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from threading import Lock
from typing import Any, NamedTuple

import pytest

from gateway.app.base.home import open_home
from gateway.peers.platform_line import PlatformLine
from gateway.service.transfers.moves import read_move, shown
from gateway.store.ledger.books import SqlLedger, SqlLedgerReader
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id
from tests.fakes.ends import require_same_ends

pytestmark = pytest.mark.xdist_group("transfers")
FAULTS = ("deaf", "lost", "broken", "wrong-signature")
MESSAGES = ((SOURCE, "holds"), (DESTINATION, "credits"), (SOURCE, "decisions"), (DESTINATION, "decisions"))
FOLLOWS = {"pending": {"pending", "committed", "aborted"}, "committed": {"committed"}, "aborted": {"aborted"}}


class Seen(NamedTuple):
    """What was seen at one step: the gateway before and after the cities, and their states and points."""

    before: str
    source: tuple[str, int]
    destination: tuple[str, int]
    after: str


class Watch:
    """Looks at the transfer that is under way."""

    def __init__(self, between: Between) -> None:
        self.between = between
        self.name = ""
        self.seen: list[Seen] = []
        self._one_at_a_time = Lock()

    def look(self, reader: SqlLedgerReader) -> None:
        with self._one_at_a_time:
            before = self.shown(reader)
            if before:
                cities = (self.city(SOURCE), self.city(DESTINATION))
                self.seen.append(Seen(before, *cities, self.shown(reader)))

    def shown(self, reader: SqlLedgerReader) -> str:
        row = reader.transfer(self.name)
        return "" if row is None else str(shown(read_move(row, reader.decision(self.name)))["state"])

    def city(self, name: str) -> tuple[str, int]:
        with closing(sqlite3.connect(self.between.cities[name].folder / "city.db", timeout=30)) as db:
            db.execute("BEGIN")
            found = db.execute("SELECT state FROM moves WHERE transfer = ?", (self.name,)).fetchone()
            query = "SELECT sum(left_points) FROM grants WHERE account = ?"
            (points,) = db.execute(query, (f"{name}-00001",)).fetchone()
        return ("" if found is None else found[0]), points


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with (
        pytest.MonkeyPatch.context() as patch,
        between_cities(tmp_path_factory.mktemp("truthful"), patch) as between,
        open_home(between.home) as opened,
    ):
        watch, reader = Watch(between), SqlLedgerReader(opened.database)
        exchanged, run = PlatformLine._exchanged, SqlLedger.run

        async def watched(line: PlatformLine, question: Any) -> Any:
            watch.look(reader)
            answer = await exchanged(line, question)
            watch.look(reader)
            return answer

        def written(ledger: SqlLedger, steps: Any) -> Any:
            taken = run(ledger, steps)
            watch.look(reader)
            return taken

        patch.setattr(PlatformLine, "_exchanged", watched)
        patch.setattr(SqlLedger, "run", written)
        with between.carried():
            yield watch


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("city", "message"), MESSAGES)
def test_what_is_shown_is_true_while_an_answer_is_lost(
    watch: Watch, city: str, message: str, fault: str
) -> None:
    between = watch.between
    made, watch.name, watch.seen = between.quote(3), transfer_id(), []
    had = {name: watch.city(name)[1] for name in (SOURCE, DESTINATION)}
    between.cities[city].fault(fault, times=1, only=message)
    between.start(made, name=watch.name)
    end = between.until(watch.name, "committed", "aborted")["state"]
    between.cities[city].heal()

    assert len(watch.seen) > 4
    for seen in watch.seen:
        assert untrue(seen, had, made.quote.amounts) == []
    states = [*(state for seen in watch.seen for state in (seen.before, seen.after)), end]
    assert all(later in FOLLOWS[state] for state, later in pairwise(states))
    require_same_ends(between.home, list(between.cities.values()))


def untrue(seen: Seen, had: dict[str, int], amounts: Any) -> list[str]:
    """Return what of a look is not as it must be."""
    (source, left), (destination, there) = seen.source, seen.destination
    kept = amounts.points_out if source in ("held", "captured") else 0
    issued = amounts.points_in if destination == "posted" else 0
    rules = {
        "points of the source": had[SOURCE] - left == kept,
        "points of the destination": there - had[DESTINATION] == issued,
        "nothing is burned or issued before it is shown": seen.after == "committed"
        or not {source, destination} & {"captured", "posted"},
        "nothing is let go before it is shown": seen.after == "aborted"
        or not {source, destination} & {"released", "cancelled"},
        "what is committed is kept at both ends": seen.before != "committed"
        or (source in ("held", "captured") and destination in ("prepared", "posted")),
        "what is aborted is carried out nowhere": seen.before != "aborted"
        or not {source, destination} & {"captured", "posted"},
    }
    return [f"{rule}: {seen}" for rule, holds in rules.items() if not holds]
