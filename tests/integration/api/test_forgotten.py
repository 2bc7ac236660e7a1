"""What a platform submitted of a person is forgotten with the person, also where the service kept it."""

import json
import time
from typing import Any

import pytest

from gateway.app.records.erase import erase
from gateway.app.serving.serve import REASONS_SECONDS
from gateway.client import GatewayClient, RequestFailed
from tests.fakes.homes import WUHAN, trip
from tests.fakes.searching import found_in, spellings, spellings_of_bytes
from tests.fakes.serving import WUHAN_PLATFORM, Served, once_free

pytestmark = pytest.mark.xdist_group("served")
PERSON = "resident-of-the-lane-7"
TOLD = "by-the-north-gate-at-eight"


def test_why_a_row_was_refused_is_forgotten_with_its_person(wuhan: GatewayClient, running: Served) -> None:
    """The reason quotes the row, so it may say where somebody was."""
    bad = trip(700, user_id=PERSON, trip_type=TOLD)
    sent = wuhan.submit(WUHAN, [trip(701, user_id=PERSON), bad])
    assert TOLD in sent["outcomes"][1]["detail"]
    assert found_in(spellings(TOLD), running.home)

    once_free(lambda: erase(running.home, PERSON, platform=WUHAN_PLATFORM))

    assert found_in(spellings(TOLD) | spellings(PERSON), running.home) == []
    time.sleep(REASONS_SECONDS)  # so long a worker may remember what it has read
    outcome = wuhan.finished(sent["id"])["outcomes"][1]
    assert (outcome["code"], "detail" in outcome) == ("unknown-code", False)


def linked(client: GatewayClient, account: str, *, key: str) -> dict[str, Any]:
    sent = {"account": account, "identity": "FORGOTTEN-0001", "consent": "form 7"}
    headers = {"idempotency-key": key, "prefer": "wait=10", "content-type": "application/json"}
    content = json.dumps(sent).encode()
    done: dict[str, Any] = client.request("POST", "/v1/links", content=content, headers=headers).json()
    return done


@pytest.mark.parametrize("unlinked", [False, True])
def test_that_an_account_was_linked_is_forgotten_with_its_person(
    wuhan: GatewayClient, running: Served, unlinked: bool
) -> None:
    """The id of a link is the account's keyed name: it is not to outlast the person."""
    account = f"resident-who-was-linked-{unlinked}"
    done = linked(wuhan, account, key=f"linked-{unlinked}")
    name = done["result"]["link"]
    if unlinked:
        headers = {"idempotency-key": "gone", "prefer": "wait=10"}
        wuhan.request("DELETE", f"/v1/links/{name}", headers=headers)

    erased = once_free(lambda: erase(running.home, account, platform=WUHAN_PLATFORM))

    assert (erased.links, erased.orders) == ((0, 2) if unlinked else (1, 1))
    assert found_in(spellings(account) | spellings_of_bytes(bytes.fromhex(name)), running.home) == []
    assert wuhan.finished(done["id"])["result"] == {}
    with pytest.raises(RequestFailed) as refused:
        linked(wuhan, account, key=f"linked-{unlinked}")
    assert refused.value.problem["code"] == "idempotency-conflict"
