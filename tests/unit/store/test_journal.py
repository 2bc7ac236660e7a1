"""The journal: one transaction for each decision, and what an interrupted run finds of it."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.errors import InvariantBroken, LocalFileError
from gateway.model.erasure import FORGOTTEN, NOWHERE
from gateway.ports import DayClosed, NewEvents, PartCounts, PartDecision, RecordFile
from gateway.store.journal.decisions import SqlJournal
from gateway.store.sql.database import Database

PLATFORM = "cn-420100/wuhan"
K0, K1, K2, CAP = (name.ljust(16).encode() for name in ("k0", "k1", "k2", "cap"))
C0, C1 = b"content0", b"content1"
DECISION = PartDecision(
    submission="s",
    number=0,
    counts=PartCounts(rows=3, accepted=1, rejected={"late": 2}, co2e_mg=5, points=4),
    platform=PLATFORM,
    kind="conversion",
    series=0,
    entry=b"entry 0",
    entry_digest="sha256:00",
    root=bytes(32),
    size=1,
    issued="2026-11-22T05:00:00Z",
    files=[RecordFile("a", "00", "2025-03-16", 1)],
    events=NewEvents(K0, C0),
    cap_usage={CAP: 4},
    rejected_by_day={("2025-03-16", "late"): 1, (None, "malformed-row"): 1},
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    database = Database(tmp_path / "a.db")
    yield SqlJournal(database)
    database.close()


def second(**changes: object) -> PartDecision:
    made = replace(
        DECISION,
        number=1,
        series=1,
        entry=b"entry 1",
        files=[RecordFile("b", "00", "2025-03-17", 1)],
        events=NewEvents(K1, C1),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # members by name, of any type


def test_a_decision_is_remembered_whole(journal: SqlJournal) -> None:
    journal.begin("s", {}, part_rows=3)

    assert journal.decide(DECISION) == 0
    assert journal.decide(second()) == 1

    assert journal.queued(0, 10) == [b"entry 0", b"entry 1"]
    assert [batch.number for batch in journal.batches()] == [0, 1]
    assert journal.batch(1).series == 1
    assert journal.files(1) == [RecordFile("b", "00", "2025-03-17", 1)]
    assert journal.known_events([K0, K1, K2]) == {K0: (C0, 0, 0), K1: (C1, 1, 0)}
    assert journal.cap_usage([CAP, K0]) == {CAP: 4}
    assert journal.series_head(PLATFORM, "conversion") == (2, "sha256:00")
    assert journal.series_head("elsewhere", "conversion") == (0, "")
    assert journal.platforms() == [PLATFORM]


@pytest.mark.parametrize(
    "clash",
    [
        pytest.param({"events": NewEvents(K2 + K0, C0 + C1)}, id="event"),
        pytest.param({"events": NewEvents(K2 + K2, C0 + C1)}, id="event twice"),
        pytest.param({"series": 0}, id="number in the series"),
        pytest.param({"files": [RecordFile("a", "11", "2025-03-16", 1)]}, id="file"),
        pytest.param({"submission": "unknown"}, id="submission"),
    ],
)
def test_a_decision_that_clashes_leaves_nothing_of_itself(
    journal: SqlJournal, clash: dict[str, object]
) -> None:
    journal.begin("s", {}, part_rows=3)
    journal.decide(DECISION)

    with pytest.raises((IntegrityError, InvariantBroken)):
        journal.decide(second(**clash, cap_usage={CAP: 99}))

    assert journal.length() == 1
    assert journal.event_count() == 1
    assert journal.next_batch() == 1
    assert journal.cap_usage([CAP]) == {CAP: 4}
    assert set(journal.parts("s")) == {0}


def forget(journal: SqlJournal, *keys: bytes) -> None:
    """Forget events as an erasure does."""
    staged = journal.stage_forgotten(keys)
    with journal._database.write() as connection:
        journal.forget(connection, staged)


def test_a_forgotten_event_leads_nowhere_and_cannot_be_recorded_again(journal: SqlJournal) -> None:
    journal.begin("s", {}, part_rows=3)
    journal.decide(DECISION)
    journal.decide(second())

    forget(journal, K0)

    assert journal.known_events([K0, K1]) == {K0: (FORGOTTEN, NOWHERE, NOWHERE), K1: (C1, 1, 0)}
    assert journal.event_count() == 2
    with pytest.raises(InvariantBroken):
        journal.decide(second(number=2, series=2, events=NewEvents(K0, C1)))


def test_scrubbing_the_index_leaves_no_byte_of_what_was_forgotten(
    journal: SqlJournal, tmp_path: Path
) -> None:
    """Neither of what events said, nor of how the use of a cap has grown, nor of what a kill has left."""
    journal.begin("s", {}, part_rows=3)
    journal.decide(DECISION)
    journal.decide(second(cap_usage={CAP: 0x5EED}))
    files = [RecordFile("c", "00", "2025-03-17", 1)]
    third = second(number=2, series=2, files=files, events=NewEvents(K2, C0[::-1]))
    journal.decide(replace(third, cap_usage={CAP: 0xBEEF}))
    journal.stage_forgotten([K2])
    (tmp_path / "index" / "events-0.run.half").write_bytes(C0)
    forget(journal, K0)

    journal.scrub_index()

    left = sorted((tmp_path / "index").iterdir())
    assert len(left) == 2
    kept = b"".join(file.read_bytes() for file in left)
    assert C0 not in kept
    assert (0x5EED).to_bytes(8, "little") not in kept
    assert all(mark in kept for mark in (C1, C0[::-1], (0xBEEF).to_bytes(8, "little")))
    assert journal.known_events([K0, K1, K2]) == {
        K0: (FORGOTTEN, NOWHERE, NOWHERE),
        K1: (C1, 1, 0),
        K2: (C0[::-1], 2, 0),
    }
    assert journal.cap_usage([CAP]) == {CAP: 0xBEEF}
    journal.scrub_index()
    assert sorted((tmp_path / "index").iterdir()) == left


def test_an_interrupted_run_finds_its_parts_and_a_finished_one_begins_anew(journal: SqlJournal) -> None:
    assert journal.begin("s", {}, part_rows=3) == (3, False)
    journal.decide(DECISION)

    assert journal.begin("s", {}, part_rows=77) == (3, True)
    assert journal.parts("s") == {0: DECISION.counts}
    assert journal.parts("t") == {}
    journal.finish("s")

    assert journal.begin("s", {}, part_rows=77) == (3, False)
    assert journal.parts("s") == {}


def test_rejections_are_counted_once_however_often_a_submission_is_run(journal: SqlJournal) -> None:
    journal.begin("s", {}, part_rows=3)
    journal.decide(DECISION)
    journal.finish("s")
    journal.decide(second(number=0, entry=b"", events=NewEvents(b"", b""), files=[]))

    assert journal.rejected(PLATFORM, "2025-03-16", supplement=None) == {"late": 1}
    assert journal.rejected(PLATFORM, None, supplement=None) == {"malformed-row": 1}


def test_a_closed_day_takes_its_rejections_with_it(journal: SqlJournal) -> None:
    journal.begin("s", {}, part_rows=3)
    journal.decide(DECISION)
    closed = DayClosed(PLATFORM, "2025-03-16", supplement=0, after=-1, through=0, position=-1)
    journal.close_day(closed, b"statement")
    journal.decide(second(rejected_by_day={("2025-03-16", "late"): 5}))

    assert journal.days_closed() == [closed._replace(position=1)]
    assert journal.rejected(PLATFORM, "2025-03-16", supplement=0) == {"late": 1}
    assert journal.rejected(PLATFORM, "2025-03-16", supplement=None) == {"late": 5}
    assert journal.rejected(PLATFORM, None, supplement=None) == {"malformed-row": 1}


def test_many_keys_are_looked_up_at_once(journal: SqlJournal) -> None:
    keys = [sha256(number.to_bytes(4, "big")).digest()[:16] for number in range(20_000)]
    some = b"".join(keys[::2])
    journal.note(NewEvents(some, some[: len(some) // 2]), dict.fromkeys(keys[::4], 1))

    assert set(journal.known_events(keys)) == set(keys[::2])
    assert journal.cap_usage(keys) == dict.fromkeys(keys[::4], 1)
    assert journal.event_count() == 10_000


def test_a_batch_that_is_not_there_is_named(journal: SqlJournal) -> None:
    with pytest.raises(LocalFileError, match="no batch 7"):
        journal.batch(7)


def test_an_announcement_is_found_by_the_digest_it_names(journal: SqlJournal) -> None:
    journal.queue(b'{"keys_digest":"sha256:abc"}')

    assert journal.announces("sha256:abc")
    assert not journal.announces("sha256:abd")
