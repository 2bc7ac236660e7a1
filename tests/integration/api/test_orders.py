"""A platform links accounts, withdraws records and finds its own by event; no identity stays anywhere."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.records.claims import word
from gateway.client import GatewayClient, RequestFailed
from gateway.ports import Link
from tests.fakes.homes import WUHAN, bytes_below, trip
from tests.fakes.serving import Served, audited_once_free, enrolled

IDENTITY = "110101199003071234"
pytestmark = pytest.mark.xdist_group("served")


@pytest.fixture(scope="module")
def shenzhen(running: Served) -> GatewayClient:
    return enrolled(running, 3, platform="cn-440300/shenzhen")


def order(
    client: GatewayClient, method: str, target: str, *, key: str, content: bytes = b"", wait: str = "wait=10"
) -> dict[str, Any]:
    headers = {"idempotency-key": key, "prefer": wait}
    if content:
        headers["content-type"] = "application/json"
    return client.request(method, target, content=content, headers=headers).json()


def link(client: GatewayClient, account: str, *, key: str, identity: str = IDENTITY) -> dict[str, Any]:
    sent = {"account": account, "identity": identity, "consent": "form 7 of 2026-11-20"}
    return order(client, "POST", "/v1/links", key=key, content=json.dumps(sent).encode())


def links_in(running: Served, *ids: str) -> dict[bytes, Link]:
    with open_home(running.home) as opened:
        return opened.journal.claims.links([bytes.fromhex(one) for one in ids])


def yesterday(number: int) -> dict[str, str]:
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    return trip(number, start_time=f"{day}T08:00:00+08:00")


def withdraw(client: GatewayClient, outcome: dict[str, Any], *, key: str) -> dict[str, Any]:
    content = b'{"batch": %d.0}' % outcome["batch"]  # as some languages write it
    return order(client, "POST", f"/v1/records/{outcome['record']}/withdrawal", key=key, content=content)


def test_accounts_of_one_identity_become_one_person(
    running: Served, wuhan: GatewayClient, shenzhen: GatewayClient
) -> None:
    one = link(wuhan, "acct-wh-0417", key="l-1")
    two = link(shenzhen, "acct-sz-0417", key="l-1", identity="  1101011990 0307 1234 ")

    assert [(done["state"], done["kind"]) for done in (one, two)] == [("done", "link")] * 2
    assert "mapping" not in one
    kept = list(links_in(running, one["result"]["link"], two["result"]["link"]).values())
    assert {found.platform for found in kept} == {"cn-420100/wuhan", "cn-440300/shenzhen"}
    assert len({found.person for found in kept}) == 1
    assert all(found.shared for found in kept)


def test_an_answer_does_not_tell_whether_the_person_is_known_elsewhere(
    wuhan: GatewayClient, shenzhen: GatewayClient
) -> None:
    link(shenzhen, "acct-sz-2", key="known", identity="KNOWN-ELSEWHERE-1")

    known = link(wuhan, "acct-wh-2", key="k-known", identity="KNOWN-ELSEWHERE-1")
    alone = link(wuhan, "acct-wh-3", key="k-alone", identity="KNOWN-NOWHERE-01")

    assert known["result"].keys() == alone["result"].keys() == {"link", "linked"}


def test_a_repeated_order_gets_the_first_answer_and_another_one_a_conflict(wuhan: GatewayClient) -> None:
    first = link(wuhan, "acct-wh-4", key="again", identity="REPEATED-0001")

    assert link(wuhan, "acct-wh-4", key="again", identity="repeated-0001") == first
    with pytest.raises(RequestFailed) as refused:
        link(wuhan, "acct-wh-4", key="again", identity="REPEATED-0002")
    assert refused.value.problem["code"] == "idempotency-conflict"


def test_an_account_of_another_person_is_refused(wuhan: GatewayClient) -> None:
    link(wuhan, "acct-wh-5", key="five", identity="PERSON-FIVE-1")

    done = link(wuhan, "acct-wh-5", key="six", identity="PERSON-SIX-01")

    assert (done["state"], done["problem"]["code"]) == ("failed", "account-linked")


def test_a_link_is_taken_away_by_its_platform_alone(
    running: Served, wuhan: GatewayClient, shenzhen: GatewayClient
) -> None:
    name = link(wuhan, "acct-wh-6", key="seven", identity="PERSON-SEVEN")["result"]["link"]

    with pytest.raises(RequestFailed) as refused:
        order(shenzhen, "DELETE", f"/v1/links/{name}", key="not-mine")
    assert (refused.value.status, refused.value.problem["code"]) == (404, "not-found")
    assert links_in(running, name)

    done = order(wuhan, "DELETE", f"/v1/links/{name}", key="mine")
    assert done["result"] == {"link": name, "linked": False}
    assert not links_in(running, name)
    assert order(wuhan, "DELETE", f"/v1/links/{name}", key="mine") == done
    for gone in (name, "ab", "zz"):
        with pytest.raises(RequestFailed) as refused:
            order(wuhan, "DELETE", f"/v1/links/{gone}", key="gone")
        assert refused.value.status == 404


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"account": "a", "identity": 110101199003079999, "consent": "c"}', id="a number"),
        pytest.param(b'{"account": "a", "identity": 110101199003079999.5, "consent": "c"}', id="a fraction"),
        pytest.param(b'{"account": "a", "110101199003079999": 1, "110101199003079999": 2}', id="a key"),
        pytest.param(b'{"account": "a", "identity": "110101199003079999"}', id="no consent"),
        pytest.param(b'{"account": "", "identity": "110101199003079999", "consent": "c"}', id="no account"),
        pytest.param(b'{"account": "a", "identity": "110101199003079999", "consent": ""}', id="empty"),
        pytest.param(b'{"account": "a", "identity": "99", "consent": "c"}', id="too short"),
        pytest.param(b'{"account": "a", "identity": "110101199003079999', id="cut"),
    ],
)
def test_a_refusal_quotes_nothing_of_the_content(wuhan: GatewayClient, content: bytes) -> None:
    with pytest.raises(RequestFailed) as refused:
        order(wuhan, "POST", "/v1/links", key="bad", content=content)

    assert refused.value.status == 400
    assert "99" not in json.dumps({**refused.value.problem, "request_id": ""})


def test_no_identity_and_no_account_stays_anywhere(running: Served, wuhan: GatewayClient) -> None:
    identity, account = "SEARCHED-110101199003075678", "acct-searched-0815"
    link(wuhan, account, key="searched", identity=identity)
    link(wuhan, account, key="searched-2", identity=identity + "9")  # refused: another person
    hashes = [hashlib.sha256(text.encode()) for text in (identity, account)]
    searched = [identity.encode(), account.encode(), *(one.digest() for one in hashes)]
    searched += [one.hexdigest().encode() for one in hashes]

    found = bytes_below(running.home.parent)  # the home, the checkpoint store, and what the service has said

    assert running.home.parent / "served.log" in found
    assert not [path for path, data in found.items() for text in searched if text in data]


def test_a_withdrawn_record_counts_no_longer(running: Served, wuhan: GatewayClient) -> None:
    (outcome,) = wuhan.submit(WUHAN, [yesterday(8001)])["outcomes"]

    done = withdraw(wuhan, outcome, key="w-1")

    assert (done["state"], done["kind"]) == ("done", "withdrawal")
    assert done["result"] == {"record": outcome["record"], "claim": "withdrawn"}
    assert word(running.home, outcome["record"]) == "withdrawn"
    size = log_size(running)
    assert withdraw(wuhan, outcome, key="w-1") == done
    assert withdraw(wuhan, outcome, key="w-2")["result"] == done["result"]
    assert log_size(running) == size  # reversed once


def log_size(running: Served) -> int:
    with open_home(running.home) as opened:
        return opened.log.size


def test_what_is_closed_or_not_ones_own_is_not_withdrawn(
    wuhan: GatewayClient, shenzhen: GatewayClient
) -> None:
    old, young = wuhan.submit(WUHAN, [trip(8100), yesterday(8101)])["outcomes"]

    done = withdraw(wuhan, old, key="w-old")

    assert (done["state"], done["problem"]["code"]) == ("failed", "claim-closed")
    for outcome in (young, young | {"record": "0" * 32}):
        with pytest.raises(RequestFailed) as refused:
            withdraw(shenzhen, outcome, key="w-other")
        assert (refused.value.status, refused.value.problem["code"]) == (404, "not-found")
    for content in (
        b"{}",
        b'{"batch": true}',
        b'{"batch": -1}',
        b'{"batch": 0.5}',
        b'{"batch": 0, "x": 1}',
        b"[]",
    ):
        with pytest.raises(RequestFailed) as refused:
            order(wuhan, "POST", f"/v1/records/{young['record']}/withdrawal", key="w-bad", content=content)
        assert refused.value.problem["code"] == "malformed-document"


def test_orders_wait_their_turn_as_submissions_do(wuhan: GatewayClient) -> None:
    (outcome,) = wuhan.submit(WUHAN, [yesterday(8200)])["outcomes"]
    content = json.dumps({"batch": outcome["batch"]}).encode()

    taken = order(
        wuhan, "POST", f"/v1/records/{outcome['record']}/withdrawal", key="turn", content=content, wait=""
    )

    assert wuhan.finished(taken["id"])["result"]["claim"] == "withdrawn"


def test_records_are_found_by_event_and_by_operation(wuhan: GatewayClient, shenzhen: GatewayClient) -> None:
    done = wuhan.submit(WUHAN, [trip(8300), trip(8301), trip(8300), trip(8302, trip_type="tram")])
    places = [{"id": one["record"], "batch": one["batch"]} for one in done["outcomes"][:2]]

    assert wuhan.request("GET", f"/v1/records?operation={done['id']}").json()["records"] == places
    assert wuhan.request("GET", "/v1/records?event=WH-008300").json()["records"] == places[:1]
    for client, query, code in (
        (wuhan, "event=WH-008302", "not-found"),
        (shenzhen, "event=WH-008300", "not-found"),
        (shenzhen, f"operation={done['id']}", "not-found"),
        (wuhan, "", "usage"),
        (wuhan, f"event=WH-008300&operation={done['id']}", "usage"),
    ):
        with pytest.raises(RequestFailed) as refused:
            client.request("GET", f"/v1/records?{query}")
        assert refused.value.problem["code"] == code


def test_a_home_with_orders_passes_its_audit(running: Served, wuhan: GatewayClient) -> None:
    link(wuhan, "acct-audit", key="audit", identity="PERSON-AUDIT")

    assert audited_once_free(running.home).differences == []
