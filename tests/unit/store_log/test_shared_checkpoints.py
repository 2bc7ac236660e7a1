"""The checkpoint store as a table: the same promises as the file, for several hosts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store.log.checkpoints import SwapLost
from gateway.store.log.shared_checkpoints import SharedCheckpoints
from gateway.store.sql.dialects import DatabaseUnavailable, postgres_url
from tests.fakes.servers import PostgresServer, free_port
from tests.unit.store_log.test_checkpoints import at

pytestmark = pytest.mark.xdist_group("servers")


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture
def stores(url: str) -> Iterator[list[SharedCheckpoints]]:
    """Open the store as two hosts do."""
    opened = [SharedCheckpoints(postgres_url(url, setting="test")) for _ in range(2)]
    yield opened
    for one in opened:
        one.close()


def test_one_host_sees_what_another_has_swapped(stores: list[SharedCheckpoints]) -> None:
    one, other = stores
    assert one.latest("a") is None
    one.swap("a", expected=None, new=at(1))
    other.pin("a", expected=None, policy_digest="p", keys_digest="k")
    other.swap("a", expected=at(1), new=at(5))

    latest = one.latest("a")

    assert latest is not None
    assert (latest.size, latest.root, latest.keys_digest) == (5, at(5).root, "k")
    assert one.latest("b") is None


@pytest.mark.parametrize(
    "expected", [None, at(1), at(2, b"other"), at(3)], ids=["no", "old", "beside", "new"]
)
def test_a_swap_from_anything_else_is_lost_and_changes_nothing(
    stores: list[SharedCheckpoints], expected: object
) -> None:
    one, other = stores
    one.swap("a", expected=None, new=at(2))

    with pytest.raises(SwapLost, match="2 entries"):
        other.swap("a", expected=expected, new=at(9))  # type: ignore[arg-type] - the cases are of this type

    assert one.latest("a") == at(2)


def test_of_many_hosts_at_once_exactly_one_wins_the_first_step(stores: list[SharedCheckpoints]) -> None:
    def attempt(number: int) -> bool:
        try:
            stores[number % 2].swap("a", expected=None, new=at(1, str(number).encode()))
        except SwapLost:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(16)))

    assert won.count(True) == 1
    assert stores[0].latest("a") == at(1, str(won.index(True)).encode())


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    url = postgres_url(f"postgresql://me:hush@127.0.0.1:{free_port()}/none", setting="test")
    store = SharedCheckpoints(url)

    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1") as refused:
        store.latest("a")

    assert "hush" not in str(refused.value)
    store.close()
