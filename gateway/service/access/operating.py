"""Tokens of those who run or watch a gateway: shown once, kept as a hash, expiring, revocable."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from gateway.errors import NotFound, UsageError
from gateway.ports import Clock, Operator, Operators
from gateway.service.access.rules import Role
from gateway.service.moments import instant_text
from gateway.signing import TokenRefused

__all__ = ["Grant", "OperatorGate", "issue_token", "require_grant", "revoke_token"]

DAYS_MAX: Final = 366
PREFIX: Final = "tqo_"  # so that scanners for leaked secrets know it
_TOKEN: Final = re.compile(r"Bearer +(tqo_[A-Za-z0-9_-]{43})", re.IGNORECASE)
_JWT: Final = re.compile(r"Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an auditor may read: a platform's days, both ends included. Other roles need none."""

    platform: str = ""
    first_day: str = ""
    last_day: str = ""


def issue_token(
    role: str, operators: Operators, *, grant: Grant, days: int, now: datetime, secret: str
) -> Operator:
    """Keep the token that is made of a secret of 43 characters.

    Raises:
        UsageError: no such role, too long a time, or an auditor without a grant, or another with one.
    """
    if role not in tuple(Role):
        raise UsageError(f"there is no role {role}", remedy=f"use {', '.join(Role)}")
    if not 1 <= days <= DAYS_MAX:
        raise UsageError(f"expected 1 to {DAYS_MAX} days, got {days}", remedy="make a new one in time")
    require_grant(role, grant)
    kept = Operator(
        id=hashlib.sha256(b"tanqiao/operator-id/1\x00" + secret.encode()).hexdigest()[:16],
        role=role,
        platform=grant.platform,
        first_day=grant.first_day,
        last_day=grant.last_day,
        created=instant_text(now),
        expires=instant_text(now + timedelta(days=days)),
        revoked=None,
    )
    operators.add(kept, token_hash=_hash(PREFIX + secret))
    return kept


def revoke_token(name: str, operators: Operators, *, now: datetime) -> None:
    """End a token at once.

    Raises:
        NotFound: there is none of that id.
    """
    if not operators.revoke(name, now=instant_text(now)):
        raise NotFound(f"there is no operator's token {name}", remedy="tanqiao operator list shows them")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorGate:
    """Tells whose token a request carries, or refuses it; ``identify`` judges an identity provider's."""

    operators: Operators
    clock: Clock
    identify: Callable[[str], Operator] | None = None

    def admit(self, authorization: str) -> Operator:
        """Return who sends a request.

        Raises:
            TokenRefused: no token, one that nobody gave out, one that has expired or was revoked.
            NotAllowed: the identity provider's token names no role here.
            Unreachable: the identity provider's keys are not known.
        """
        if self.identify is not None and (issued := _JWT.fullmatch(authorization)):
            return self.identify(issued[1])
        presented = _TOKEN.fullmatch(authorization)
        found = None if presented is None else self.operators.by_hash(_hash(presented[1]))
        if found is None or found.revoked is not None or found.expires <= instant_text(self.clock.now()):
            raise TokenRefused("the token is missing, unknown, expired or revoked", field="Authorization")
        return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"tanqiao/operator/1\x00" + token.encode()).digest()


def require_grant(role: str, grant: Grant) -> None:
    """Refuse an auditor without a grant, and another role with one.

    Raises:
        UsageError: says what is missing.
    """
    if role != Role.AUDITOR:
        if grant != Grant():
            raise UsageError(f"a token of the role {role} has no grant", remedy="leave platform and days out")
        return
    try:
        first, last = date.fromisoformat(grant.first_day), date.fromisoformat(grant.last_day)
    except ValueError as error:
        raise UsageError(
            "an auditor needs a platform and days, such as 2026-11-01", remedy="give --platform, --from, --to"
        ) from error
    if (
        not grant.platform
        or first > last
        or (first.isoformat(), last.isoformat())
        != (
            grant.first_day,
            grant.last_day,
        )
    ):
        raise UsageError("an auditor needs a platform, and days in their order", remedy="mend the grant")
