"""A nonce is accepted once, whatever becomes of Valkey: killed, emptied, back again, gone for one worker."""

import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.ports import NonceUse, SignedNonce
from gateway.store.serving import nonces as module
from gateway.store.serving.nonces import ALLOWANCE, SharedNonces
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import postgres_url
from gateway.store.sql.group_commit import GroupCommit
from tests.fakes.servers import PostgresServer, ValkeyServer, valkey_server

SECONDS = float(os.environ.get("TANQIAO_TEST_NONCE_SECONDS", "6"))
LIFETIME = timedelta(minutes=5)
pytestmark = pytest.mark.xdist_group("servers")


class Now:
    """A clock that the test moves, or the machine's."""

    def __init__(self, *, runs: bool = False) -> None:
        self._moment = None if runs else datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return (self._moment or datetime.now(UTC)).replace(microsecond=0)

    def forward(self, seconds: int) -> None:
        assert self._moment is not None
        self._moment += timedelta(seconds=seconds)


class Worker:
    """What one process of the service has: its own connections to the database and to Valkey."""

    def __init__(self, database: Database, redis: Redis | None, *, clock: Now, stack: ExitStack) -> None:
        self._clock = clock
        writes = stack.enter_context(GroupCommit(database))
        self._nonces = SharedNonces(database, writes, clock=clock, redis=redis, prefix="test")

    def use(self, nonce: str, *, created: datetime | None = None) -> NonceUse:
        now = self._clock.now()
        signed = created or now
        (used,) = self._nonces.use([SignedNonce("key", nonce, signed, signed + LIFETIME)], now=now)
        return used

    def use_all(self, some: list[tuple[str, datetime]]) -> list[NonceUse]:
        signed = [SignedNonce("key", nonce, created, created + LIFETIME) for nonce, created in some]
        return self._nonces.use(signed, now=self._clock.now())


Make = Callable[..., Worker]


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Database]:
    if request.param == "SQLite":
        return lambda: Database(tmp_path / "a.db")
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres_url(postgres.database(), setting="test")
    return lambda: Database(url, folder=tmp_path)


