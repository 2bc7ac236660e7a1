"""Operators, coordinators and auditors: by a token, within their role, within their grant."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from gateway.app.base.home import open_home
from gateway.app.records.check import trusting, verify_receipt
from gateway.app.serving.operators import Grant, new_token, revoke, tokens
from gateway.client import GatewayClient, RequestFailed
from gateway.errors import UsageError
from gateway.store.serving.lately import REMEMBERED_SECONDS
from tests.acceptance.commands import tanqiao
from tests.fakes.homes import WUHAN, trip
from tests.fakes.serving import WUHAN_PLATFORM, PlatformSigner, Served

pytestmark = pytest.mark.xdist_group("served")
SHENZHEN = "cn-440300/shenzhen"
DAY = "2025-03-02"  # of trip(1)
Asking = Callable[..., httpx.Response]
GRANTED = Grant(platform=WUHAN_PLATFORM, first_day="2025-03-01", last_day="2025-03-02")
NO_GRANT = Grant()
READS = [
    "/v1/admin/platforms",
    f"/v1/admin/operations?platform={WUHAN_PLATFORM}",
    f"/v1/admin/records?platform={WUHAN_PLATFORM}&day={DAY}",
]


@pytest.fixture(scope="module")
def kept(wuhan: GatewayClient) -> dict[str, Any]:
    """Submit three acts of three days."""
    return wuhan.submit(WUHAN, [trip(1), trip(2), trip(3)])


def asking(running: Served, role: str, grant: Grant = NO_GRANT) -> Asking:
    token = new_token(running.home, role, grant=grant, days=1)["token"]

    def ask(method: str, target: str, **sent: Any) -> httpx.Response:
        return httpx.request(
            method, running.url + target, headers={"authorization": f"Bearer {token}"}, **sent
        )

    return ask


@pytest.mark.parametrize(
    ("role", "statuses"),
    [("operator", [200, 403, 403]), ("coordinator", [200, 200, 200]), ("auditor", [403, 403, 200])],
)
def test_a_role_reads_what_is_its_own(
    running: Served, kept: dict[str, Any], role: str, statuses: list[int]
) -> None:
    ask = asking(running, role, GRANTED if role == "auditor" else Grant())

    answers = [ask("GET", target) for target in READS]

    assert kept["state"] == "done"
    assert [answer.status_code for answer in answers] == statuses
    assert {answer.json()["code"] for answer in answers if answer.status_code == 403} <= {"not-allowed"}


@pytest.mark.parametrize("role", ["coordinator", "auditor"])
def test_only_an_operator_changes_platforms(running: Served, role: str) -> None:
    ask = asking(running, role, GRANTED if role == "auditor" else Grant())
    place = f"/v1/admin/platforms/{WUHAN_PLATFORM}/suspension"

    for method, target, body in (
        ("POST", "/v1/admin/invitations", {"platform": SHENZHEN}),
        ("PUT", place, {"reason": "x"}),
        ("DELETE", place, None),
    ):
        assert ask(method, target, json=body).json()["code"] == "not-allowed"


def test_an_operator_admits_suspends_and_resumes_a_platform(running: Served) -> None:
    ask = asking(running, "operator")
    place = f"/v1/admin/platforms/{SHENZHEN}/suspension"

    made = ask("POST", "/v1/admin/invitations", json={"platform": SHENZHEN})
    shenzhen = running.client(PlatformSigner(7))
    key = shenzhen.enrol(SHENZHEN, made.json()["code"])["id"]
    suspended = ask("PUT", place, json={"reason": "keys lost"}).json()
    time.sleep(REMEMBERED_SECONDS)  # so long another worker may remember how it was
    with pytest.raises(RequestFailed) as refused:
        shenzhen.request("GET", "/v1/keys")
    resumed = ask("DELETE", place).json()
    time.sleep(REMEMBERED_SECONDS)

    assert made.status_code == 201
    assert (suspended["suspended"], suspended["keys"]) == ("keys lost", [key])
    assert refused.value.problem["code"] == "not-admitted"
    assert resumed["suspended"] == ""
    assert shenzhen.request("GET", "/v1/keys").status == 200
    assert ask("PUT", "/v1/admin/platforms/cn-1/none/suspension", json={"reason": "x"}).status_code == 404
    assert ask("PUT", place, json={"reason": " "}).status_code == 400
    assert ask("PUT", place, json={"reason": "x", "more": "y"}).status_code == 400


def test_an_auditor_gets_receipts_that_verify_offline(
    running: Served, kept: dict[str, Any], tmp_path: Path
) -> None:
    ask = asking(running, "auditor", GRANTED)

    lines = ask("GET", READS[2]).text.splitlines()
    receipt = tmp_path / "receipt.json"
    receipt.write_text(lines[1])
    record = verify_receipt(receipt, trusting(running.home / "trust"))

    assert json.loads(lines[0])["records"] == len(lines) - 1 == 1
    assert record["id"] == kept["outcomes"][0]["record"]
    assert "WH-000001" not in "".join(lines)


@pytest.mark.parametrize(
    "target",
    [
        f"/v1/admin/records?platform={WUHAN_PLATFORM}&day=2025-03-03",
        f"/v1/admin/records?platform={SHENZHEN}&day={DAY}",
        f"/v1/admin/records?platform={WUHAN_PLATFORM}&day=2025-02-28",
    ],
)
def test_an_auditor_finds_nothing_outside_of_its_grant(running: Served, target: str) -> None:
    answer = asking(running, "auditor", GRANTED)("GET", target)

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_day_without_records_is_not_found(running: Served) -> None:
    answer = asking(running, "coordinator")("GET", f"/v1/admin/records?platform={SHENZHEN}&day={DAY}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer tqo_" + "A" * 43,
        "Bearer tqo_" + "A" * 5000,
    ],
)
def test_what_is_no_token_is_refused(running: Served, authorization: str) -> None:
    for target in READS:
        answer = httpx.get(running.url + target, headers={"authorization": authorization})
        assert (answer.status_code, answer.json()["code"]) == (401, "token-refused")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_that_was_revoked_or_has_expired_is_refused(running: Served) -> None:
    made = [new_token(running.home, "operator", grant=Grant(), days=1) for _ in range(2)]
    revoke(running.home, str(made[0]["id"]))
    with open_home(running.home) as opened, opened.database.write() as connection:
        expired = {"then": "2026-01-01T00:00:00Z", "id": made[1]["id"]}
        connection.execute(text("UPDATE operators SET expires = :then WHERE id = :id"), expired)

    for one in made:
        headers = {"authorization": f"Bearer {one['token']}"}
        assert httpx.get(running.url + READS[0], headers=headers).status_code == 401


def test_a_platform_s_signature_is_no_token_and_a_token_no_signature(
    running: Served, wuhan: GatewayClient
) -> None:
    with pytest.raises(RequestFailed) as refused:
        wuhan.request("GET", READS[0])

    assert refused.value.problem["code"] == "token-refused"
    assert asking(running, "operator")("GET", "/v1/operations").json()["code"] == "request-not-signed"


def test_a_token_is_kept_as_a_hash_and_told_to_nobody(running: Served) -> None:
    made = new_token(running.home, "operator", grant=Grant(), days=1)
    secret = str(made["token"]).removeprefix("tqo_").encode()

    httpx.get(running.url + READS[0], headers={"authorization": f"Bearer {made['token']}"})

    assert made["id"] in {one["id"] for one in tokens(running.home)}
    for path in (*running.home.glob("tanqiao.db*"), running.home.parent / "served.log"):
        assert secret not in path.read_bytes()


@pytest.mark.parametrize(
    ("role", "grant", "days"),
    [
        ("admin", Grant(), 1),
        ("operator", Grant(), 0),
        ("operator", Grant(), 367),
        ("operator", GRANTED, 1),
        ("auditor", Grant(), 1),
        ("auditor", Grant(platform=WUHAN_PLATFORM, first_day="2025-03-02", last_day="2025-03-01"), 1),
        ("auditor", Grant(platform=WUHAN_PLATFORM, first_day="20250301", last_day="20250302"), 1),
        ("auditor", Grant(first_day="2025-03-01", last_day="2025-03-02"), 1),
    ],
)
def test_a_token_for_too_much_is_not_made(running: Served, role: str, grant: Grant, days: int) -> None:
    with pytest.raises(UsageError):
        new_token(running.home, role, grant=grant, days=days)


def test_tokens_are_made_listed_and_revoked_by_commands(running: Served) -> None:
    made = orjson.loads(
        tanqiao(
            "operator", "token", "--home", running.home, "--role", "auditor", "--platform", WUHAN_PLATFORM,
            "--from", "2025-03-01", "--to", "2025-03-02",
        ).stdout
    )  # fmt: skip
    ended = tanqiao("operator", "revoke", made["id"], "--home", running.home)
    listed = orjson.loads(tanqiao("operator", "list", "--home", running.home).stdout)

    assert made["token"].startswith("tqo_")
    assert ended.returncode == 0
    assert {one["id"]: one["revoked"] for one in listed}[made["id"]]
    assert made["token"] not in json.dumps(listed)
    assert tanqiao("operator", "revoke", "0" * 16, "--home", running.home).returncode == 3
