"""Operators at a served gateway with the tokens of their organisation's identity provider."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gateway.app.serving.operators import Grant, new_token
from tests.fakes.homes import make_home
from tests.fakes.identity import AUDIENCE, CLIENT, Provider, providing
from tests.fakes.serving import Served, served

pytestmark = pytest.mark.xdist_group("served")
PLATFORMS = "/v1/admin/platforms"
RECORDS = "/v1/admin/records?platform=cn-420100/wuhan&day=2025-03-02"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as one:
        yield one


@pytest.fixture(scope="module")
def running(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANQIAO_OIDC_ISSUER", provider.issuer)
        patch.setenv("TANQIAO_OIDC_AUDIENCE", AUDIENCE)
        patch.setenv("TANQIAO_OIDC_CLIENT_ID", CLIENT)
        patch.setenv("TANQIAO_OIDC_PRIVATE", "allow")
        patch.setenv(
            "TANQIAO_OIDC_ROLES",
            "carbon-desk=coordinator; carbon-ops=operator;"
            " audit=auditor,cn-420100/wuhan,2025-03-01,2025-03-31,2099-12-31",
        )
        home: Path = make_home(tmp_path_factory.mktemp("served"), patch, profile="default")
        with served(home) as one:
            yield one


def ask(running: Served, target: str, token: str) -> httpx.Response:
    return httpx.get(running.url + target, headers={"authorization": f"Bearer {token}"}, timeout=30)


@pytest.mark.parametrize(
    ("role", "statuses"),
    [("carbon-desk", [200, 404]), ("carbon-ops", [200, 403]), ("audit", [403, 404]), ("x", [403, 403])],
)
def test_a_role_of_the_provider_is_a_role_here(
    running: Served, provider: Provider, role: str, statuses: list[int]
) -> None:
    token = provider.token(roles=[role])

    assert [ask(running, target, token).status_code for target in (PLATFORMS, RECORDS)] == statuses


def test_a_token_that_does_not_hold_is_refused_with_its_reason(running: Served, provider: Provider) -> None:
    answer = ask(running, PLATFORMS, provider.token(aud="https://other.example"))

    assert (answer.status_code, answer.json()["code"]) == (401, "token-refused")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "aud" in answer.json()["detail"]
    assert "identity provider" in answer.json()["remedy"]


def test_a_token_of_the_home_holds_beside_those_of_the_provider(running: Served) -> None:
    made = new_token(running.home, "operator", grant=Grant(), days=1)

    assert ask(running, PLATFORMS, str(made["token"])).status_code == 200


def test_nobody_s_name_is_logged(running: Served, provider: Provider) -> None:
    token = provider.token(name="张三", email="zhang.san@example.cn")
    ask(running, PLATFORMS, token)
    ask(running, PLATFORMS, provider.token(aud="zhang.san"))

    log = (running.home.parent / "served.log").read_text()
    named = [json.loads(line) for line in log.splitlines() if '"operator"' in line]
    assert any(line["operator"].startswith("coordinator ") for line in named)
    for private in ("zhang", "张三", token[:20]):
        assert private not in log


def test_many_tokens_of_unknown_keys_ask_the_provider_seldom(running: Served, provider: Provider) -> None:
    good = provider.token()
    head, body, signature = provider.headed(kid="unknown").split(".")
    before = provider.asked()

    with ThreadPoolExecutor(8) as pool:
        statuses = set(
            pool.map(lambda _: ask(running, PLATFORMS, f"{head}.{body}.{signature}").status_code, range(100))
        )

    assert statuses <= {401, 503}
    assert ask(running, PLATFORMS, good).status_code == 200
    assert provider.asked() - before <= 12  # every ten seconds, on a machine however slow


def test_while_the_provider_is_away_its_tokens_are_not_taken(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = provider.token()
    for name, value in {
        "TANQIAO_OIDC_ISSUER": "http://127.0.0.1:9/realms/none",
        "TANQIAO_OIDC_AUDIENCE": AUDIENCE,
        "TANQIAO_OIDC_PRIVATE": "allow",
        "TANQIAO_OIDC_ROLES": "carbon-desk=coordinator",
    }.items():
        monkeypatch.setenv(name, value)
    with served(make_home(tmp_path, monkeypatch, profile="default")) as one:
        answer = ask(one, PLATFORMS, good)
        made = new_token(one.home, "operator", grant=Grant(), days=1)

        assert (answer.status_code, answer.json()["code"]) == (503, "identity-unreachable")
        assert int(answer.headers["retry-after"]) > 0
        assert ask(one, PLATFORMS, str(made["token"])).status_code == 200
