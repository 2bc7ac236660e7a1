"""Join what tells who an operator is: tokens of the home, and of an identity provider where one is set."""

from datetime import date

from gateway.app.base.home import OpenHome
from gateway.errors import LocalFileError, Refused, UsageError
from gateway.peers import ProviderKeys, read_target
from gateway.ports import Clock
from gateway.service.access.identity import Granted, IdentityGate, IssuerKeys, Roles
from gateway.service.access.operating import Grant, OperatorGate, require_grant
from gateway.service.access.rules import Role
from gateway.settings import IdentitySettings, read_settings
from gateway.signing import Expected
from gateway.store.serving.operators import SqlOperators

__all__ = ["identity_gate", "operator_gate"]

AUDITOR_PARTS = 5  # role, platform, first day, last day, the last day on which the name counts


def operator_gate(opened: OpenHome) -> OperatorGate:
    """Return what admits operators.

    Raises:
        LocalFileError: a setting of the identity provider cannot be used.
    """
    settings = read_settings().identity
    gate = None if settings is None else identity_gate(settings, opened.clock)
    identify = None if gate is None else gate.admit
    return OperatorGate(operators=SqlOperators(opened.database), clock=opened.clock, identify=identify)


def identity_gate(settings: IdentitySettings, clock: Clock) -> IdentityGate:
    """Return what admits who has a token of the identity provider; it is asked when the first one comes.

    Raises:
        LocalFileError: a setting cannot be used.
    """
    try:
        read_target(settings.issuer, private=settings.private)
    except Refused as error:
        raise LocalFileError(
            f"TANQIAO_OIDC_ISSUER cannot be asked: {error}", remedy="write the https URL of the provider"
        ) from error
    return IdentityGate(
        expected=Expected(settings.issuer, settings.audience, settings.client),
        roles=Roles(claim=settings.claim, granted=_granted(settings.roles)),
        keys=IssuerKeys(ask=ProviderKeys(settings.issuer, private=settings.private), clock=clock),
        clock=clock,
    )


def _granted(roles: tuple[tuple[str, ...], ...]) -> dict[str, Granted]:
    granted: dict[str, Granted] = {}
    for name, role, *grant in roles:
        try:
            granted[name] = _role(role, grant, taken=name in granted)
        except (UsageError, ValueError) as error:
            raise LocalFileError(
                f"TANQIAO_OIDC_ROLES: {name!r} is no role: {error}",
                remedy="write NAME=operator, NAME=coordinator or NAME=auditor,PLATFORM,FIRST,LAST,UNTIL",
            ) from error
    return granted


def _role(role: str, rest: list[str], *, taken: bool) -> Granted:
    if taken:
        raise ValueError("it is there twice")
    if role != Role.AUDITOR:
        if rest:
            raise ValueError(f"a {role} has no grant")
        return Granted(Role(role))
    if len(rest) != AUDITOR_PARTS - 1:
        raise ValueError("expected a platform and three days")
    platform, first, last, until = rest
    grant = Grant(platform=platform, first_day=first, last_day=last)
    require_grant(role, grant)
    if date.fromisoformat(until).isoformat() != until:
        raise ValueError(f"{until} is no day such as 2026-12-31")
    return Granted(Role(role), grant, until)
