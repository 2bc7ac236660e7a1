"""A platform is told what became of its submissions: signed, at least once, whatever is killed meanwhile."""

import base64
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.client import GatewayClient, RequestFailed
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.receiving import Arrived, Receiver, receiving
from tests.fakes.serving import Served, enrolled, kill_session, served

pytestmark = pytest.mark.xdist_group("webhooks")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANQIAO_PRIVATE_WEBHOOKS", "allow")
        home: Path = make_home(tmp_path_factory.mktemp("told"), patch, profile="default")
        with served(home) as one:
            yield one


@pytest.fixture(scope="module")
def wuhan(running: Served) -> GatewayClient:
    return enrolled(running)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture(autouse=True)
def forgotten(wuhan: GatewayClient) -> Iterator[None]:
    """Have no test's webhooks left for the next one."""
    yield
    for one in wuhan.request("GET", "/v1/webhooks").json()["webhooks"]:
        wuhan.request("DELETE", f"/v1/webhooks/{one['id']}")


def created(client: GatewayClient, url: str, *events: str) -> dict[str, Any]:
    wanted = {"url": url, "events": list(events) or ["operation.done", "operation.failed"]}
    return post(client, "/v1/webhooks", wanted)


def post(client: GatewayClient, target: str, document: object) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    return client.request("POST", target, content=orjson.dumps(document), headers=headers).json()


def delivery(client: GatewayClient, webhook: dict[str, Any], state: str) -> dict[str, Any]:
    """Return the newest delivery once it is in a state."""
    for _ in range(1000):
        beyond = "cursor=fffffffffffffff"  # more than there can be
        target = f"/v1/webhooks/{webhook['id']}/deliveries?{beyond}"
        found = client.request("GET", target).json()["deliveries"]
        if found and found[0]["state"] == state and (state != "waiting" or found[0]["attempts"]):
            return dict(found[0])
        time.sleep(0.02)
    raise AssertionError(found)


def test_a_finished_operation_is_told_with_its_id_alone(wuhan: GatewayClient, receiver: Receiver) -> None:
    webhook = created(wuhan, receiver.url)

    done = wuhan.submit(WUHAN, [trip(1)])

    (arrived,) = receiver.wait_for(1)
    told = orjson.loads(arrived.content)
    assert (told["type"], told["data"]) == ("operation.done", {"operation": done["id"]})
    assert set(told) == {"type", "timestamp", "data"}
    assert delivery(wuhan, webhook, "delivered")["event"] == arrived.headers["webhook-id"]


def test_receipts_are_told_of_at_once_where_nobody_is_asked_to_witness(
    wuhan: GatewayClient, receiver: Receiver
) -> None:
    created(wuhan, receiver.url, "receipt.witnessed")

    done = wuhan.submit(WUHAN, [trip(10)])

    (arrived,) = receiver.wait_for(1)
    told = orjson.loads(arrived.content)
    assert (told["type"], told["data"]) == ("receipt.witnessed", {"operation": done["id"]})


def test_signatures_verify_with_another_library_and_by_hand(wuhan: GatewayClient, receiver: Receiver) -> None:
    webhook = created(wuhan, receiver.url)
    wuhan.submit(WUHAN, [trip(2)])
    (arrived,) = receiver.wait_for(1)

    told = Webhook(webhook["secret"]).verify(arrived.content, arrived.headers)

    assert told["type"] == "operation.done"
    verify_by_hand(arrived, webhook["public_key"])
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook["secret"]).verify(arrived.content + b" ", arrived.headers)
    with pytest.raises(InvalidSignature):
        verify_by_hand(arrived._replace(content=arrived.content + b" "), webhook["public_key"])


def verify_by_hand(arrived: Arrived, public_key: str) -> None:
    (signature,) = (one for one in arrived.headers["webhook-signature"].split() if one.startswith("v1a,"))
    signed = f"{arrived.headers['webhook-id']}.{arrived.headers['webhook-timestamp']}.".encode()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    key.verify(base64.b64decode(signature.removeprefix("v1a,")), signed + arrived.content)


def test_a_failed_operation_is_told_to_whoever_asked_for_that(
    wuhan: GatewayClient, receiver: Receiver
) -> None:
    created(wuhan, receiver.url, "operation.failed")
    wuhan.submit(WUHAN, [trip(3)])

    sent = wuhan.upload(WUHAN, "trips.ndjson.gz", content=b"\x1f\x8b not gzip")
    wuhan.finished(sent["id"])

    (arrived,) = receiver.wait_for(1)
    assert orjson.loads(arrived.content)["data"] == {"operation": sent["id"]}
    assert orjson.loads(arrived.content)["type"] == "operation.failed"


def test_what_fails_is_visible_and_sent_again_with_the_same_id(wuhan: GatewayClient) -> None:
    with receiving(lambda before: 204 if before else 500) as receiver:
        webhook = created(wuhan, receiver.url)
        wuhan.submit(WUHAN, [trip(4)])

        waiting = delivery(wuhan, webhook, "waiting")
        failing = wuhan.request("GET", f"/v1/webhooks/{webhook['id']}").json()
        first, second = receiver.wait_for(2)
        done = delivery(wuhan, webhook, "delivered")

    assert (waiting["attempts"], waiting["status"], waiting["detail"]) == (1, 500, "HTTP 500")
    assert waiting["next"] > waiting["created"]
    assert failing["failing"] >= waiting["created"]
    assert "disabled" not in failing
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert done["attempts"] == 2
    assert "failing" not in wuhan.request("GET", f"/v1/webhooks/{webhook['id']}").json()


