"""Both clients through a proxy that loses requests and answers: nothing is lost, nothing is done twice."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.app.records.check import trusting, verify_receipt
from gateway.app.serving.platforms import invite
from gateway.client import AsyncGatewayClient, GatewayClient, RequestFailed
from gateway.errors import Unreachable
from tests.fakes.faults import Fault, FaultyProxy, faulty
from tests.fakes.homes import WUHAN, rows_of, trip
from tests.fakes.serving import WUHAN_PLATFORM, PlatformSigner, Served, audited_once_free

pytestmark = pytest.mark.xdist_group("served")
FAULTS = [fault for fault in Fault if fault is not Fault.NONE]
SUBMISSIONS = 12


class Twin:
    """One client or the other, called alike: a call that is to be awaited runs to its end."""

    def __init__(self, client: GatewayClient | AsyncGatewayClient, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            made = getattr(self._client, name)(*given, **named)
            return self._runner.run(made) if inspect.iscoroutine(made) else made

        return call


async def _no_pause(seconds: float) -> None:
    assert seconds > 0


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def twin(kind: str) -> Iterator[Callable[..., Twin]]:
    """Give a maker of clients that do not wait between attempts, and close what it made."""
    with asyncio.Runner() as runner:
        made: list[GatewayClient | AsyncGatewayClient] = []

        def make(url: str, seed: int = 1) -> Twin:
            signer = PlatformSigner(seed)
            if kind == "sync":
                made.append(GatewayClient(url=url, signer=signer, pause=lambda _seconds: None))
            else:
                made.append(AsyncGatewayClient(url=url, signer=signer, pause=_no_pause))
            return Twin(made[-1], runner)

        yield make
        for client in made:
            if isinstance(client, AsyncGatewayClient):
                runner.run(client.http.aclose())
            else:
                client.http.close()


def plan(gaps: int) -> Iterator[Fault]:
    """Yield each fault, two of them at once, then some requests that pass."""
    return cycle(
        one
        for pair in zip(FAULTS, FAULTS[1:] + FAULTS[:1], strict=True)
        for one in (*pair, *[Fault.NONE] * gaps)
    )


def numbers(kind: str) -> int:
    return 10_000 if kind == "sync" else 20_000


@pytest.fixture
def enrolled_twice(running: Served, twin: Callable[..., Twin], kind: str) -> int:
    """Enrol a key through a proxy that loses the answers; returns the key's number."""
    seed = 40 if kind == "sync" else 41
    code = invite(running.home, WUHAN_PLATFORM)["code"]
    with faulty(running.url, [Fault.ANSWER, Fault.HALF]) as proxy:
        key = twin(proxy.url, seed).enrol(WUHAN_PLATFORM, code)
        assert proxy.happened == [Fault.ANSWER, Fault.HALF, Fault.NONE]
    assert key["id"] == PlatformSigner(seed).key_id
    return seed


def test_nothing_is_lost_and_nothing_counted_twice(
    running: Served, twin: Callable[..., Twin], kind: str, enrolled_twice: int, tmp_path: Path
) -> None:
    before = len(rows_of(running.home))
    first = numbers(kind)
    with faulty(running.url, plan(1)) as proxy:
        client = twin(proxy.url, enrolled_twice)
        for number in range(first, first + SUBMISSIONS * 2, 2):
            done = client.submit(WUHAN, [trip(number), trip(number + 1)])
            assert [one["outcome"] for one in done["outcomes"]] == ["accepted", "accepted"]
        lines = b"".join(orjson.dumps(trip(number)) + b"\n" for number in range(first + 100, first + 110))
        summary = client.finished(client.upload(WUHAN, "a.ndjson", content=lines)["id"])["summary"]
        receipt = tmp_path / "receipt.json"
        receipt.write_bytes(client.receipt(done["outcomes"][0]["record"], batch=done["outcomes"][0]["batch"]))

        assert set(FAULTS) <= set(proxy.happened)
    assert summary["accepted"] == 10
    assert verify_receipt(receipt, trusting(running.home / "trust"))["id"] == done["outcomes"][0]["record"]
    assert len(rows_of(running.home)) - before == SUBMISSIONS * 2 + 10


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gateway_that_never_answers_is_said_to_be_out_of_reach(
    running: Served, twin: Callable[..., Twin], fault: Fault
) -> None:
    with faulty(running.url, cycle([fault])) as proxy:
        with pytest.raises((Unreachable, RequestFailed)) as failed:
            twin(proxy.url).request("GET", "/v1/health")

        assert proxy.happened == [fault] * 5
    by_a_proxy = fault in (Fault.BUSY, Fault.LATE)
    assert isinstance(failed.value, RequestFailed) == by_a_proxy
    assert not by_a_proxy or failed.value.status in (503, 504)  # type: ignore[union-attr]  # the line before says which it is


def test_what_the_gateway_refuses_is_not_sent_again(running: Served, twin: Callable[..., Twin]) -> None:
    with faulty(running.url, []) as proxy:
        with pytest.raises(RequestFailed) as refused:
            twin(proxy.url, 99).request("GET", "/v1/operations")

        assert (refused.value.status, len(proxy.happened)) == (401, 1)


def test_one_client_serves_many_tasks_at_once(running: Served, enrolled_async: int) -> None:
    async def all_at_once(proxy: FaultyProxy) -> list[dict[str, Any]]:
        client = AsyncGatewayClient(url=proxy.url, signer=PlatformSigner(enrolled_async), pause=_no_pause)
        async with client:
            waiting: list[Coroutine[Any, Any, dict[str, Any]]] = [
                client.submit(WUHAN, [trip(number)]) for number in range(30_000, 30_020)
            ]
            return await asyncio.gather(*waiting)

    with faulty(running.url, islice(plan(4), 20)) as proxy:
        done = asyncio.run(all_at_once(proxy))

    outcomes = [outcome["outcome"] for one in done for outcome in one["outcomes"]]
    assert outcomes == ["accepted"] * 20
    assert len({one["id"] for one in done}) == 20


@pytest.fixture
def enrolled_async(running: Served) -> int:
    code = invite(running.home, WUHAN_PLATFORM)["code"]
    running.client(PlatformSigner(50)).enrol(WUHAN_PLATFORM, code)
    return 50


def test_the_home_passes_its_audit_after_all_that(running: Served) -> None:
    assert audited_once_free(running.home).differences == []
