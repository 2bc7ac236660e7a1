"""How many requests a platform may send: counted together while Valkey answers, alone without it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from redis import ConnectionPool

from gateway.store.serving.request_limits import RETRY_SECONDS, PlatformLimits
from tests.fakes.servers import ValkeyServer, valkey_server

pytestmark = pytest.mark.xdist_group("servers")


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@pytest.fixture
def workers(own_valkey: ValkeyServer, seconds: Seconds) -> Iterator[list[PlatformLimits]]:
    with ExitStack() as stack:
        pools = [ConnectionPool.from_url(own_valkey.url, socket_timeout=0.5) for _ in range(2)]
        for pool in pools:
            stack.callback(pool.disconnect)
        yield [PlatformLimits(6, pool=pool, prefix="test", seconds=seconds) for pool in pools]


def passed(limits: list[PlatformLimits], platform: str = "a", *, tries: int = 20) -> int:
    return sum(limits[number % len(limits)].wait(platform) == 0 for number in range(tries))


def test_a_platform_that_has_sent_enough_is_told_how_long_to_wait() -> None:
    limits = PlatformLimits(6)

    assert passed([limits]) == 6
    assert 1 <= limits.wait("a") <= 60
    assert limits.wait("another") == 0


def test_of_requests_that_come_together_as_many_pass_as_one_by_one() -> None:
    limits = PlatformLimits(6)

    assert limits.waits("a", 4) == [0] * 4
    together = limits.waits("a", 4)

    assert together[:2] == [0, 0]
    assert all(1 <= seconds <= 60 for seconds in together[2:])
    assert limits.wait("a") > 0


def test_workers_count_together(workers: list[PlatformLimits]) -> None:
    assert passed(workers) == 6
    assert 1 <= workers[0].wait("a") <= 60
    assert workers[1].wait("another") == 0


def test_without_valkey_each_worker_counts_for_itself_and_later_together_again(
    workers: list[PlatformLimits], own_valkey: ValkeyServer, seconds: Seconds
) -> None:
    own_valkey.kill()
    assert passed(workers) == 12, "two workers, six each"

    own_valkey.start()
    assert passed(workers) == 0, "Valkey is not asked again yet"
    seconds.now += RETRY_SECONDS

    assert passed(workers, "b") == 6
