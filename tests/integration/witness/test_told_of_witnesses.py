"""A platform is told when its receipts are no longer pending: never before they are."""

import time
from pathlib import Path

import orjson
import pytest

from gateway.app.log.policy import set_quorum, trust_witness
from gateway.transparency import read_policy
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.receiving import receiving
from tests.fakes.serving import enrolled, served
from tests.fakes.witnesses import RunningWitness

pytestmark = pytest.mark.xdist_group("witnessed")


def test_a_platform_is_told_once_the_quorum_has_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_PRIVATE_WEBHOOKS", "allow")
    home = make_home(tmp_path, monkeypatch)
    late = RunningWitness(tmp_path, "late.example")
    late.follow(read_policy((home / "trust" / "policy").read_bytes()).logs[0].key)
    trust_witness(home, late.name, vkey=str(late.key), url=late.url)
    set_quorum(home, "all", names=[late.name])
    with served(home) as running, receiving() as receiver:
        client = enrolled(running)
        wanted = orjson.dumps({"url": receiver.url, "events": ["receipt.witnessed"]})
        headers = {"content-type": "application/json"}
        client.request("POST", "/v1/webhooks", content=wanted, headers=headers)
        done = client.submit(WUHAN, [trip(1), trip(2, trip_type="sledge")])
        refused = client.submit(WUHAN, [trip(3, trip_type="sledge")])
        receipt = f"/v1/receipts/{done['outcomes'][0]['record']}"
        time.sleep(1)  # as long as the courier needs to look twice

        before = client.request("GET", receipt).headers["Tanqiao-Witnessed"], list(receiver.arrived)
        late.start()
        try:
            (arrived,) = receiver.wait_for(1)
            after = client.request("GET", receipt).headers["Tanqiao-Witnessed"]
            again = client.submit(WUHAN, [trip(1)])
            receiver.wait_for(2)
        finally:
            late.stop()

    assert before == ("false", [])
    assert after == "true"
    told = [orjson.loads(one.content) for one in receiver.arrived]
    assert [(one["type"], one["data"]) for one in told] == [
        ("receipt.witnessed", {"operation": done["id"]}),
        ("receipt.witnessed", {"operation": again["id"]}),
    ]
    assert arrived.headers["webhook-id"] == f"receipt-witnessed-{done['id']}"
    assert refused["outcomes"][0]["outcome"] == "rejected"  # it has no receipts
