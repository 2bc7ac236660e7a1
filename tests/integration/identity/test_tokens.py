"""Access tokens against a real provider: what holds, and every way in which one does not."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.app.serving.identity import identity_gate
from gateway.errors import GatewayError, LocalFileError
from gateway.service.access.identity import ASKED_EVERY, KEPT_FOR, IdentityGate, KeysUnknown
from gateway.service.access.rules import NotAllowed
from gateway.settings import read_settings
from gateway.signing import TokenRefused
from tests.fakes.identity import AUDIENCE, CLIENT, Provider, claims, ec_key, providing, rsa_key, token

NOW = datetime.now(UTC).replace(microsecond=0)
SECOND = int(NOW.timestamp())
DATED = {"iat": SECOND, "exp": SECOND + 300}
ROLES = (
    "carbon-desk = coordinator; carbon-ops=operator;"
    " audit-wuhan=auditor,cn-420100/wuhan,2026-11-01,2026-11-30,2099-12-31;"
    " audit-ended=auditor,cn-420100/wuhan,2026-11-01,2026-11-30,2020-12-31"
)


class SetClock:
    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as one:
        one.usual = DATED
        yield one


@pytest.fixture
def turning() -> Iterator[Provider]:
    """Give a provider whose keys may change."""
    with providing() as one:
        one.usual = DATED
        yield one


@pytest.fixture(scope="module")
def gate(provider: Provider) -> IdentityGate:
    return gate_of(provider.issuer)


def settings_of(issuer: str, **changes: str) -> dict[str, str]:
    return {
        "TANQIAO_OIDC_ISSUER": issuer,
        "TANQIAO_OIDC_AUDIENCE": AUDIENCE,
        "TANQIAO_OIDC_CLIENT_ID": CLIENT,
        "TANQIAO_OIDC_ROLES": ROLES,
        "TANQIAO_OIDC_PRIVATE": "allow",
    } | changes


def gate_of(issuer: str, clock: SetClock | None = None, **changes: str) -> IdentityGate:
    settings = read_settings(settings_of(issuer, **changes)).identity
    assert settings is not None
    return identity_gate(settings, clock or SetClock())


@pytest.mark.parametrize(
    ("key", "alg"), [("rsa", "RS256"), ("rsa", "PS256"), ("rsa", "RS512"), ("ec", "ES256")]
)
def test_a_token_of_the_provider_holds(provider: Provider, gate: IdentityGate, *, key: str, alg: str) -> None:
    who = gate.admit(provider.token(key=key, alg=alg))

    assert who.role == "coordinator"
    assert who.expires > who.created


def test_an_id_is_the_same_for_the_same_person_and_tells_nobody_who(
    provider: Provider, gate: IdentityGate
) -> None:
    first, again = gate.admit(provider.token()), gate.admit(provider.token(roles=["carbon-ops"]))
    other = gate.admit(provider.token(sub="li.si@example.cn"))

    assert first.id == again.id != other.id
    assert "zhang" not in repr(first)
    assert len(first.id) == 16


def test_an_auditor_has_the_grant_that_its_name_stands_for(provider: Provider, gate: IdentityGate) -> None:
    who = gate.admit(provider.token(roles="audit-wuhan"))

    assert (who.role, who.platform) == ("auditor", "cn-420100/wuhan")
    assert (who.first_day, who.last_day) == ("2026-11-01", "2026-11-30")


@pytest.mark.parametrize(
    "roles",
    [
        None,
        [],
        ["nobody"],
        "carbon-desk carbon-ops",
        ["carbon-desk", "carbon-ops"],
        ["audit-ended"],
        {"carbon-desk": True},
        [["carbon-desk"]],
        7,
    ],
)
def test_a_token_without_exactly_one_role_of_this_gateway_may_nothing(
    provider: Provider, gate: IdentityGate, roles: Any
) -> None:
    with pytest.raises(NotAllowed, match="role"):
        gate.admit(provider.token(roles=roles))


def test_roles_may_stand_deep_in_a_token(provider: Provider) -> None:
    deep = {"realm_access": {"roles": ["carbon-ops"]}, "https://example.cn/roles": ["carbon-desk"]}

    gate = gate_of(provider.issuer, TANQIAO_OIDC_ROLES_CLAIM="/realm_access/roles")
    named = gate_of(provider.issuer, TANQIAO_OIDC_ROLES_CLAIM="https://example.cn/roles")

    assert gate.admit(provider.token(**deep)).role == "operator"
    assert named.admit(provider.token(**deep)).role == "coordinator"
    with pytest.raises(NotAllowed):
        gate.admit(provider.token(realm_access="carbon-ops"))


UNSOUND = {
    "another issuer": {"iss": "https://other.example"},
    "an issuer that only begins alike": {"iss": "http://127.0.0.1"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "https://other.example"},
    "audiences without this one": {"aud": ["a", "b"]},
    "an audience that is an object": {"aud": {AUDIENCE: 1}},
    "no audience": {"aud": None},
    "a client's own sign-in": {"aud": CLIENT},
    "another client": {"azp": "wiki"},
    "no client": {"azp": None},
    "expired": {"iat": SECOND - 600, "exp": SECOND - 31},
    "never expires": {"exp": None},
    "expires in words": {"exp": "never"},
    "expires at infinity": {"exp": float("inf")},
    "expires at a fraction": {"exp": SECOND + 100.5},
    "expires by true": {"exp": True},
    "valid for a year": {"exp": SECOND + 366 * 86_400},
    "issued before it can be": {"iat": SECOND - 90_000},
    "issued in the future": {"iat": SECOND + 600, "exp": SECOND + 900},
    "not issued": {"iat": None},
    "not yet valid": {"nbf": SECOND + 120},
    "of nobody": {"sub": None},
    "of an empty name": {"sub": ""},
    "of a number": {"sub": 7},
    "of a very long name": {"sub": "x" * 256},
}


@pytest.mark.parametrize("changes", UNSOUND.values(), ids=UNSOUND)
def test_a_token_that_says_something_else_is_refused(
    provider: Provider, gate: IdentityGate, changes: dict[str, Any]
) -> None:
    with pytest.raises(TokenRefused) as refused:
        gate.admit(provider.token(**changes))

    assert "zhang" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": SECOND - 600, "exp": SECOND - 20},
        {"nbf": SECOND + 20},
        {"iat": SECOND + 20, "exp": SECOND + 300},
        {"aud": ["account", AUDIENCE]},
        {"azp": None, "client_id": CLIENT},
    ],
    ids=["just expired", "nearly valid", "issued by a clock ahead", "one of several", "as RFC 9068 has it"],
)
def test_clocks_may_differ_a_little_and_names_be_written_otherwise(
    provider: Provider, gate: IdentityGate, changes: dict[str, Any]
) -> None:
    assert gate.admit(provider.token(**changes)).role == "coordinator"


def forged(provider: Provider) -> dict[str, str]:
    """Return tokens that nobody gave out."""
    said = claims(provider.issuer, **DATED)
    good = provider.token()
    head, body, signature = good.split(".")
    own = rsa_key("mallory")
    by_hmac = f"{_b64({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa-0'})}.{body}"
    mac = hmac.digest(provider.public_pem(), by_hmac.encode(), "sha256")
    richer = claims(provider.issuer, **DATED, roles=["carbon-ops"])
    changed = base64.urlsafe_b64encode(json.dumps(richer).encode()).rstrip(b"=").decode()
    return {
        "alg none": f"{_b64({'alg': 'none', 'typ': 'JWT', 'kid': 'rsa-0'})}.{body}.",
        "alg None": f"{_b64({'alg': 'None', 'typ': 'JWT', 'kid': 'rsa-0'})}.{body}.{signature}",
        "no alg": f"{_b64({'typ': 'JWT', 'kid': 'rsa-0'})}.{body}.{signature}",
        "alg a list": f"{_b64({'alg': ['RS256'], 'kid': 'rsa-0'})}.{body}.{signature}",
        "HS256 with the public key": f"{by_hmac}.{_raw(mac)}",
        "another's key under its name": token(said, own, kid="rsa-0"),
        "an algorithm of another kind of key": token(said, ec_key("x"), kid="rsa-0"),
        "a key of another kind": token(said, own, kid="ec-0"),
        "the key comes along": token(said, own, kid="rsa-0", jwk=own.as_dict(private=False)),
        "the key is said to be elsewhere": token(said, own, kid="rsa-0", jku="http://127.0.0.1:1/keys"),
        "its certificate comes along": token(said, own, kid="rsa-0", x5c=["MIIB"]),
        "an extension": f"{_b64({'alg': 'RS256', 'kid': 'rsa-0', 'crit': ['exp']})}.{body}.{signature}",
        "another type": provider.headed(typ="logout+jwt"),
        "another content": f"{head}.{changed}.{signature}",
        "half a signature": f"{head}.{body}.{signature[:100]}",
        "no signature": f"{head}.{body}.",
        "no kid": f"{_b64({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "kid a number": f"{_b64({'alg': 'RS256', 'kid': 0})}.{body}.{signature}",
        "kid a path": token(said, own, kid="../../../dev/null"),
        "kid an address": token(said, own, kid="http://127.0.0.1:1/key"),
        "kid a query": token(said, own, kid="x' UNION SELECT 'k"),
        "deep header": f"{_raw(b'[' * 1500)}.{body}.{signature}",
        "long header": token(said, own, kid="k" * 3000),
        "long": provider.token(more="x" * 20_000),
        "header no object": f"{_raw(b'[]')}.{body}.{signature}",
        "header no JSON": f"{_raw(bytes(range(128, 200)))}.{body}.{signature}",
    }


def _raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _b64(header: object) -> str:
    return _raw(json.dumps(header).encode())


def test_forged_tokens_are_refused(provider: Provider, gate: IdentityGate) -> None:
    assert gate.admit(provider.token()).role == "coordinator"

    for name, made in forged(provider).items():
        with pytest.raises(TokenRefused):
            pytest.fail(f"{name}: {gate.admit(made)}")


def test_a_key_that_the_provider_changes_is_asked_for_once(turning: Provider) -> None:
    clock = SetClock()
    gate = gate_of(turning.issuer, clock)
    old = turning.token()
    gate.admit(old)
    before = turning.asked()
    turning.rotate()

    clock.moment += ASKED_EVERY
    gate.admit(turning.token())
    for _ in range(20):
        with pytest.raises(TokenRefused):
            gate.admit(token(claims(turning.issuer, **DATED), rsa_key("unknown")))
    with pytest.raises(TokenRefused):
        gate.admit(old)

    assert turning.asked() == before + 1


def test_a_key_that_was_withdrawn_counts_for_some_minutes_at_most(turning: Provider) -> None:
    clock = SetClock()
    gate = gate_of(turning.issuer, clock)
    long = turning.token(exp=SECOND + 7200)
    gate.admit(long)
    turning.rotate()

    clock.moment += KEPT_FOR - timedelta(seconds=1)
    assert gate.admit(long).role == "coordinator"
    clock.moment += timedelta(seconds=1)
    with pytest.raises(TokenRefused, match="no such key"):
        gate.admit(long)


def test_nobody_is_taken_while_the_provider_does_not_answer() -> None:
    clock = SetClock()
    with providing() as provider:
        gate = gate_of(provider.issuer, clock)
        good = provider.token(iat=SECOND, exp=SECOND + 7200)
        gate.admit(good)
        provider.stop()
        new = gate_of(provider.issuer)
        with pytest.raises(KeysUnknown):
            new.admit(good)
        with pytest.raises(KeysUnknown):
            new.admit(good)  # not asked again at once

        assert gate.admit(good).role == "coordinator"
        clock.moment += KEPT_FOR
        with pytest.raises(KeysUnknown):
            gate.admit(good)


def test_a_clock_that_was_set_back_keeps_no_key_longer(provider: Provider) -> None:
    clock = SetClock()
    gate = gate_of(provider.issuer, clock)
    gate.admit(provider.token())
    before = provider.asked()

    clock.moment -= timedelta(days=1)  # the token is of the future now; the keys are asked for first
    with pytest.raises(TokenRefused):
        gate.admit(provider.token())

    assert provider.asked() == before + 1


WEAK = {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}


@pytest.mark.parametrize(
    "key_set",
    [
        [],
        {"keys": []},
        {"keys": "none"},
        {"keys": [{"kty": "oct", "kid": "rsa-0", "k": "c2VjcmV0"}]},
        {"keys": [WEAK, {}, 7, {"kty": "RSA", "kid": "x"}]},
        {"keys": [{"kty": "RSA"}] * 101},
        {"keys": [{"kty": "EC", "kid": "x", "crv": "P-256", "x": "AA", "y": "AA"}]},
    ],
    ids=[
        "no object",
        "no keys",
        "no list",
        "a secret",
        "nothing usable",
        "too many",
        "no point of its curve",
    ],
)
def test_a_key_set_that_cannot_be_used_lets_nobody_in(provider: Provider, key_set: object) -> None:
    provider.give_out(key_set)
    try:
        with pytest.raises(KeysUnknown):
            gate_of(provider.issuer).admit(provider.token())
    finally:
        provider.give_out(None)


def test_another_issuer_s_discovery_document_is_refused(provider: Provider) -> None:
    with pytest.raises(KeysUnknown, match="another issuer"):
        gate_of(provider.issuer + "/").admit(provider.token())


def test_a_provider_in_a_private_network_is_asked_only_where_that_is_allowed(provider: Provider) -> None:
    before = provider.asked()

    with pytest.raises(LocalFileError, match="TANQIAO_OIDC_ISSUER"):
        gate_of(provider.issuer, TANQIAO_OIDC_PRIVATE="refuse")
    hidden = gate_of("https://localhost/realms/carbon", TANQIAO_OIDC_PRIVATE="refuse")
    with pytest.raises(KeysUnknown, match="not public"):
        hidden.admit(provider.token())

    assert provider.asked() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TANQIAO_OIDC_ISSUER", "accounts"),
        ("TANQIAO_OIDC_ISSUER", "ldap://host"),
        ("TANQIAO_OIDC_AUDIENCE", ""),
        ("TANQIAO_OIDC_AUDIENCE", CLIENT),
        ("TANQIAO_OIDC_PRIVATE", "yes"),
        ("TANQIAO_OIDC_ROLES", ""),
        ("TANQIAO_OIDC_ROLES", "coordinator"),
        ("TANQIAO_OIDC_ROLES", "desk=king"),
        ("TANQIAO_OIDC_ROLES", "desk=coordinator; desk=operator"),
        ("TANQIAO_OIDC_ROLES", "desk=coordinator,cn-420100/wuhan"),
        ("TANQIAO_OIDC_ROLES", "audit=auditor"),
        ("TANQIAO_OIDC_ROLES", "audit=auditor,cn-420100/wuhan,2026-11-01,2026-11-30"),
        ("TANQIAO_OIDC_ROLES", "audit=auditor,cn-420100/wuhan,2026-11-30,2026-11-01,2026-12-31"),
        ("TANQIAO_OIDC_ROLES", "audit=auditor,cn-420100/wuhan,2026-11-01,2026-11-30,20261231"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(GatewayError, match=name) as refused:
        gate_of("https://accounts.example", **{name: value})

    assert refused.value.remedy
