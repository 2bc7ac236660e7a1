"""Kill each process of a transfer before and after each of its writes, sends and answers: one story is left.

The processes: a worker of the interface, the one that carries transfers out, the cities of both ends, and
what puts decisions into the log. What is moved: one transfer that is committed, one that the destination
refuses, one for which it is asleep until time is over, and a batch of six of which four are refused, each by
somebody else. Then a batch of three, one of them refused by each city, while one of the cities answers by
call-back, or by files; there the commands that write files, answer them and take them are killed, too.
``TANQIAO_MOVE_KILLS`` says how many points of each kind are killed at, or ``all``;
``TANQIAO_MOVE_KILLS_PART=2/4`` takes the second of four parts.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

import pytest

from gateway.service.transfers.moves import shown
from tests.fakes.corridors import DESTINATION, SOURCE, between_cities
from tests.fakes.ends import require_same_ends
from tests.fakes.homes import audited
from tests.fakes.kills import (
    API,
    CARRY,
    DIALECTS,
    EXPORT,
    IMPORT,
    LOG,
    SCENARIOS,
    Forge,
    Scenario,
    forged,
    require_logged,
)
from tests.fakes.servers import STORES, stores

pytestmark = pytest.mark.xdist_group("transfers")
KILLS: Final = os.environ.get("TANQIAO_MOVE_KILLS", "1")
PART: Final = os.environ.get("TANQIAO_MOVE_KILLS_PART", "1/1")
TRIES: Final = 3
LEASE_SECONDS: Final = 30


class Target(NamedTuple):
    """A point at which a process is to be killed while something is moved."""

    scenario: Scenario
    victim: str
    point: str

    @property
    def kind(self) -> tuple[str, str]:
        """Return which process it is, and where in its work: ``before commit``, ``after answer``…"""
        place = self.point.rpartition(" ")[0].rpartition(": ")[2]
        return "city" if self.victim in (SOURCE, DESTINATION) else self.victim, place


@pytest.fixture(scope="module", params=STORES)
def forge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(stores(request.param, patch))
        between = stack.enter_context(between_cities(tmp_path_factory.mktemp("kills"), patch, persons=3))
        yield stack.enter_context(forged(between))


def victims(scenario: Scenario) -> Sequence[str]:
    """Return which processes are killed: cities have a database of their own, whatever the home's is."""
    if "TANQIAO_DATABASE" not in os.environ:
        return scenario.victims
    own = (API, CARRY, EXPORT, IMPORT, *([LOG] if KILLS == "all" else []))
    return [victim for victim in scenario.victims if victim in own]


def moved(forge: Forge, scenario: Scenario, *, victim: str = "", point: str = "", logs: bool = False) -> bool:
    """Move points while a process is to die at a point, and look at all ends; tells whether it died."""
    forge.speak(scenario.spoken)
    lines = scenario.lines(forge)
    forge.unsettle()
    before = forge.deaths[victim]
    forge.arm(victim, point)
    answer = scenario.sent(forge, lines)
    lease = 1 if victim == CARRY else LEASE_SECONDS
    forge.carry(lease=lease, late=str(lines[0]["id"]) if scenario.late else "")
    forge.quieten(lease=lease)
    if logs or victim == LOG:
        forge.run(LOG)
        require_logged(forge)
    again = scenario.sent(forge, lines)
    if victim:
        forge.settle(victim, deaths=before)
    forge.quieten(lease=lease)

    assert again == answer
    ends = require_same_ends(forge.between.home, list(forge.between.cities.values()))
    assert [shown(ends.rows[str(line["id"])])["state"] for line in lines] == scenario.ends
    assert forge.deaths[victim] - before <= 1
    return forge.deaths[victim] > before


def targets(forge: Forge, scenarios: Sequence[Scenario]) -> list[Target]:
    """Move everything once without a kill, and return all points that were passed."""
    found = []
    _settle_nonces(forge)
    for scenario in scenarios:
        moved(forge, scenario, logs=LOG in scenario.victims)
        found += [
            Target(scenario, victim, point) for victim in victims(scenario) for point in forge.passed(victim)
        ]
    return found


def _settle_nonces(forge: Forge) -> None:
    """Wait until nonces are kept where they will be: at first a new Redis and the database share them."""
    moved(forge, SCENARIOS[0])
    while "TANQIAO_REDIS" in os.environ and any("GroupCommit" in point for point in forge.passed(API)):
        time.sleep(1)
        moved(forge, SCENARIOS[0])


def chosen(found: Sequence[Target]) -> list[Target]:
    """Return the points at which to kill: all of a part, or some of each kind, spread over its points."""
    number, _, parts = PART.partition("/")
    if KILLS == "all":
        return list(found)[int(number) - 1 :: int(parts)]
    kinds: defaultdict[tuple[str, str], list[Target]] = defaultdict(list)
    for target in found:
        kinds[target.kind].append(target)
    some = []
    for at, (_, same) in enumerate(sorted(kinds.items())):
        kills = min(int(KILLS), len(same))
        some += [same[(5 * at + len(same) * one // kills) % len(same)] for one in range(kills)]
    return some


def counted(some: Sequence[Target]) -> str:
    """Return how many points these are, by process and kind."""
    kinds = Counter(f"{target.victim} {target.kind[1]}" for target in some)
    return f"{len(some)} (" + ", ".join(f"{kind}: {kinds[kind]}" for kind in sorted(kinds)) + ")"


@pytest.mark.parametrize("scenarios", [SCENARIOS, DIALECTS], ids=["common JSON", "dialects"])
def test_a_kill_at_any_write_or_send_of_any_process_leaves_one_end(
    forge: Forge, scenarios: Sequence[Scenario]
) -> None:
    found = targets(forge, scenarios)
    some, begun = chosen(found), time.monotonic()
    killed, missed = list[Target](), list[Target]()
    print("\npoints found:", counted(found), flush=True)  # noqa: T201 - to be seen with -s
    for number, (scenario, victim, point) in enumerate(some, 1):
        died = any(moved(forge, scenario, victim=victim, point=point) for _ in range(TRIES))
        (killed if died else missed).append(Target(scenario, victim, point))
        done = f"{number}/{len(some)} {time.monotonic() - begun:.0f} s"
        print(done, scenario.name, victim, point, "" if died else "NOT PASSED AGAIN", flush=True)  # noqa: T201 - likewise
    print("part", PART, "killed:", counted(killed), "not passed again:", counted(missed))  # noqa: T201 - likewise

    assert len(missed) <= max(1, len(some) // 20), missed
    assert audited(forge.between.home).differences == []