@contextmanager
def workers(open_database: Callable[[], Database], clock: Now) -> Iterator[Make]:
    with ExitStack() as stack:

        def make(valkey: ValkeyServer | None) -> Worker:
            redis = None
            if valkey is not None:
                redis = Redis.from_url(valkey.url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
                stack.callback(redis.close)
            database = open_database()
            stack.callback(database.close)
            return Worker(database, redis, clock=clock, stack=stack)

        yield make


@pytest.fixture
def clock() -> Now:
    return Now()


@pytest.fixture
def make(open_database: Callable[[], Database], clock: Now) -> Iterator[Make]:
    with workers(open_database, clock) as making:
        yield making


def settled(worker: Worker, clock: Now, valkey: ValkeyServer) -> None:
    """Have Valkey put in charge, and the time pass in which both stores are asked."""
    clock.forward(10)
    worker.use(secrets.token_hex())
    clock.forward(ALLOWANCE + 2)
    before = len(valkey.client.keys("*nonce*"))
    assert worker.use(secrets.token_hex()) is NonceUse.FRESH
    assert len(valkey.client.keys("*nonce*")) == before + 1, "Valkey is not in charge"


def test_a_nonce_is_new_once_for_all_workers(make: Make, clock: Now, own_valkey: ValkeyServer) -> None:
    one, other = make(own_valkey), make(own_valkey)
    settled(one, clock, own_valkey)

    assert [one.use("a"), other.use("a"), one.use("a"), other.use("b")] == [
        NonceUse.FRESH, NonceUse.USED, NonceUse.USED, NonceUse.FRESH,
    ]  # fmt: skip


@pytest.mark.parametrize("with_valkey", [True, False])
def test_of_what_arrives_together_each_is_new_once(
    make: Make, clock: Now, own_valkey: ValkeyServer, with_valkey: bool
) -> None:
    one, other = (make(own_valkey if with_valkey else None) for _ in range(2))
    if with_valkey:
        settled(one, clock, own_valkey)
    fresh, used, now = NonceUse.FRESH, NonceUse.USED, clock.now()

    assert one.use_all([("a", now), ("b", now), ("a", now)]) == [fresh, fresh, used]
    assert other.use_all([("c", now), ("b", now), ("d", now), ("c", now)]) == [fresh, used, fresh, used]


def test_of_what_arrives_together_each_is_judged_by_its_own_time(
    make: Make, clock: Now, own_valkey: ValkeyServer
) -> None:
    """After an outage what was signed before is refused, beside what was signed since."""
    one = make(own_valkey)
    settled(one, clock, own_valkey)
    before = clock.now()
    own_valkey.kill()
    one.use("x")
    clock.forward(ALLOWANCE + 2)
    now = clock.now()

    found = one.use_all([("a", before), ("b", now), ("c", before), ("b", now)])

    assert found == [NonceUse.UNKNOWN, NonceUse.FRESH, NonceUse.UNKNOWN, NonceUse.USED]


def test_what_was_used_before_an_outage_is_never_accepted_again(
    make: Make, clock: Now, own_valkey: ValkeyServer
) -> None:
    one, other = make(own_valkey), make(own_valkey)
    settled(one, clock, own_valkey)
    signed = clock.now()
    assert one.use("a") is NonceUse.FRESH

    own_valkey.kill()

    assert other.use("a", created=signed) is NonceUse.UNKNOWN
    assert one.use("a", created=signed) is NonceUse.UNKNOWN
    assert one.use("never-used", created=signed) is NonceUse.UNKNOWN
    clock.forward(ALLOWANCE + 2)
    assert [one.use("b"), other.use("b")] == [NonceUse.FRESH, NonceUse.USED]
    own_valkey.start()
    clock.forward(10)
    assert one.use("a", created=signed) is not NonceUse.FRESH
    assert other.use("a", created=signed) is not NonceUse.FRESH


def test_what_was_used_in_an_outage_is_not_accepted_once_valkey_is_back(
    make: Make, clock: Now, own_valkey: ValkeyServer
) -> None:
    one, other = make(own_valkey), make(own_valkey)
    settled(one, clock, own_valkey)
    own_valkey.kill()
    one.use("x")
    clock.forward(ALLOWANCE + 2)
    signed = clock.now()
    assert one.use("in the outage") is NonceUse.FRESH

    own_valkey.start()
    settled(one, clock, own_valkey)

    assert one.use("in the outage", created=signed) is NonceUse.USED
    assert other.use("in the outage", created=signed) is NonceUse.USED


def test_a_request_from_a_clock_ahead_is_remembered_in_both(
    make: Make, clock: Now, own_valkey: ValkeyServer
) -> None:
    """Its date lies after the one on which Valkey is left, so that the floor would not hold it back."""
    one = make(own_valkey)
    settled(one, clock, own_valkey)
    ahead = clock.now() + timedelta(seconds=25)
    assert one.use("ahead", created=ahead) is NonceUse.FRESH

    own_valkey.kill()
    one.use("x")
    clock.forward(ALLOWANCE + 2)

    assert one.use("ahead", created=ahead) is NonceUse.USED


@pytest.mark.parametrize("how", ["emptied", "restarted"])
def test_a_valkey_that_lost_its_keys_is_left_though_it_answers(
    make: Make, clock: Now, own_valkey: ValkeyServer, how: str
) -> None:
    one = make(own_valkey)
    settled(one, clock, own_valkey)
    signed = clock.now()
    assert one.use("a") is NonceUse.FRESH

    if how == "emptied":
        own_valkey.client.flushall()
    else:
        marker = own_valkey.client.keys("*marker")[0]
        own_valkey.kill()
        own_valkey.start()
        own_valkey.client.set(marker, "1")  # as if it had read an older snapshot

    assert one.use("a", created=signed) is NonceUse.UNKNOWN


def test_a_worker_without_valkey_makes_all_use_the_database(
    make: Make, clock: Now, own_valkey: ValkeyServer
) -> None:
    one, without = make(own_valkey), make(None)
    settled(one, clock, own_valkey)
    signed = clock.now()
    assert one.use("a") is NonceUse.FRESH

    assert without.use("a", created=signed) is NonceUse.UNKNOWN
    clock.forward(ALLOWANCE + 2)
    assert [without.use("b"), one.use("b")] == [NonceUse.FRESH, NonceUse.USED]


def test_a_valkey_that_evicts_keys_is_not_relied_on(make: Make, clock: Now) -> None:
    with valkey_server(policy="allkeys-lru") as evicting:
        evicting.client.config_set("maxmemory", "100mb")
        one = make(evicting)
        clock.forward(10)

        assert one.use("a") is NonceUse.FRESH
        assert evicting.client.keys("*") == []


def test_replays_under_load_are_never_accepted_while_valkey_is_killed(
    open_database: Callable[[], Database], own_valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request goes to several workers at several moments; Valkey is killed and started meanwhile."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 1)
    accepted: Counter[str] = Counter()
    seen: Counter[NonceUse] = Counter()
    ended = time.monotonic() + SECONDS
    with workers(open_database, Now(runs=True)) as make:
        all_workers = [make(own_valkey) for _ in range(3)]

        def attack(seed: int) -> None:
            random = Random(seed)
            kept: list[tuple[str, datetime]] = []
            while time.monotonic() < ended:
                if not kept or random.random() < 0.4:
                    skew = random.choice((-60, -3, -2, -1, 0, 0, 0, 1, 2, 20))
                    created = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=skew)
                    kept.append((f"{seed}-{len(kept)}", created))
                some = random.choices(kept[-random.choice((20, 2000)) :], k=random.choice((1, 1, 4)))
                found = random.choice(all_workers).use_all(some)
                seen.update(found)
                accepted.update(
                    nonce for (nonce, _), use in zip(some, found, strict=True) if use is NonceUse.FRESH
                )

        threads = [threading.Thread(target=attack, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        while time.monotonic() < ended - 1.5:
            time.sleep(SECONDS / 5)
            own_valkey.kill()
            time.sleep(SECONDS / 10)
            own_valkey.start()
        for thread in threads:
            thread.join()

    assert max(accepted.values()) == 1
    assert min(seen[use] for use in NonceUse) > 0, "the test did not reach all of it"
