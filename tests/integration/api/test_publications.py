"""Mappings over HTTP: handed in by platforms or a coordinator, signed one by one, used at once."""

import asyncio
import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app.base.home import open_home
from gateway.app.serving.operators import Grant, new_token
from gateway.client import AsyncGatewayClient, GatewayClient, RequestFailed
from gateway.model.canonical import canonical_bytes
from tests.acceptance.commands import tanqiao
from tests.fakes.homes import WUHAN, trip
from tests.fakes.publications import (
    LI,
    STRANGER,
    WANG,
    ZHAO,
    name_maintainers,
    named,
    signed_by,
    version_three,
)
from tests.fakes.serving import (
    WUHAN_PLATFORM,
    PlatformSigner,
    Served,
    audited_once_free,
    enrolled,
    enrolled_key,
)

pytestmark = pytest.mark.xdist_group("served")
THIRD = version_three()
DIGEST = named(THIRD)
NOWHERE = "/v1/mappings/sha256:" + "0" * 64


@pytest.fixture(scope="module", autouse=True)
def maintained(running: Served) -> None:
    name_maintainers(running.home)


@pytest.fixture(scope="module")
def coordinator(running: Served) -> str:
    return str(new_token(running.home, "coordinator", grant=Grant(), days=1)["token"])


@pytest.fixture
def third(running: Served, coordinator: str) -> None:
    """Have the third version published, whether or not it is."""
    client = running.client()
    client.publish_mapping(signed_by(THIRD, LI, ZHAO), token=coordinator)
    assert client.published(DIGEST)["state"] == "published"


def fourth(title: str) -> bytes:
    """Write a version that follows the third."""
    return version_three(title, version="4", supersedes="3", since="2025-03-12")


