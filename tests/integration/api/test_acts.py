"""A platform submits acts over HTTP and gets records that anybody can verify."""

import gzip
import json
from pathlib import Path

import httpx
import orjson
import pytest

from gateway.app.records.check import trusting, verify_receipt
from gateway.app.records.convert import WORKERS_FROM_BYTES
from gateway.client import GatewayClient, RequestFailed
from tests.fakes.homes import WUHAN, trip
from tests.fakes.serving import Served, audited_once_free, enrolled

JSON = "application/json"
pytestmark = pytest.mark.xdist_group("served")


def test_each_row_learns_what_became_of_it(wuhan: GatewayClient) -> None:
    acts = [trip(1), trip(2), trip(1), trip(3, trip_type="tram"), trip(1, distance_km="3")]

    outcomes = wuhan.submit(WUHAN, acts)["outcomes"]

    assert [one["row"] for one in outcomes] == [1, 2, 3, 4, 5]
    assert [one["outcome"] for one in outcomes] == [
        "accepted", "accepted", "duplicate", "rejected", "rejected",
    ]  # fmt: skip
    assert outcomes[2]["record"] == outcomes[0]["record"] != outcomes[1]["record"]
    assert [one["code"] for one in outcomes[3:]] == ["unknown-code", "duplicate-event"]


def test_an_act_that_comes_again_names_the_first_record(wuhan: GatewayClient) -> None:
    (first,) = wuhan.submit(WUHAN, [trip(10)])["outcomes"]

    (again,) = wuhan.submit(WUHAN, [trip(10)])["outcomes"]

    assert (first["outcome"], again["outcome"]) == ("accepted", "duplicate")
    assert (again["record"], again["batch"]) == (first["record"], first["batch"])


def test_rows_may_be_ndjson(wuhan: GatewayClient) -> None:
    content = b"".join(orjson.dumps(trip(number)) + b"\n" for number in (20, 21)) + b"\n{not json}\n"
    headers = {"content-type": "application/x-ndjson", "idempotency-key": "nd", "prefer": "wait=10"}

    answer = wuhan.request("POST", f"/v1/acts?mapping={WUHAN}", content=content, headers=headers)

    assert answer.status == 200
    outcomes = answer.json()["outcomes"]
    assert [one["outcome"] for one in outcomes] == ["accepted", "accepted", "rejected"]
    assert outcomes[2]["code"] == "malformed-row"


def test_the_digits_of_a_number_come_through_as_they_were_written(wuhan: GatewayClient) -> None:
    """A JSON library would have made 1.10 to 1.1 and 1e1 to 10.0."""
    row = json.dumps(trip(30)).replace('"10.574"', "1.100")
    content = b'{"mapping": "%s", "acts": [\n  %s\n]}' % (WUHAN.encode(), row.encode())
    headers = {"content-type": "application/json", "idempotency-key": "digits", "prefer": "wait=10"}

    (outcome,) = wuhan.request("POST", "/v1/acts", content=content, headers=headers).json()["outcomes"]
    found = wuhan.request("GET", f"/v1/records/{outcome['record']}?batch={outcome['batch']}").json()

    assert found["record"]["inputs"]["distance"] == {"unit": "km", "value": "1.100"}


def test_a_repeated_request_gets_the_first_answer(wuhan: GatewayClient) -> None:
    first = wuhan.submit(WUHAN, [trip(40)], key="k-40")

    assert wuhan.submit(WUHAN, [trip(40)], key="k-40") == first


def test_a_key_that_comes_with_other_content_is_refused(wuhan: GatewayClient) -> None:
    wuhan.submit(WUHAN, [trip(41)], key="k-41")

    with pytest.raises(RequestFailed) as refused:
        wuhan.submit(WUHAN, [trip(42)], key="k-41")

    assert (refused.value.status, refused.value.problem["code"]) == (409, "idempotency-conflict")


def test_a_file_becomes_what_the_command_makes_of_it(wuhan: GatewayClient) -> None:
    lines = b"".join(orjson.dumps(trip(number)) + b"\n" for number in range(100, 150))

    sent = wuhan.upload(WUHAN, "trips.ndjson.gz", content=gzip.compress(lines + lines[:300]))
    done = wuhan.finished(sent["id"])

    assert done["state"] == "done"
    summary = done["summary"]
    assert summary["accepted"] == 50
    assert summary["rows"] == summary["accepted"] + summary["duplicates"] + sum(summary["rejected"].values())


def test_a_file_that_comes_again_stays_once(wuhan: GatewayClient, running: Served) -> None:
    content = orjson.dumps(trip(200)) + b"\n"
    first = wuhan.upload(WUHAN, "trips.ndjson", content=content, key="f-1")

    again = wuhan.upload(WUHAN, "trips.ndjson", content=content, key="f-1")
    with pytest.raises(RequestFailed) as refused:
        wuhan.upload(WUHAN, "trips.ndjson", content=content * 2, key="f-1")
    wuhan.finished(first["id"])

    assert again["id"] == first["id"]
    assert refused.value.problem["code"] == "idempotency-conflict"
    assert list((running.home / "spool").glob("*")) == []


