"""Everybody may read the mappings, try one on a sample, have a row explained and two versions compared."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from tests.fakes.homes import WUHAN, bytes_below, trip
from tests.fakes.serving import Served

pytestmark = pytest.mark.xdist_group("served")


def mappings(running: Served, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{running.url}/v1/mappings{query}").json()["mappings"]
    return found


def digest(running: Served, version: int, mapping: str = WUHAN) -> str:
    wanted = (mapping, version)
    return next(str(one["digest"]) for one in mappings(running) if (one["id"], one["version"]) == wanted)


def dry_run(running: Served, version: int, **sent: Any) -> httpx.Response:
    return httpx.post(f"{running.url}/v1/mappings/{digest(running, version)}/dry-run", **sent)


def test_mappings_are_listed_by_platform_behaviour_and_status(running: Served) -> None:
    every = mappings(running)
    wuhan = mappings(running, "?platform=cn-420100/wuhan")
    bikes = mappings(running, "?behaviour=TRV-BIKE&status=press")

    assert {one["platform"] for one in wuhan} == {"cn-420100/wuhan"}
    assert 0 < len(wuhan) < len(every)
    assert bikes == [one for one in every if "TRV-BIKE" in one["behaviours"] and one["status"] == "press"]
    assert 0 < len(bikes) < len(every)
    assert mappings(running, "?platform=cn-000000/none") == []


def test_a_mapping_is_the_bytes_of_its_digest(running: Served) -> None:
    one = httpx.get(f"{running.url}/v1/mappings/{digest(running, 2)}")
    again = httpx.get(str(one.url), headers={"if-none-match": one.headers["etag"]})

    assert "sha256:" + hashlib.sha256(one.content).hexdigest() == digest(running, 2)
    assert "immutable" in one.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")


def test_a_row_is_explained_in_two_languages(running: Served) -> None:
    address = f"{running.url}/v1/mappings/{digest(running, 2)}/explain"
    told = httpx.post(address, json=trip(1)).json()

    assert (told["outcome"], told["version"]) == ("counted", 2)
    assert any("10.574" in line["text"] for line in told["en"])
    assert [line["kind"] for line in told["en"]] == [line["kind"] for line in told["zh"]]
    assert any(told["co2e_mg"] in line["text"] for line in told["zh"] if line["kind"] == "result")
    for private in ("user-0001", "WH-000001"):
        assert private not in json.dumps(told)


def test_a_row_that_is_refused_is_explained_too(running: Served) -> None:
    address = f"{running.url}/v1/mappings/{digest(running, 2)}/explain"

    told = httpx.post(address, json=trip(1, trip_type="tram")).json()
    twice = httpx.post(address, content=b'{"trip_id": "a", "trip_id": "b"}').json()

    assert (told["outcome"], told["code"]) == ("rejected", "unknown-code")
    assert any(line["kind"] == "refusal" for line in told["en"])
    assert (twice["outcome"], twice["code"]) == ("rejected", "malformed-row")
    assert "en" not in twice


def test_a_row_of_a_table_is_an_object_of_columns(running: Served) -> None:
    one = next(one for one in mappings(running) if one["id"] == "cn-000000/meituan/cycling")
    address = f"{running.url}/v1/mappings/{one['digest']}/explain"

    assert httpx.post(address, json={"nothing": "x"}).json()["code"] == "missing-field"
    for content in (b"[1]", b"", b"1", b'{"a": "\xff"}'):
        answer = httpx.post(address, content=content)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-document")


def test_a_sample_is_tried_and_nothing_of_it_is_kept(running: Served) -> None:
    acts = [trip(7001), trip(7002, trip_type="tram"), trip(7003, start_time="2019-01-01T00:00:00+08:00")]

    tried = dry_run(running, 2, json={"acts": acts}).json()

    assert [one["row"] for one in tried["outcomes"]] == [1, 2, 3]
    assert [one["outcome"] for one in tried["outcomes"]] == ["counted", "rejected", "rejected"]
    assert [one.get("code") for one in tried["outcomes"][1:]] == ["unknown-code", "mapping-not-in-force"]
    assert (tried["counted"], tried["rejected"]) == (1, 2)
    assert not any(b"WH-007001" in data for data in bytes_below(running.home).values())


def test_a_sample_gives_what_the_gateway_counts(running: Served, wuhan: Any) -> None:
    (tried,) = dry_run(running, 2, json={"acts": [trip(7100)]}).json()["outcomes"]

    (counted,) = wuhan.submit(WUHAN, [trip(7100)])["outcomes"]
    record = wuhan.request("GET", f"/v1/records/{counted['record']}?batch={counted['batch']}").json()[
        "record"
    ]

    assert tried["co2e_mg"] in json.dumps(record)
    assert tried["outcome"] == "counted"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param({"json": {"acts": []}}, 422, "refused", id="none"),
        pytest.param({"json": {"acts": [{}] * 1001}}, 422, "refused", id="too many"),
        pytest.param({"json": {"acts": [{}], "mapping": WUHAN}}, 400, "malformed-document", id="mapping"),
        pytest.param({"content": b"{}", "headers": {"content-type": "text/csv"}}, 400, "usage", id="csv"),
        pytest.param({"json": {"acts": [{"x": "y" * (1 << 20)}]}}, 413, "too-large", id="too large"),
    ],
)
def test_a_sample_has_its_limits(running: Served, sent: dict[str, Any], status: int, code: str) -> None:
    answer = dry_run(running, 2, **sent)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_two_versions_are_compared_by_meaning(running: Served) -> None:
    address = f"{running.url}/v1/mappings/{digest(running, 1)}/diff/{digest(running, 2)}"

    dated = httpx.get(address + "?as_of=2024-08-01")
    again = httpx.get(str(dated.url), headers={"if-none-match": dated.headers["etag"]})
    today = httpx.get(address)

    assert dated.json()["retroactive"] == 0
    assert dated.json()["changes"]
    assert "immutable" in dated.headers["cache-control"]
    assert again.status_code == 304
    assert today.headers["cache-control"] == "no-cache"  # what is retroactive changes with the day
    assert today.json()["retroactive"] > 0


@pytest.mark.parametrize("tail", ["", "/diff/sha256:" + "0" * 64])
def test_a_mapping_that_is_not_there_is_not_found(running: Served, tail: str) -> None:
    known = digest(running, 1) if tail else "sha256:" + "0" * 64
    answer = httpx.get(f"{running.url}/v1/mappings/{known}{tail}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("day", ["x", "20240801", "2024-W31-4", "2024-02-30", ""])
def test_versions_are_compared_as_of_a_day_of_the_calendar(running: Served, day: str) -> None:
    address = f"{running.url}/v1/mappings/{digest(running, 1)}/diff/{digest(running, 2)}?as_of={day}"

    answer = httpx.get(address)

    assert (answer.status_code, answer.json()["code"]) == (400, "usage")