def test_an_endpoint_that_is_gone_is_disabled(wuhan: GatewayClient) -> None:
    with receiving(lambda _: 410) as receiver:
        webhook = created(wuhan, receiver.url)
        wuhan.submit(WUHAN, [trip(5)])
        event = delivery(wuhan, webhook, "failed")["event"]
        wuhan.submit(WUHAN, [trip(6)])

        with pytest.raises(RequestFailed) as refused:
            post(wuhan, f"/v1/webhooks/{webhook['id']}/replay", {"event": event})

    assert refused.value.problem["code"] == "webhook-disabled"
    assert "410" in wuhan.request("GET", f"/v1/webhooks/{webhook['id']}").json()["disabled"]
    assert len(receiver.arrived) == 1


def test_an_event_can_be_replayed_also_to_a_new_endpoint(wuhan: GatewayClient, receiver: Receiver) -> None:
    webhook = created(wuhan, receiver.url)
    wuhan.submit(WUHAN, [trip(7)])
    event = delivery(wuhan, webhook, "delivered")["event"]
    with receiving() as other:
        later = created(wuhan, other.url)

        post(wuhan, f"/v1/webhooks/{webhook['id']}/replay", {"event": event})
        post(wuhan, f"/v1/webhooks/{later['id']}/replay", {"event": event})
        (arrived,) = other.wait_for(1)

    again = receiver.wait_for(2)[1]
    assert again.headers["webhook-id"] == arrived.headers["webhook-id"] == event
    with pytest.raises(RequestFailed, match="no event") as refused:
        post(wuhan, f"/v1/webhooks/{webhook['id']}/replay", {"event": "operation-done-0"})
    assert refused.value.status == 404


def test_redirects_are_not_followed(wuhan: GatewayClient, receiver: Receiver) -> None:
    with receiving(lambda _: 307, extra={"Location": receiver.url}) as redirecting:
        webhook = created(wuhan, redirecting.url)
        wuhan.submit(WUHAN, [trip(8)])

        waiting = delivery(wuhan, webhook, "waiting")

    assert waiting["status"] == 307
    assert not receiver.arrived


def test_an_endpoint_that_never_answers_delays_no_other(wuhan: GatewayClient, receiver: Receiver) -> None:
    hanging = threading.Event()

    def hang(_: int) -> int:
        hanging.wait(60)
        return 204

    with receiving(hang) as silent:
        created(wuhan, silent.url)
        created(wuhan, receiver.url)

        for number in range(20, 32):
            wuhan.submit(WUHAN, [trip(number)])
        receiver.wait_for(12)
        held = len(silent.arrived)
        hanging.set()

    assert held <= 8


def test_secrets_are_shown_once_and_webhooks_are_nobody_elses(
    wuhan: GatewayClient, running: Served, receiver: Receiver
) -> None:
    webhook = created(wuhan, receiver.url)
    other = enrolled(running, 2, platform="cn-440300/shenzhen")

    (listed,) = wuhan.request("GET", "/v1/webhooks").json()["webhooks"]

    assert "secret" not in listed
    assert listed == {name: value for name, value in webhook.items() if name != "secret"}
    assert other.request("GET", "/v1/webhooks").json() == {"webhooks": []}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries")):
        with pytest.raises(RequestFailed) as refused:
            other.request(method, f"/v1/webhooks/{webhook['id']}{path}")
        assert refused.value.status == 404


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"url": "ftp://example.com/", "events": ["operation.done"]}, "address-refused"),
        ({"url": "http://169.254.169.254/latest", "events": ["operation.done"]}, "address-refused"),
        ({"url": "http://127.0.0.1/", "events": ["operation.began"]}, "malformed-document"),
        ({"url": "http://127.0.0.1/", "events": []}, "malformed-document"),
        ({"url": "https://city.example/\u0000", "events": ["operation.done"]}, "profile-broken"),
        ({"url": "https://city.example/碳", "events": ["operation.done"]}, "malformed-document"),
        ({"url": "http://127.0.0.1/"}, "malformed-document"),
        ({"url": "http://127.0.0.1/", "events": ["operation.done"], "secret": "x"}, "malformed-document"),
    ],
)
def test_what_is_no_webhook_is_refused(wuhan: GatewayClient, document: object, code: str) -> None:
    with pytest.raises(RequestFailed) as refused:
        post(wuhan, "/v1/webhooks", document)

    assert refused.value.problem["code"] == code


def test_a_platform_has_a_bounded_number_of_webhooks(wuhan: GatewayClient, receiver: Receiver) -> None:
    for _ in range(10):
        created(wuhan, receiver.url)

    with pytest.raises(RequestFailed) as refused:
        created(wuhan, receiver.url)

    assert refused.value.problem["code"] == "too-many-webhooks"


def test_a_courier_killed_after_sending_sends_again_with_the_same_id(
    wuhan: GatewayClient, running: Served
) -> None:
    """Everything is killed while the endpoint has the event and has not answered: nothing was noted down."""
    hanging = threading.Event()

    def hang_once(before: int) -> int:
        if not before:
            hanging.wait(60)
        return 204

    with receiving(hang_once) as receiver:
        webhook = created(wuhan, receiver.url)
        wuhan.submit(WUHAN, [trip(9)])
        receiver.wait_for(1)
        for child in running.children():
            os.kill(child, signal.SIGKILL)
        kill_session(running.process)
        hanging.set()
        running.restart()

        first, second = receiver.wait_for(2)[:2]
        done = delivery(wuhan, webhook, "delivered")

    assert first.headers["webhook-id"] == second.headers["webhook-id"] == done["event"]
    assert first.content == second.content
    assert done["attempts"] == 1