def test_a_file_that_several_processes_convert(wuhan: GatewayClient) -> None:
    row = orjson.dumps(trip(0, user_id="u" * 400, note="n" * (WORKERS_FROM_BYTES // 8000)))
    rows = [row.replace(b"WH-000000", b"BIG-%07d" % number) for number in range(8000)]

    sent = wuhan.upload(WUHAN, "big.ndjson", content=b"\n".join(rows) + b"\n")

    assert wuhan.finished(sent["id"])["summary"]["accepted"] == 8000


def test_a_file_that_is_none_fails_as_a_whole(wuhan: GatewayClient) -> None:
    sent = wuhan.upload(WUHAN, "trips.ndjson.gz", content=gzip.compress(b"{}\n" * 5000)[:-20])

    done = wuhan.finished(sent["id"])

    assert (done["state"], done["problem"]["code"]) == ("failed", "malformed-document")
    assert done["problem"]["remedy"]


def test_a_receipt_verifies_offline(wuhan: GatewayClient, running: Served, tmp_path: Path) -> None:
    (outcome,) = wuhan.submit(WUHAN, [trip(60)])["outcomes"]
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(wuhan.receipt(outcome["record"], batch=outcome["batch"], disclose=["event"]))

    record = verify_receipt(receipt, trusting(running.home / "trust"))

    assert record["id"] == outcome["record"]


def test_nothing_of_a_row_stays_where_it_waited(wuhan: GatewayClient, running: Served) -> None:
    wuhan.submit(WUHAN, [trip(70)])

    assert list((running.home / "spool").glob("*")) == []


def test_another_platform_sees_nothing_of_it(wuhan: GatewayClient, running: Served) -> None:
    done = wuhan.submit(WUHAN, [trip(80)])
    (outcome,) = done["outcomes"]
    other = enrolled(running, 2, platform="cn-440300/shenzhen")

    for target in (
        f"/v1/operations/{done['id']}",
        f"/v1/records/{outcome['record']}",
        f"/v1/records/{outcome['record']}?batch={outcome['batch']}",
        f"/v1/receipts/{outcome['record']}?batch={outcome['batch']}",
    ):
        with pytest.raises(RequestFailed) as refused:
            other.request("GET", target)
        assert refused.value.problem["code"] == "not-found"
    with pytest.raises(RequestFailed) as refused:
        other.submit(WUHAN, [trip(81)])
    assert refused.value.problem["code"] == "not-found"
    assert other.request("GET", "/v1/operations").json()["operations"] == []


def test_operations_are_listed_page_by_page(wuhan: GatewayClient) -> None:
    made = [wuhan.submit(WUHAN, [trip(number)])["id"] for number in (90, 91, 92)]

    first = wuhan.request("GET", "/v1/operations?limit=2").json()
    second = wuhan.request("GET", f"/v1/operations?limit=2&cursor={first['next']}").json()

    assert [one["id"] for one in first["operations"]] == [made[2], made[1]]
    assert second["operations"][0]["id"] == made[0]


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        pytest.param(b"{", "application/json", "malformed-document", id="cut"),
        pytest.param(b'{"mapping": "m"}', "application/json", "malformed-document", id="no acts"),
        pytest.param(
            b'{"mapping": "m", "acts": [], "x": 1}', "application/json", "malformed-document", id="more"
        ),
        pytest.param(
            b'{"mapping": "%s", "acts": []}' % WUHAN.encode(), "application/json", "refused", id="none"
        ),
        pytest.param(b'{"mapping": "a/b/c", "acts": [{}]}', "application/json", "not-found", id="no mapping"),
        pytest.param(b"[" * 100_000, "application/json", "malformed-document", id="deep"),
        pytest.param(b"\xff\xfe", "application/json", "malformed-document", id="no text"),
        pytest.param(b"{}", "text/plain", "usage", id="another type"),
    ],
)
def test_what_is_no_submission_is_refused(wuhan: GatewayClient, content: bytes, kind: str, code: str) -> None:
    with pytest.raises(RequestFailed) as refused:
        wuhan.request(
            "POST", "/v1/acts", content=content, headers={"content-type": kind, "idempotency-key": "no"}
        )

    assert 400 <= refused.value.status < 500
    assert refused.value.problem["code"] == code
    assert refused.value.problem["request_id"]


def test_acts_in_json_name_their_mapping_themselves(wuhan: GatewayClient) -> None:
    with pytest.raises(RequestFailed) as refused:
        wuhan.request(
            "POST",
            f"/v1/acts?mapping={WUHAN}",
            content=orjson.dumps({"acts": [trip(94)]}),
            headers={"content-type": "application/json", "idempotency-key": "unnamed"},
        )

    assert (refused.value.status, refused.value.problem["code"]) == (400, "malformed-document")


def test_who_names_no_mapping_is_told_where_it_is_missed(wuhan: GatewayClient) -> None:
    told = []
    for kind, content in ((JSON, b'{"mapping": "", "acts": [{}]}'), ("application/x-ndjson", b"{}\n")):
        with pytest.raises(RequestFailed) as refused:
            wuhan.request(
                "POST", "/v1/acts", content=content, headers={"content-type": kind, "idempotency-key": "nil"}
            )
        told += [one["pointer"] for one in refused.value.problem["errors"]]

    assert told == ["/mapping", "/query/mapping"]


def test_the_log_is_what_a_web_server_would_serve(running: Served, wuhan: GatewayClient) -> None:
    wuhan.submit(WUHAN, [trip(95)])

    checkpoint = httpx.get(running.url + "/log/checkpoint")
    tile = httpx.get(running.url + "/log/tile/0/000.p/2")

    assert checkpoint.content == (running.home / "log" / "checkpoint").read_bytes()
    assert checkpoint.headers["cache-control"] == "no-cache"
    assert "immutable" in tile.headers["cache-control"]
    for path in ("tile/0/../../keys/log", "tile/0/%2e%2e/%2e%2e/checkpoint", "tile/0/000.p/0", "keys/log"):
        assert httpx.get(f"{running.url}/log/{path}").status_code == 404


def test_the_home_passes_its_audit(wuhan: GatewayClient, running: Served) -> None:
    wuhan.submit(WUHAN, [trip(99)])

    assert audited_once_free(running.home).differences == []
