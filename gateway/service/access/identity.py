"""Operators who come with an access token of their organisation's identity provider (OpenID Connect)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final, NamedTuple

from gateway.errors import MalformedDocument, Unreachable
from gateway.ports import Clock, Operator
from gateway.service.access.operating import Grant
from gateway.service.access.rules import NotAllowed
from gateway.service.moments import instant_text
from gateway.signing import Expected, SigningKey, TokenRefused, key_of_token, read_key_set, verify_token

__all__ = ["Granted", "IdentityGate", "IssuerKeys", "KeysUnknown", "Roles"]

KEPT_FOR: Final = timedelta(minutes=10)  # so long a key counts that the provider has withdrawn
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
ASKED_EVERY: Final = timedelta(seconds=10)  # for a key that is not known, or while there is no answer


class KeysUnknown(Unreachable):
    """The identity provider's keys are not known at this moment, so no token of it is taken."""

    code = "identity-unreachable"
    remedy = "try again soon; a token of `tanqiao operator token` holds meanwhile"


class Granted(NamedTuple):
    """What a value of the claim stands for: a role, an auditor's grant, the last day on which it counts."""

    role: str
    grant: Grant = Grant()
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Where a token names its holder's roles, and what they are here.

    ``claim`` is a claim's name, or a JSON pointer such as ``/realm_access/roles``.
    """

    claim: str
    granted: Mapping[str, Granted]

    def of(self, said: Mapping[str, object], *, today: str) -> Granted:
        """Return what the token's holder may be today.

        Raises:
            NotAllowed: the token names no role of this gateway that counts today, or several.
        """
        found: Any = said
        pointed = self.claim.startswith("/")
        for name in self.claim[1:].split("/") if pointed else [self.claim]:
            key = name.replace("~1", "/").replace("~0", "~") if pointed else name  # RFC 6901
            found = found.get(key) if isinstance(found, dict) else None
        named = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        here = {self.granted[one] for one in named if isinstance(one, str) and one in self.granted}
        counting = [one for one in here if not one.until or today <= one.until]
        if len(counting) != 1:
            raise NotAllowed(
                f"the token names {'several roles' if counting else 'no role'} of this gateway",
                field="Authorization",
                remedy="ask whoever runs the identity provider; TANQIAO_OIDC_ROLES says which name is what",
            )
        return counting[0]


@dataclass(slots=True, kw_only=True)
class IssuerKeys:
    """The provider's keys as they were a short while ago; asked for again when a new one is named.

    Whoever sends unknown names cannot have the provider asked more often than every ten seconds, and nobody
    waits for another's question. Where the provider does not answer in time, no key is known.
    """

    ask: Callable[[], bytes]
    clock: Clock
    _keys: dict[str, SigningKey] = field(default_factory=dict)
    _known_at: datetime = _NEVER
    _asked_at: datetime = _NEVER
    _asking: Lock = field(default_factory=Lock)

    def key(self, name: str) -> SigningKey | None:
        """Return the key of that name; None where the provider has none.

        Raises:
            KeysUnknown: the provider does not answer, or not with keys.
        """
        now = self.clock.now()
        fresh = timedelta(0) <= now - self._known_at < KEPT_FOR
        if fresh and name in self._keys:
            return self._keys[name]
        if not timedelta(0) <= now - self._asked_at < ASKED_EVERY and self._asking.acquire(blocking=False):
            try:
                self._renew(now)
            finally:
                self._asking.release()
        elif not fresh or self._asking.locked():
            raise KeysUnknown("the identity provider is being asked, or has not answered lately")
        return self._keys.get(name)

    def _renew(self, now: datetime) -> None:
        self._asked_at = now
        try:
            self._keys = read_key_set(self.ask())
        except (MalformedDocument, Unreachable) as error:
            raise KeysUnknown(f"the identity provider's keys cannot be had: {error}") from error
        self._known_at = now


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityGate:
    """Tells who presents an access token, or refuses it."""

    expected: Expected
    roles: Roles
    keys: IssuerKeys
    clock: Clock

    def admit(self, token: str) -> Operator:
        """Return who sends a request; the id is made of issuer and subject, and tells neither.

        Raises:
            TokenRefused: the token does not hold.
            NotAllowed: it holds, and names no role here.
            KeysUnknown: the provider does not answer, or not with keys.
        """
        key = self.keys.key(key_of_token(token))
        if key is None:
            raise TokenRefused("the identity provider has no such key", field="Authorization")
        now = self.clock.now()
        said: Mapping[str, Any] = verify_token(token, key, expected=self.expected, now=now)
        granted = self.roles.of(said, today=now.date().isoformat())
        who = f"tanqiao/oidc-id/1\x00{self.expected.issuer}\x00{said['sub']}"
        return Operator(
            id=hashlib.sha256(who.encode()).hexdigest()[:16],
            role=granted.role,
            platform=granted.grant.platform,
            first_day=granted.grant.first_day,
            last_day=granted.grant.last_day,
            created=instant_text(datetime.fromtimestamp(said["iat"], UTC)),
            expires=instant_text(datetime.fromtimestamp(said["exp"], UTC)),
            revoked=None,
        )
