"""A service that is told to stop loses nothing that it has acknowledged."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from gateway.client import GatewayClient
from gateway.errors import GatewayError
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.serving import PlatformSigner, enrolled, served

pytestmark = pytest.mark.xdist_group("served")
SENDERS = 3


class Sender(threading.Thread):
    """Submits acts one by one until nobody answers any more; keeps what was acknowledged."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__()
        self.statuses: list[int] = []
        self.acknowledged: list[str] = []
        self._first = first
        http = httpx.Client(
            timeout=60, event_hooks={"response": [lambda one: self.statuses.append(one.status_code)]}
        )
        self._client = GatewayClient(url=url, signer=PlatformSigner(1), http=http, pause=lambda _: None)

    def run(self) -> None:
        number = self._first
        try:
            while True:
                self.acknowledged.append(self._client.submit(WUHAN, [trip(number)], wait=0)["id"])
                number += 1
        except GatewayError:
            self._client.http.close()


def test_what_was_acknowledged_before_the_end_is_there_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(make_home(tmp_path, monkeypatch, profile="default"), workers=2) as running:
        enrolled(running)
        senders = [Sender(running.url, 10_000 * (number + 1)) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        while not all(sender.acknowledged for sender in senders):
            time.sleep(0.01)

        running.process.send_signal(signal.SIGTERM)
        ready = seen_while_stopping(running.url)
        assert running.process.wait(timeout=60) == 0
        for sender in senders:
            sender.join(60)

        assert 503 in ready
        assert {status for sender in senders for status in sender.statuses} == {202}
        running.restart()
        client = running.client(PlatformSigner(1))
        done = [client.finished(name) for sender in senders for name in sender.acknowledged]
        assert {one["outcomes"][0]["outcome"] for one in done} == {"accepted"}
        assert len(done) == len({one["outcomes"][0]["record"] for one in done})


def seen_while_stopping(url: str) -> list[int]:
    """Return what `/v1/ready` says until nobody answers."""
    seen: list[int] = []
    try:
        while True:
            seen.append(httpx.get(url + "/v1/ready").status_code)
            time.sleep(0.02)
    except httpx.TransportError:
        return seen


def test_an_interrupt_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANQIAO_DRAIN_SECONDS", "300")
    with served(make_home(tmp_path, monkeypatch, profile="default")) as running:
        running.process.send_signal(signal.SIGINT)
        for child in running.children():
            os.kill(child, signal.SIGINT)  # as a terminal sends it to all

        assert running.process.wait(timeout=60) == 0
