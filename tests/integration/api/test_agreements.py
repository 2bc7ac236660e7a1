"""Agreements over HTTP: handed in by a platform, announced by the service, read by everybody."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.client import GatewayClient, RequestFailed
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.recognition import AGREEMENT_ZONE
from gateway.service.agreements.drafts import pause_body
from gateway.service.moments import instant_text
from tests.fakes.moving import agreement, signed
from tests.fakes.serving import PlatformSigner, Served, enrolled

pytestmark = pytest.mark.xdist_group("served")
WUHAN, SHENZHEN, XINING = "cn-420100/wuhan", "cn-440300/shenzhen", "cn-630100/xining"
KEYS = {WUHAN: PlatformSigner(51), SHENZHEN: PlatformSigner(52), XINING: PlatformSigner(53)}


@pytest.fixture(scope="module")
def cities(running: Served) -> dict[str, GatewayClient]:
    return {platform: enrolled(running, 51 + n, platform=platform) for n, platform in enumerate(KEYS)}


def between(**changes: Json) -> dict[str, Json]:
    """Write an agreement from Wuhan to Shenzhen that begins today."""
    made: dict[str, Json] = {
        "source": WUHAN,
        "destination": SHENZHEN,
        "behaviours": [{"behaviour": "TRV-METRO", "mapping": f"{SHENZHEN}/transport"}],
        "methodologies": [f"{WUHAN}/travel"],
        "valid": {"from": datetime.now(AGREEMENT_ZONE).date().isoformat()},
    }
    return agreement(**made | changes)


def send(client: GatewayClient, content: bytes) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    return client.request("POST", "/v1/agreements", content=content, headers=headers).json()


def entry(running: Served, name: str) -> dict[str, Any]:
    listed = httpx.get(f"{running.url}/v1/agreements", params={"source": WUHAN}).json()["agreements"]
    return next(one for one in listed if one["digest"] == name)


def announced(running: Served, name: str) -> dict[str, Any]:
    """Wait until a document stands in the log."""
    for _ in range(200):
        found = entry(running, name)
        if found["log_entry"] is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{name} is not announced")


def both(body: dict[str, Json]) -> bytes:
    return signed(body, KEYS[WUHAN], KEYS[SHENZHEN])


def test_an_agreement_is_handed_in_announced_and_read_by_everybody(
    running: Served, cities: dict[str, GatewayClient]
) -> None:
    data = both(between())
    kept = send(cities[WUHAN], data)

    assert (kept["kind"], kept["version"]) == ("agreement", 1)
    told = announced(running, kept["digest"])
    assert told["in_force"]
    answer = httpx.get(f"{running.url}/v1/agreements/{kept['digest']}")
    assert answer.content == data
    assert kept["digest"] == digest(canonical_bytes(answer.json()["body"]))
    assert "immutable" in answer.headers["cache-control"]
    again = httpx.get(str(answer.url), headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert send(cities[SHENZHEN], data) == told


def test_a_second_agreement_of_the_same_version_is_a_conflict(cities: dict[str, GatewayClient]) -> None:
    send(cities[WUHAN], both(between()))

    with pytest.raises(RequestFailed) as refused:
        send(cities[WUHAN], both(between(minimum_mg="2000")))

    assert (refused.value.status, refused.value.problem["code"]) == (409, "agreement-conflict")


def test_a_platform_hands_in_documents_of_its_own_corridors_only(cities: dict[str, GatewayClient]) -> None:
    with pytest.raises(RequestFailed) as refused:
        send(cities[XINING], both(between()))

    assert (refused.value.status, refused.value.problem["code"]) == (404, "not-found")


def test_one_signature_is_not_enough(cities: dict[str, GatewayClient]) -> None:
    with pytest.raises(RequestFailed) as refused:
        send(cities[WUHAN], signed(between(minimum_mg="3000"), KEYS[WUHAN]))

    assert (refused.value.status, refused.value.problem["code"]) == (422, "agreement-refused")


def test_a_pause_counts_at_once(running: Served, cities: dict[str, GatewayClient]) -> None:
    send(cities[WUHAN], both(between()))
    now = datetime.now(UTC)
    body = pause_body(
        (WUHAN, SHENZHEN), by=SHENZHEN, reason="review", until=instant_text(now + timedelta(days=1)), now=now
    )

    kept = send(cities[SHENZHEN], signed(body, KEYS[SHENZHEN]))

    assert (kept["kind"], kept["in_force"]) == ("pause", True)
    assert announced(running, kept["digest"])["in_force"]


def test_what_is_not_there_is_not_found(running: Served) -> None:
    assert httpx.get(f"{running.url}/v1/agreements/sha256:{'0' * 64}").status_code == 404
    assert httpx.get(f"{running.url}/v1/agreements", params={"source": XINING}).json() == {"agreements": []}
