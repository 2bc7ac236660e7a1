"""Submissions that wait together are kept by the same statements, each as if it had come alone."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection
from sqlalchemy.exc import IntegrityError

from gateway.ports import NewOperation, Operation, OperationKind
from gateway.store.serving.operations import SqlOperations
from gateway.store.serving.platforms import SqlPlatforms
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import postgres_url
from gateway.store.sql.group_commit import GroupCommit
from tests.fakes.servers import PostgresServer

PLATFORM = "cn-420100/wuhan"
pytestmark = pytest.mark.xdist_group("servers")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    place: Path | URL = tmp_path / "home.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        place = postgres_url(server.database(), setting="test")
    with closing(Database(place, folder=tmp_path)) as made:
        SqlPlatforms(made).invite(PLATFORM, code_hash=b"", expires="", now="")
        yield made


def submission(name: str, key: str, content: bytes | None = b"{}\n") -> NewOperation:
    kind = OperationKind.FILE if content is None else OperationKind.ROWS
    return NewOperation(
        id=name, kind=kind, platform=PLATFORM, key=key, content_sha256=name.encode(), mapping="m",
        adapter="a", name="", rows=1, content=content, created="2026-01-01T00:00:00Z",
    )  # fmt: skip


@contextmanager
def held(writes: GroupCommit) -> Iterator[None]:
    """Keep the writes busy, so that what is submitted meanwhile waits together."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        begun.set()
        go_on.wait(10)

    writes.submit(hold)
    begun.wait(10)
    try:
        yield
    finally:
        go_on.set()


def received(database: Database, some: list[NewOperation]) -> list[Future[Operation]]:
    """Have submissions received in one transaction, in their order."""
    with GroupCommit(database) as writes, ThreadPoolExecutor(len(some)) as pool:
        operations = SqlOperations(database, writes)
        with held(writes):
            futures = []
            for number, one in enumerate(some, start=1):
                futures.append(pool.submit(operations.receive, one))
                _until(lambda number=number: writes._queue.qsize() == number)  # type: ignore[misc]
    return futures


def _until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(1000):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it does not come to pass")


def contents(database: Database) -> list[list[bytes]]:
    """Return the rows of what the sequencer takes, in their order."""
    written: list[list[bytes]] = []
    with GroupCommit(database) as writes:
        SqlOperations(database, writes).take(
            rows=1000,
            write=lambda _, rows: written.append(list(rows)),
            name="spool",
            versions=lambda _: (),
        )
    return written


def test_each_is_kept_in_the_order_of_arrival_with_its_own_rows(database: Database) -> None:
    some = [submission(f"o-{number}", f"k-{number}", b'{"n":%d}\n' % number) for number in range(20)]

    answers = [future.result() for future in received(database, some)]

    assert [answer.id for answer in answers] == [one.id for one in some]
    assert [answer.number for answer in answers] == sorted(answer.number for answer in answers)
    assert contents(database) == [[one.content for one in some]]


def test_a_key_that_comes_twice_at_once_or_is_known_gets_the_first(database: Database) -> None:
    received(database, [submission("known", "k-1")])

    answers = received(
        database,
        [submission("a", "k-1"), submission("b", "k-2"), submission("c", "k-2"), submission("d", "k-3")],
    )

    assert [answer.result().id for answer in answers] == ["known", "b", "b", "d"]
    assert answers[2].result().content_sha256 == b"b", "so whoever sent other content under the key is told"
    assert contents(database) == [[b"{}\n"] * 3]


def test_one_that_fails_leaves_those_beside_it_untouched(database: Database) -> None:
    stranger = replace(submission("x", "k-2"), platform="cn-110000/nobody")

    first, failed, last = received(database, [submission("a", "k-1"), stranger, submission("b", "k-3")])

    assert isinstance(failed.exception(), IntegrityError)
    assert (first.result().id, last.result().id) == ("a", "b")
    assert contents(database) == [[b"{}\n"] * 2]


def test_what_waits_as_a_file_has_no_rows_here(database: Database) -> None:
    received(database, [submission("file", "k-1", None)])

    assert contents(database) == []


def test_what_is_handed_over_together_is_answered_one_by_one(database: Database) -> None:
    stranger = replace(submission("x", "k-2"), platform="cn-110000/nobody")
    some = [submission("a", "k-1"), stranger, submission("b", "k-1"), submission("c", "k-3")]

    with GroupCommit(database) as writes:
        first, failed, again, last = SqlOperations(database, writes).receive_all(some)

    assert isinstance(failed, IntegrityError)
    assert [one.id for one in (first, again, last) if isinstance(one, Operation)] == ["a", "a", "c"]