def get(running: Served, target: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(running.url + target).json()
    return found


def listed(running: Served) -> list[str]:
    return [one["digest"] for one in get(running, "/v1/mappings")["mappings"]]


def refused_by(client: GatewayClient, data: bytes, token: str = "") -> tuple[int, str]:
    with pytest.raises(RequestFailed) as refused:
        client.publish_mapping(data, token=token)
    assert refused.value.problem["remedy"]
    return refused.value.status, refused.value.problem["code"]


def test_a_version_is_signed_one_by_one_and_then_in_use_without_a_restart(
    running: Served, wuhan: GatewayClient, coordinator: str
) -> None:
    """The first signature comes by the platform, the second by a coordinator, by a token."""
    before = wuhan.submit(WUHAN, [trip(20)])["outcomes"]
    first = wuhan.publish_mapping(signed_by(THIRD, LI))

    assert (first["state"], first["required"]) == ("waiting", 2)
    assert (first["signatures"], first["missing"]) == ([LI.key_id], [WANG.key_id, ZHAO.key_id])
    assert wuhan.publish_mapping(signed_by(THIRD, LI)) == first
    assert get(running, f"/v1/mappings/{DIGEST}/publication") == first
    assert DIGEST not in listed(running)

    tried = httpx.post(f"{running.url}/v1/mappings/{DIGEST}/dry-run", json={"acts": [trip(20)]}).json()
    assert [one["points"] for one in tried["outcomes"]] == ["1658"]
    assert httpx.get(f"{running.url}/v1/mappings/{DIGEST}").content == THIRD
    assert wuhan.submit(WUHAN, [trip(48)])["outcomes"][0]["outcome"] == "accepted"

    sent = running.client().publish_mapping(signed_by(THIRD, ZHAO), token=coordinator)
    assert sent["state"] in ("signed", "published")
    done = wuhan.published(DIGEST)
    assert (done["state"], done["missing"], done["required"]) == ("published", [], None)
    assert wuhan.publish_mapping(signed_by(THIRD, LI)) == done
    assert DIGEST in listed(running)

    explained = httpx.post(f"{running.url}/v1/mappings/{DIGEST}/explain", json=trip(20)).json()
    assert explained["points"] == "1658"
    (after,) = wuhan.submit(WUHAN, [trip(76)])["outcomes"]
    assert points(wuhan, after) == 1658
    assert points(wuhan, before[0]) == 829
    assert audited_once_free(running.home).differences == []


def points(client: GatewayClient, outcome: dict[str, Any]) -> int:
    found = client.look_up(f"/v1/records/{outcome['record']}?batch={outcome['batch']}")
    return int(found["record"]["points"]["amount"])


@pytest.mark.usefixtures("third")
def test_what_stands_in_the_log_has_the_signatures(running: Served, wuhan: GatewayClient) -> None:
    published = get(running, f"/v1/mappings/{DIGEST}/publication")

    with open_home(running.home) as opened:
        body = json.loads(opened.journal.queued(published["log_entry"], 1)[0])["body"]
    assert body["mapping"] == {"id": WUHAN, "version": 3, "digest": DIGEST}
    assert {one["key"] for one in body["approvals"]} == {LI.key_id, ZHAO.key_id}
    assert refused_by(wuhan, signed_by(version_three("Another title"), LI, WANG)) == (409, "mapping-changed")


def altered() -> bytes:
    document = json.loads(signed_by(version_three("one"), LI))
    return canonical_bytes(document | {"document": version_three("two").decode()})


WRONG: dict[str, tuple[bytes, tuple[int, str]]] = {
    "no JSON": (b"x", (400, "malformed-document")),
    "a stranger's": (signed_by(version_three("a"), STRANGER), (422, "approval-refused")),
    "a platform's": (signed_by(version_three("a"), PlatformSigner(1)), (422, "approval-refused")),
    "another text": (altered(), (422, "approval-refused")),
    "another number": (signed_by(version_three("a"), LI, identity=(WUHAN, 4)), (422, "approval-refused")),
    "tests that fail": (
        signed_by(version_three(points="1", version="4"), LI, identity=(WUHAN, 4)),
        (422, "checks-failed"),
    ),
    "too large": (b'{"document":"' + b"x" * (1 << 20) + b'"}', (413, "too-large")),
}


@pytest.mark.parametrize(("data", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(wuhan: GatewayClient, data: bytes, told: tuple[int, str]) -> None:
    assert refused_by(wuhan, data) == told


@pytest.mark.usefixtures("third")
def test_who_may_hand_in(running: Served, coordinator: str) -> None:
    """A platform its own, a coordinator any; nobody else, whoever has signed."""
    own = signed_by(version_three("who", version="9"), LI, WANG, identity=(WUHAN, 9))
    shenzhen = enrolled(running, 61, platform="cn-440300/shenzhen")

    assert refused_by(shenzhen, own) == (404, "not-found")
    granted = Grant(platform="cn-420100/wuhan", first_day="2025-03-01", last_day="2025-03-02")
    for role, grant in (("operator", Grant()), ("auditor", granted)):
        token = str(new_token(running.home, role, grant=grant, days=1)["token"])
        assert refused_by(running.client(), own, token) == (403, "not-allowed")
    assert refused_by(running.client(), own, "tqo_" + "x" * 43) == (401, "token-refused")
    assert refused_by(running.client(), own) == (401, "request-not-signed")
    assert refused_by(running.client(), own, coordinator)[0] == 422  # it is no successor


@pytest.mark.usefixtures("third")
def test_the_command_hands_in_by_a_token_or_by_a_key(
    running: Served, coordinator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, text = tmp_path / "quzhou.key", fourth("By the command")
    enrolled_key(running, key, platform="cn-330800/quzhou")
    (tmp_path / "p.json").write_bytes(signed_by(text, LI, identity=(WUHAN, 4)) + b"\n")
    arguments = ("mapping", "publish", "--publication", tmp_path / "p.json", "--format", "json")

    by_another = tanqiao(*arguments, "--to", running.url, "--key", key)
    monkeypatch.setattr("sys.stdin", io.StringIO(coordinator + "\n"))
    by_token = tanqiao(*arguments, "--to", running.url)
    nowhere = tanqiao(*arguments)

    assert (by_another.returncode, "no such mapping" in by_another.stderr) == (4, True)
    assert (by_token.returncode, json.loads(by_token.stdout)["state"]) == (0, "waiting")
    assert f"1 of 2 have signed; missing: {WANG.key_id}, {ZHAO.key_id}" in by_token.stderr
    assert nowhere.returncode == 2


@pytest.mark.usefixtures("third")
def test_the_client_that_does_not_block_does_the_same(running: Served, coordinator: str) -> None:
    text = fourth("Without blocking")

    async def hand_in() -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
        async with AsyncGatewayClient(url=running.url) as client:
            await client.publish_mapping(signed_by(text, LI, identity=(WUHAN, 4)), token=coordinator)
            found = await client.published(named(text)), await client.waiting_mappings(token=coordinator)
            return *found, await client.withdraw_mapping(named(text), token=coordinator)

    kept, listed, gone = asyncio.run(hand_in())
    assert (kept["state"], listed[0], gone["state"]) == ("waiting", kept, "withdrawn")


def waiting(client: GatewayClient, token: str = "") -> list[str]:
    return [one["digest"] for one in client.waiting_mappings(token=token)]


@pytest.mark.usefixtures("third")
def test_what_waits_is_seen_by_its_platform_and_by_a_coordinator(
    running: Served, wuhan: GatewayClient, coordinator: str
) -> None:
    own, theirs = fourth("To be listed"), fourth("By the coordinator")
    shenzhen = enrolled(running, 62, platform="cn-440300/shenzhen")
    told = wuhan.publish_mapping(signed_by(own, LI, identity=(WUHAN, 4)))
    running.client().publish_mapping(signed_by(theirs, LI, identity=(WUHAN, 4)), token=coordinator)

    assert waiting(wuhan)[:2] == waiting(running.client(), coordinator)[:2] == [named(theirs), named(own)]
    assert wuhan.waiting_mappings()[1] == told
    assert (told["proposer"], wuhan.waiting_mappings()[0]["proposer"]) == (WUHAN_PLATFORM, None)
    assert told["missing"] == [WANG.key_id, ZHAO.key_id]
    assert waiting(shenzhen) == []
    assert DIGEST not in waiting(wuhan)
    first = wuhan.look_up("/v1/mappings/waiting?limit=1")
    assert [one["digest"] for one in first["publications"]] == [named(theirs)]
    second = wuhan.look_up(f"/v1/mappings/waiting?limit=1&cursor={first['next']}")
    assert [one["digest"] for one in second["publications"]] == [named(own)]
    beyond = wuhan.look_up("/v1/mappings/waiting?limit=1&cursor=fffffffffffffff")  # more than there can be
    assert beyond["publications"] == first["publications"]


@pytest.mark.usefixtures("third")
def test_only_who_proposed_a_version_takes_it_back(
    running: Served, wuhan: GatewayClient, coordinator: str
) -> None:
    text = fourth("To be withdrawn")
    shenzhen = enrolled(running, 63, platform="cn-440300/shenzhen")
    wuhan.publish_mapping(signed_by(text, LI, identity=(WUHAN, 4)))

    for client, token in ((shenzhen, ""), (running.client(), coordinator)):
        with pytest.raises(RequestFailed) as refused:
            client.withdraw_mapping(named(text), token=token)
        assert (refused.value.status, refused.value.problem["code"]) == (404, "not-found")
    gone = wuhan.withdraw_mapping(named(text))
    assert (gone["state"], gone["required"], gone["missing"]) == ("withdrawn", None, [])
    assert gone["withdrawn"]
    assert wuhan.withdraw_mapping(named(text)) == gone
    assert get(running, f"/v1/mappings/{named(text)}/publication") == gone
    assert named(text) not in waiting(wuhan)
    assert refused_by(wuhan, signed_by(text, WANG, identity=(WUHAN, 4))) == (409, "publication-withdrawn")
    with pytest.raises(RequestFailed) as late:
        running.client().withdraw_mapping(DIGEST, token=coordinator)
    assert late.value.status in (404, 409)  # whoever had it published first


def test_nobody_else_sees_or_takes_back_what_waits(running: Served) -> None:
    granted = Grant(platform=WUHAN_PLATFORM, first_day="2025-03-01", last_day="2025-03-02")
    for role, grant in (("operator", Grant()), ("auditor", granted)):
        token = str(new_token(running.home, role, grant=grant, days=1)["token"])
        for work in (
            partial(running.client().waiting_mappings, token=token),
            partial(running.client().withdraw_mapping, DIGEST, token=token),
        ):
            with pytest.raises(RequestFailed) as refused:
                work()
            assert refused.value.problem["code"] == "not-allowed"
    assert httpx.get(running.url + "/v1/mappings/waiting").status_code == 401
    assert httpx.delete(f"{running.url}/v1/mappings/{DIGEST}/publication").status_code == 401


@pytest.mark.usefixtures("third")
def test_the_commands_list_what_waits_and_take_it_back(
    running: Served, coordinator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = fourth("By the commands")
    running.client().publish_mapping(signed_by(text, LI, identity=(WUHAN, 4)), token=coordinator)

    monkeypatch.setattr("sys.stdin", io.StringIO(coordinator + "\n"))
    listed = tanqiao("mapping", "waiting", "--to", running.url, "--format", "json")
    monkeypatch.setattr("sys.stdin", io.StringIO(coordinator + "\n"))
    gone = tanqiao("mapping", "withdraw", named(text), "--to", running.url, "--format", "json")

    row = json.loads(listed.stdout)[0]
    assert (row["digest"], row["version"], row["required"]) == (named(text), 4, 2)
    assert (row["signatures"], row["missing"]) == ([LI.key_id], [WANG.key_id, ZHAO.key_id])
    assert (gone.returncode, json.loads(gone.stdout)["state"]) == (0, "withdrawn")


@pytest.mark.parametrize("target", [NOWHERE + "/publication", "/v1/mappings/x/publication"])
def test_what_nobody_has_handed_in_is_not_found(running: Served, target: str) -> None:
    assert httpx.get(running.url + target).status_code == 404
