"""The signing side-car, and changes of keys; curl with openssl is tried with the how-to's own commands."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app.base.keys import new_key
from gateway.client import GatewayClient, RequestFailed
from gateway.store.files.keys import FileSigner
from tests.acceptance.commands import Done, tanqiao
from tests.fakes.homes import WUHAN, trip, write_trips
from tests.fakes.serving import WUHAN_PLATFORM, Served, enrolled_key
from tests.fakes.side_cars import signing_side_car

pytestmark = pytest.mark.xdist_group("served")


@pytest.fixture(scope="module")
def key(running: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make and enrol a platform's key."""
    return enrolled_key(running, tmp_path_factory.mktemp("keys") / "wuhan.key")


@pytest.fixture(scope="module")
def proxy(running: Served, key: Path) -> Iterator[str]:
    with signing_side_car(running.url, key) as url:
        yield url


def test_the_side_car_signs_for_clients_that_cannot(proxy: str) -> None:
    body = {"mapping": WUHAN, "acts": [trip(510), trip(511, trip_type="tram")]}
    headers = {"Idempotency-Key": "through-the-proxy", "Prefer": "wait=10"}

    answer = httpx.post(proxy + "/v1/acts", json=body, headers=headers)
    record = answer.json()["outcomes"][0]
    receipt = httpx.get(f"{proxy}/v1/receipts/{record['record']}", params={"batch": record["batch"]})

    assert [one["outcome"] for one in answer.json()["outcomes"]] == ["accepted", "rejected"]
    assert receipt.json()["record"]["id"] == record["record"]


def test_the_side_car_passes_refusals_on(proxy: str) -> None:
    answer = httpx.get(proxy + "/v1/operations/none")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_request_without_a_signature_is_refused(running: Served) -> None:
    answer = httpx.get(running.url + "/v1/operations")

    assert (answer.status_code, answer.json()["code"]) == (401, "request-not-signed")


def test_a_platform_reads_what_became_of_a_file_and_by_which_code_one_was_refused(
    running: Served, key: Path, tmp_path: Path
) -> None:
    file = write_trips(tmp_path / "trips.ndjson", [trip(520), trip(521, trip_type="tram")])
    new_key(tmp_path / "stranger.key", "http", name="")

    def submit(with_key: Path, mapping: str) -> Done:
        to = ("--to", running.url, "--key", with_key)
        return tanqiao("submit", file, *to, "--mapping", mapping, "--format", "table")

    done, stranger, unknown = (
        submit(key, WUHAN), submit(tmp_path / "stranger.key", WUHAN), submit(key, WUHAN + "s"),
    )  # fmt: skip

    shown = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert ["state", "done"] in shown
    assert ["rejected", "unknown-code 1"] in shown
    assert stranger.returncode == unknown.returncode == 4
    assert "HTTP 401 request-not-signed: " in stranger.stderr
    assert "HTTP 404 not-found: there is no such mapping here" in unknown.stderr


def test_a_platform_changes_its_keys(running: Served, key: Path, tmp_path: Path) -> None:
    old = running.client(FileSigner(key, "http"))
    new_key(tmp_path / "new.key", "http", name="")
    signer = FileSigner(tmp_path / "new.key", "http")
    new = running.client(signer)
    with pytest.raises(RequestFailed):
        new.request("GET", "/v1/keys")

    _add(old, signer, proof=signer.sign(b"tanqiao/key-of/1\x00" + WUHAN_PLATFORM.encode()))

    ids = [one["id"] for one in new.request("GET", "/v1/keys").json()["keys"]]
    assert ids[-1] == signer.key_id
    assert new.request("DELETE", f"/v1/keys/{signer.key_id}").json()["revoked"]
    with pytest.raises(RequestFailed) as refused:
        new.request("GET", "/v1/keys")
    assert refused.value.status == 401


def test_a_key_is_not_taken_without_proof_of_possession(running: Served, key: Path, tmp_path: Path) -> None:
    old = running.client(FileSigner(key, "http"))
    new_key(tmp_path / "new.key", "http", name="")
    signer = FileSigner(tmp_path / "new.key", "http")

    with pytest.raises(RequestFailed) as refused:
        _add(old, signer, proof=signer.sign(b"tanqiao/key-of/1\x00cn-440300/shenzhen"))

    assert refused.value.problem["code"] == "request-not-signed"


def _add(client: GatewayClient, signer: FileSigner, *, proof: bytes) -> None:
    body = {
        "public_key": base64.b64encode(signer.public).decode(),
        "proof": base64.b64encode(proof).decode(),
    }
    client.request(
        "POST", "/v1/keys", content=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
