"""Homes for tests: made in a temporary folder, filled from invented files, looked into, compared."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest

from gateway.app.base.crews import in_processes
from gateway.app.base.home import create_home, open_home
from gateway.app.base.mappings import Reading, select_scheme
from gateway.app.records.check import audit
from gateway.app.records.convert import convert_files, input_documents
from gateway.plugins import find_adapter
from gateway.ports import Clock, PartCounts, PrivateRow
from gateway.sandbox import YUNXI_MAPPING
from gateway.service.acts.submission import Submission, Summary
from gateway.service.audit import AuditReport
from gateway.service.converting.pipeline import convert_submission

WUHAN = "cn-420100/wuhan/travel"


def make_home(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    profile: Literal["default", "test"] = "test",
    name: str = "home",
) -> Path:
    """Make a home below a folder, with the checkpoint store beside it."""
    monkeypatch.setenv("TANQIAO_STATE", str(folder / "state"))
    create_home(folder / name, profile=profile)
    return folder / name


def trip(number: int, **changes: str) -> dict[str, str]:
    """Make one trip as the Wuhan platform states it: 10.574 km by metro, with what differs."""
    made = {
        "trip_id": f"WH-{number:06d}",
        "user_id": f"user-{number % 17:04d}",
        "trip_type": "metro",
        "start_time": f"2025-03-{1 + number % 28:02d}T07:30:00+08:00",
        "distance_km": "10.574",
    }
    return made | changes


def trips(
    count: int, seed: int = 1, *, days: int = 5, persons: int = 17, first: int = 0
) -> list[dict[str, str]]:
    """Make trips that differ in everything, all of which Wuhan's second version counts."""
    random = Random(seed)
    start = datetime.fromisoformat("2025-03-10T00:00:00+08:00")
    made = []
    for number in range(first, first + count):
        moment = start + timedelta(seconds=random.randrange(days * 86_400))
        made.append(
            {
                "trip_id": f"WH-{number:06d}",
                "user_id": f"user-{random.randrange(persons):04d}",
                "trip_type": random.choice(("metro", "bicycle")),
                "start_time": moment.isoformat(),
                "distance_km": f"{random.randrange(1, 30)}.{random.randrange(1000):03d}",
            }
        )
    return made


def write_trips(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write trips as NDJSON."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def capped_mapping(path: Path, *caps: str) -> Path:
    """Write Yunxi's rules with other caps and for NDJSON: 10 km by metro is 1438.720 g and 143 points."""
    head, _, rest = YUNXI_MAPPING.partition("  caps:\n")
    text = head + "  caps:\n" + "".join(f"    - {{{cap}}}\n" for cap in caps) + rest[rest.index("tests:") :]
    text = text.replace("format: {kind: csv, encoding: [utf-8, gb18030]}", "format: {kind: ndjson}")
    path.write_text(text.replace("{column: ", "{path: /"), encoding="utf-8")
    return path


def yunxi_ride(event: str, person: str, moment: str, *, km: str = "10", mode: str = "地铁") -> dict[str, str]:
    """Make one ride as Yunxi states it."""
    return {"行程编号": event, "用户": person, "出行方式": mode, "里程（公里）": km, "开始时间": moment}


def convert(
    home: Path, *files: Path, mapping: str | Path = WUHAN, adapter: str = "common", **more: Any
) -> PartCounts:
    """Convert files as the command does and return the counts."""
    return convert_files(home, files, reading=Reading(adapter, [str(mapping)]), **more).counts


def convert_in_parts(
    home: Path,
    files: Sequence[Path],
    part_rows: int,
    *,
    mapping: str | Path = WUHAN,
    adapter: str = "common",
    clock: Clock | None = None,
    watch: Callable[[int], None] = lambda _rows: None,
    worker: bool = False,
) -> Summary:
    """Convert files in parts of a few rows, so that a small file has many; ``worker``: by two processes."""
    found = find_adapter(adapter)
    scheme = select_scheme(found, [str(mapping)])
    documents = input_documents(files)
    with open_home(home, writing=True) as opened:
        parts = replace(opened.converting(opened.home.scratch()), part_rows=part_rows)
        parts = parts if clock is None else replace(parts, clock=clock)
        parts = replace(parts, crew=partial(in_processes, 1)) if worker else parts
        submission = Submission(adapter=found, scheme=scheme, documents=documents)
        return convert_submission(submission, parts, watch=watch)


def audited(home: Path) -> AuditReport:
    """Audit a home."""
    return audit(home, lambda _rows: None)


def rows_of(home: Path) -> list[PrivateRow]:
    """Return every record of a home in the order of acceptance."""
    with open_home(home) as opened:
        return [
            row
            for batch in opened.journal.batches()
            for row in sorted(
                row for file in opened.journal.files(batch.number) for row in opened.records.read(file)
            )
        ]


def points_by_event(home: Path) -> dict[str, int]:
    """Return the points of each event; an event with two records fails."""
    rows = rows_of(home)
    found = {str(row.event): row.points for row in rows}
    assert len(found) == len(rows)
    return found


def secrets_of(row: PrivateRow) -> dict[str, tuple[bytes, bytes]]:
    """Return value and salt of each commitment of a row, as bytes that a document would hold them in."""
    openings = {"event": (row.event, row.event_salt), "subject": (row.person, row.subject_salt)}
    found = {}
    for name, (value, salt) in openings.items():
        assert value is not None
        assert salt is not None
        text = value if isinstance(value, str) else value.hex()
        found[name] = (f'"{text}"'.encode(), salt.hex().encode())
    return found


def bytes_below(*folders: Path) -> dict[Path, bytes]:
    """Return every file below some folders with its bytes."""
    return {
        path: path.read_bytes() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()
    }


def change_database(home: Path, statement: str, *values: object) -> None:
    """Change a home's database behind its back; the statement must change something."""
    with closing(sqlite3.connect(home / "tanqiao.db")) as connection:
        changed = connection.execute(statement, values).rowcount
        connection.commit()
    assert changed


def require_accounted(counts: PartCounts) -> None:
    """Check that every row has one fate."""
    fates = counts.accepted + counts.duplicates + sum(counts.rejected.values()) + counts.merged
    assert counts.rows == fates
