"""Three invented platforms that see the same rides, and what counts in the end."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.app.base.home import open_home
from gateway.app.records.links import link
from gateway.ports import ClaimState
from gateway.service.acts.submission import Summary
from tests.fakes.homes import convert_in_parts, make_home

__all__ = [
    "DAWN",
    "NOON",
    "PLATFORMS",
    "At",
    "counting",
    "link_all",
    "linked_home",
    "mapping_text",
    "seen",
    "submit",
    "write_mapping",
    "write_rides",
]

PLATFORMS = ("cn-000000/yunxi", "cn-000001/haimen", "cn-000002/shanyang")
DAWN = datetime(2025, 3, 10, tzinfo=UTC)  # eight o'clock there
NOON = datetime(2025, 3, 10, 4, tzinfo=UTC)

_MAPPING = """\
mapping: {platform}/rides
schema: mapping/1
version: 1
status: illustrative
title: {{zh: 虚构, en: Invented}}
issuer: {platform}
effective: {{from: 2025-01-01, basis: activity_start, zone: Asia/Shanghai}}
basis: [{{ref: M1, title: 虚构, edition: "2025", read: 2026-11-22}}]
source:
  format: {{kind: ndjson}}
  ownership: personal
  fields:
    event: {{path: /id, type: text}}
    person: {{path: /user, type: pseudonym}}
    behaviour: {{path: /kind, type: text, code_table: kind}}
    evidence: {{path: /evidence, type: text}}
    distance: {{path: /km, type: decimal, unit: km, scale: 1, min: "0", max: "100"}}
    start: {{path: /from, type: instant}}
    end: {{path: /to, type: instant}}
    day: {{path: /day, type: date}}
code_tables:
  kind:
    - {{code: B, behaviour: TRV-BIKE}}
    - {{code: M, behaviour: TRV-METRO}}
    - {{code: P, behaviour: FOD-CLEANPLATE}}
factors:
  per_km: {{unit: gCO2e/km, values: [{{from: 2025-01-01, value: "{figure}", cite: M1}}]}}
formula:
  - {{name: reduction, unit: gCO2e, expr: distance * per_km, round: {{scale: 3, mode: half_up}}}}
  - {{name: points, unit: {platform}-point, expr: reduction / 10, round: {{scale: 0, mode: floor}}}}
credit:
  unit: {platform}-point
  kind: gram
  caps:
    - {{name: daily, of: points, per: [person, local_day], max: 5000, order: accepted_sequence,
       late: counts_on_activity_day}}
tests:
  - {{name: none, given: {{kind: X}}, reject: unknown-code}}
"""


class At(NamedTuple):
    """A clock that stands still."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def write_mapping(folder: Path, platform: str) -> Path:
    """Write the rules of one of the platforms; each has a figure of its own."""
    path = folder / f"{platform.replace('/', '-')}.yaml"
    figure = {name: f"{100 + 50 * number}" for number, name in enumerate(PLATFORMS)}.get(platform, "100")
    path.write_text(mapping_text(platform, figure), "utf-8")
    return path


def mapping_text(platform: str, figure: str) -> str:
    """Return the rules of an invented platform that counts so many grams for a km."""
    return _MAPPING.format(platform=platform, figure=figure)


def seen(event: str, user: str, start: float, end: float | None, **changes: str) -> dict[str, str]:
    """Make a ride from a minute after eight to another one, with what differs; an empty change leaves out."""
    made = {"id": event, "user": user, "kind": "B", "km": "8.0", "evidence": "operator-record"}
    made["from"] = (DAWN + timedelta(minutes=start)).isoformat()
    if end is not None:
        made["to"] = (DAWN + timedelta(minutes=end)).isoformat()
    return {name: value for name, value in (made | changes).items() if value}


def write_rides(path: Path, rides: Iterable[Mapping[str, str]]) -> Path:
    path.write_text("".join(json.dumps(ride) + "\n" for ride in rides), "utf-8")
    return path


def linked_home(
    folder: Path, patch: pytest.MonkeyPatch, persons: Sequence[str] = ("an",), *, name: str = "home"
) -> Path:
    """Make a home in which each person has an account of the same name at all platforms."""
    return link_all(make_home(folder, patch, name=name), persons)


def link_all(home: Path, persons: Sequence[str]) -> Path:
    """Give each person an account of the same name at all platforms; return the home."""
    for platform in PLATFORMS:
        for person in persons:
            link(home, person, platform=platform, identity=f"identity of {person}", consent="form 1")
    return home


def submit(
    home: Path,
    platform: str,
    rides: Sequence[Mapping[str, str]],
    *,
    now: datetime = NOON,
    part_rows: int = 100,
    worker: bool = False,
) -> Summary:
    """Convert rides of one platform, as accepted at a moment."""
    folder = home.parent
    name = f"{abs(hash((platform, json.dumps(rides)))):x}.ndjson"
    file = write_rides(folder / name, rides)
    mapping = write_mapping(folder, platform)
    return convert_in_parts(home, [file], part_rows, mapping=mapping, clock=At(now), worker=worker)


def counting(home: Path) -> set[tuple[str, str]]:
    """Return the platforms and events of the records that count."""
    found = set()
    with open_home(home) as opened:
        for batch in opened.journal.batches():
            for file in opened.journal.files(batch.number):
                for row in opened.records.read(file):
                    record = bytes.fromhex(row.id)
                    state = opened.journal.claims.states(record).get(record, ClaimState.HOLDS)
                    if state == ClaimState.HOLDS:
                        found.add((batch.platform, str(row.event)))
    return found
