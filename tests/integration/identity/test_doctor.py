"""`doctor` asks the operators' identity provider as the service will: it is there, by its name, with keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.doctor import Finding, doctor
from tests.fakes.homes import make_home
from tests.fakes.identity import AUDIENCE, Provider, providing, rsa_key


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as one:
        yield one


@pytest.fixture
def home(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANQIAO_OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("TANQIAO_OIDC_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("TANQIAO_OIDC_PRIVATE", "allow")
    monkeypatch.setenv("TANQIAO_OIDC_ROLES", "carbon-desk=coordinator")
    return make_home(tmp_path, monkeypatch, profile="default")


def found(home: Path) -> Finding:
    (finding,) = [one for one in doctor(home) if one.check == "identity provider"]
    return finding


def test_a_provider_that_answers_by_its_name_is_sound(home: Path, provider: Provider) -> None:
    finding = found(home)

    assert (finding.state, finding.remedy) == ("ok", "")
    assert provider.issuer in finding.found
    assert finding.found.endswith(": 2")


def test_a_home_without_a_provider_needs_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANQIAO_OIDC_ISSUER")

    assert found(home).state == "ok"


@pytest.mark.parametrize(
    ("tail", "told", "remedy"),
    [
        pytest.param("/", "another issuer", "`iss`", id="named otherwise"),
        pytest.param("-old", "HTTP 404", ".well-known", id="elsewhere"),
    ],
)
def test_an_issuer_that_is_not_the_provider_s_is_wrong(
    home: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch, *, tail: str, told: str, remedy: str
) -> None:
    monkeypatch.setenv("TANQIAO_OIDC_ISSUER", provider.issuer + tail)

    finding = found(home)

    assert finding.state == "wrong"
    assert told in finding.found
    assert remedy in finding.remedy


def test_a_provider_that_does_not_answer_is_wrong(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANQIAO_OIDC_ISSUER", "http://127.0.0.1:9/realms/carbon")

    finding = found(home)

    assert finding.state == "wrong"
    assert "does not answer" in finding.found
    assert "network" in finding.remedy


def test_a_provider_within_the_own_network_is_named_with_its_setting(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_OIDC_ISSUER", "https://127.0.0.1:9/realms/carbon")
    monkeypatch.delenv("TANQIAO_OIDC_PRIVATE")

    finding = found(home)

    assert finding.state == "wrong"
    assert "TANQIAO_OIDC_PRIVATE=allow" in finding.remedy


@pytest.mark.parametrize("kind", ["none", "encryption only"])
def test_a_provider_without_keys_for_tokens_is_wrong(home: Path, provider: Provider, kind: str) -> None:
    keys = [] if kind == "none" else [rsa_key("x").as_dict(private=False) | {"use": "enc"}]
    provider.give_out({"keys": keys})
    try:
        finding = found(home)
    finally:
        provider.give_out(None)

    assert finding.state == "wrong"
    assert "no key that can be used" in finding.found
    assert "RSA" in finding.remedy


def test_roles_that_make_no_sense_are_wrong_before_anybody_is_asked(
    home: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_OIDC_ROLES", "carbon-desk=king")
    before = provider.asked()

    finding = found(home)

    assert finding.state == "wrong"
    assert "TANQIAO_OIDC_ROLES" in finding.found
    assert provider.asked() == before
