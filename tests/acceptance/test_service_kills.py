"""Every process of the service is killed under load: what was acknowledged counts once, the rest is resent.

TANQIAO_TEST_KILLS says how many rounds of kills there are.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.app.log.verifying import verify_log
from gateway.client import GatewayClient, RequestFailed
from gateway.errors import Unreachable
from tests.fakes.homes import WUHAN, audited, make_home, trip
from tests.fakes.servers import PostgresServer, ValkeyServer, keep_in, postgres_server, valkey_server
from tests.fakes.serving import PlatformSigner, Served, enrolled, served

ROUNDS = int(os.environ.get("TANQIAO_TEST_KILLS", "1"))
SENDERS = 2
ACTS_EACH = 3
pytestmark = pytest.mark.xdist_group("served")


class Load:
    """Threads that submit acts under keys of their own and remember what was acknowledged."""

    def __init__(self, running: Served) -> None:
        self.running = running
        self.sent: dict[str, list[dict[str, str]]] = {}
        self.acknowledged: dict[str, str] = {}
        self._ended = threading.Event()
        self._numbers = iter(range(10**6))
        self._lock = threading.Lock()

    @contextmanager
    def sending(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _send(self) -> None:
        with GatewayClient(url=self.running.url, signer=PlatformSigner()) as client:
            while not self._ended.is_set():
                with self._lock:
                    numbers = [next(self._numbers) for _ in range(ACTS_EACH)]
                    key = f"k-{numbers[0]}"
                    self.sent[key] = [trip(number) for number in numbers]
                try:
                    self.acknowledged[key] = client.submit(WUHAN, self.sent[key], key=key, wait=0)["id"]
                except (RequestFailed, Unreachable):  # not acknowledged: it is sent again at the end
                    time.sleep(0.1)
                time.sleep(0.25)

    def wait_for(self, more: int, *, by: GatewayClient) -> None:
        """Wait until so many more are acknowledged and the newest is converted: everything works again."""
        goal = len(self.acknowledged) + more
        for _ in range(1200):
            if len(self.acknowledged) >= goal:
                by.finished(list(self.acknowledged.values())[-1], seconds=120)
                return
            time.sleep(0.05)
        raise AssertionError((self.running.home.parent / "served.log").read_text()[-8000:])


class Victims:
    """The processes of a service. The sequencer is started first; later it is the one that is no worker."""

    def __init__(self, running: Served) -> None:
        self._running = running
        _, *self.workers = sorted(running.children())

    def kill_sequencer(self) -> None:
        for process in set(self._running.children()) - set(self.workers):
            os.kill(process, signal.SIGKILL)
            self._wait_for_one_more(set(self.workers) | {process})

    def kill_worker(self) -> None:
        before = set(self._running.children())
        os.kill(self.workers[0], signal.SIGKILL)
        self.workers = [*self.workers[1:], self._wait_for_one_more(before)]

    def _wait_for_one_more(self, before: set[int]) -> int:
        for _ in range(1200):
            if new := set(self._running.children()) - before:
                return new.pop()
            time.sleep(0.05)
        raise AssertionError("what was killed is not started again")


@pytest.fixture
def stores() -> Iterator[tuple[PostgresServer, ValkeyServer]]:
    with postgres_server() as postgres, valkey_server() as valkey:
        yield postgres, valkey


def test_kills_under_load_lose_nothing_and_count_nothing_twice(
    stores: tuple[PostgresServer, ValkeyServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres, valkey = stores
    keep_in(monkeypatch, postgres, valkey)
    home = make_home(tmp_path, monkeypatch, profile="default")
    with served(home, workers=2) as running:
        wuhan = enrolled(running)
        victims, load = Victims(running), Load(running)

        def outage() -> None:
            time.sleep(2)
            assert httpx.get(running.url + "/v1/ready").status_code == 503

        kills: list[Callable[[], None]] = [
            victims.kill_worker, victims.kill_sequencer, valkey.kill, valkey.start,
            postgres.kill, outage, postgres.start,
        ]  # fmt: skip
        with load.sending():
            for kill in kills * ROUNDS:
                if kill not in (valkey.start, outage, postgres.start):
                    load.wait_for(5, by=wuhan)
                kill()
            load.wait_for(5, by=wuhan)

        assert len(load.acknowledged) >= 20 * ROUNDS
        results = {
            key: wuhan.finished(wuhan.submit(WUHAN, acts, key=key, wait=0)["id"])
            for key, acts in load.sent.items()
        }
    assert {key: results[key]["id"] for key in load.acknowledged} == load.acknowledged
    outcomes = [one for result in results.values() for one in result["outcomes"]]
    assert {one["outcome"] for one in outcomes} == {"accepted"}
    assert len({one["record"] for one in outcomes}) == ACTS_EACH * len(load.sent)
    verify_log(home / "log", home / "trust" / "policy")
    report = audited(home)
    assert report.differences == []
    assert dict(report.document()["checks"])["records"] == ACTS_EACH * len(load.sent)
