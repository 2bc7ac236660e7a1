"""The outbox: each message is taken by one worker at a time, and none is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.ports import CarriedFile, Heading, OutboxTask
from gateway.store.ledger.books import SqlLedger
from gateway.store.ledger.carried_files import SqlCarriedFiles
from gateway.store.ledger.outbox import SqlOutbox
from gateway.store.sql.database import Database
from tests.fakes.ledger_stores import AT, commit, reserve
from tests.fakes.ledgers import limited, moving

pytestmark = pytest.mark.xdist_group("servers")
COUNT = 40


@pytest.fixture
def outbox(database: Database) -> SqlOutbox:
    with SqlLedger(database) as ledger:
        ledger.limit(limited(10_000))
        ledger.run([reserve(moving(f"tr_{n:02}", 1)) for n in range(COUNT)])
    return SqlOutbox(database)


def transfers(tasks: list[OutboxTask]) -> list[str]:
    return [task.transfer for task in tasks]


def test_messages_of_a_step_wait_in_its_order(outbox: SqlOutbox, database: Database) -> None:
    with SqlLedger(database) as ledger:
        ledger.run([commit("tr_01")])

    tasks = outbox.take(now=AT, lease=30, limit=100)

    assert transfers(tasks) == [f"tr_{n:02}" for n in range(COUNT)] + ["tr_01", "tr_01"]
    assert [task.message.kind for task in tasks[-3:]] == ["credit", "decision", "decision"]
    assert outbox.take(now=AT - 1, lease=30, limit=100) == []


def test_what_is_taken_comes_again_only_after_its_lease(outbox: SqlOutbox) -> None:
    first = outbox.take(now=AT, lease=30, limit=COUNT)
    assert outbox.take(now=AT + 29, lease=30, limit=COUNT) == []

    again = outbox.take(now=AT + 30, lease=30, limit=COUNT)

    assert transfers(again) == transfers(first)
    assert {task.attempts for task in again} == {2}
    outbox.end(first[:10])
    assert len(outbox.take(now=AT + 60, lease=30, limit=COUNT)) == COUNT - 10


def test_what_is_put_off_comes_at_its_moment_unless_another_has_it(outbox: SqlOutbox) -> None:
    (late,) = outbox.take(now=AT, lease=30, limit=1)
    outbox.put_off(late, due=AT + 5)
    (again,) = [one for one in outbox.take(now=AT + 5, lease=30, limit=COUNT) if one.number == late.number]

    outbox.put_off(late, due=AT + 6)

    assert late.number not in {one.number for one in outbox.take(now=AT + 6, lease=30, limit=COUNT)}
    outbox.put_off(again, due=AT + 6)
    assert [one.number for one in outbox.take(now=AT + 6, lease=30, limit=COUNT)] == [late.number]


def test_workers_share_the_outbox_and_none_sends_what_another_has(outbox: SqlOutbox) -> None:
    def work(_: int) -> list[int]:
        mine: list[int] = []
        while tasks := outbox.take(now=AT, lease=30, limit=3):
            mine += [task.number for task in tasks]
            outbox.end(tasks)
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [number for some in pool.map(work, range(4)) for number in some]

    assert len(taken) == len(set(taken)) == COUNT


def test_what_was_tried_too_often_raises_an_alarm_and_stays(outbox: SqlOutbox) -> None:
    for round_ in range(3):
        outbox.take(now=AT + 30 * round_, lease=30, limit=2)

    assert transfers(outbox.alarming(attempts=1, limit=100)) == transfers(
        outbox.alarming(attempts=1, limit=6)
    )
    assert outbox.alarming(attempts=4, limit=100) == []
    assert len(outbox.take(now=AT + 900, lease=30, limit=100)) == COUNT


def test_what_is_carried_waits_on_and_lets_others_go_first(outbox: SqlOutbox) -> None:
    platform = outbox.take(now=AT, lease=30, limit=1)[0].message.platform
    waiting = outbox.waiting(platform, limit=COUNT)
    first = waiting[:10]
    outbox.carried(first)

    again = outbox.waiting(platform, limit=COUNT)

    assert len(again) == len(waiting)
    assert {task.number for task in again[-11:]} == {task.number for task in (*first, waiting[-1])}
    assert outbox.waiting("cn-000000/nobody", limit=COUNT) == []


def test_only_one_file_has_a_number(database: Database) -> None:
    files = SqlCarriedFiles(database)
    file = CarriedFile("cn-000000/north", Heading.IN, 1, "sha256:1", "2026-01-01T00:00:00Z")

    assert files.take(file)
    assert files.take(file._replace(moment="2026-01-02T00:00:00Z"))
    assert not files.take(file._replace(digest="sha256:2"))
    assert files.of(file.platform, Heading.IN) == [file]
    numbers = [files.write(file.platform, digest="sha256:3", moment=file.moment) for _ in range(2)]
    assert numbers == [1, 2]
