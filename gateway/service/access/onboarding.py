"""Platforms and their keys: invitation, enrolment with proof of possession, rotation, suspension."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import Refused
from gateway.model.ed25519 import require_sound_key
from gateway.ports import (
    Clock,
    Nonces,
    NonceUse,
    Platform,
    PlatformKey,
    Platforms,
    RequestLimits,
    SignedNonce,
)
from gateway.service.each import each_of, go_on
from gateway.service.moments import instant_text
from gateway.signing import SKEW, Message, Presented, RequestNotSigned, key_id, verify_request

__all__ = [
    "PLATFORM_NAME",
    "Admitted",
    "Gatekeeper",
    "NotAdmitted",
    "ReplayedRequest",
    "SignAgain",
    "TooManyRequests",
    "UnknownPlatform",
    "invite_platform",
    "key_of",
]

INVITED_FOR: Final = timedelta(hours=24)
KEYS_MAX: Final = 16  # of one platform: a change of keys needs two
PLATFORM_NAME: Final = re.compile(r"cn-[0-9]{6}/[a-z][a-z0-9]*(-[a-z0-9]+)*")


class UnknownPlatform(Refused):
    """There is no such platform here."""

    code = "unknown-platform"
    remedy = "an operator invites it: tanqiao platform invite REGION/NAME"


class NotAdmitted(Refused):
    """The platform or its key may not do this, or not any more."""

    code = "not-admitted"


class ReplayedRequest(Refused):
    """A signed request came a second time."""

    code = "replayed-request"
    remedy = "sign each request anew, with a nonce of its own; idempotency keys make repeating safe"


def invite_platform(platform: str, platforms: Platforms, *, code: str, now: datetime) -> str:
    """Admit a platform that shows a code within a day; returns until when.

    Raises:
        Refused: that is no name of a platform.
    """
    if not PLATFORM_NAME.fullmatch(platform):
        raise Refused(
            f"{platform!r} is no name of a platform", remedy="write region/name, such as cn-420100/wuhan"
        )
    expires = instant_text(now + INVITED_FOR)
    platforms.invite(platform, code_hash=_hash(code), expires=expires, now=instant_text(now))
    return expires


def key_of(platform: str, public: bytes, *, now: datetime) -> PlatformKey:
    """Return a new key of a platform; an unsound key is refused."""
    require_sound_key(public)
    return PlatformKey(key_id(public, "http"), platform, public, instant_text(now), None)


def _hash(code: str) -> bytes:
    return hashlib.sha256(b"tanqiao/invitation/1\x00" + code.encode()).digest()


class SignAgain(Refused):
    """Whether a signed request came before cannot be told any more; it was not looked at further."""

    code = "sign-again"
    remedy = "sign the request anew, with a new nonce and the present time, and send it in some seconds"
    retry_seconds = 3


class TooManyRequests(Refused):
    """A platform sends more requests than it may; this one was not looked at further."""

    code = "too-many-requests"
    remedy = "wait as long as Retry-After says; many acts may go in one request, many rows in one file"

    def __init__(self, message: str, *, seconds: int) -> None:
        super().__init__(message)
        self.retry_seconds = seconds


Admitted = tuple[Platform, Presented]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gatekeeper:
    """Tells who sends a request, or refuses it."""

    platforms: Platforms
    nonces: Nonces
    limits: RequestLimits
    clock: Clock

    def admit(self, messages: Sequence[Message]) -> list[Admitted | Exception]:
        """Return for each request who signed it and what the signature says, or why it is refused.

        What has arrived together is asked about together, each as if it came alone, in their order. It may be

        - RequestNotSigned: no signature that holds, by a key in force.
        - ReplayedRequest: the same signature was used before.
        - SignAgain: whether it was used before is not known any more.
        - UnknownPlatform, NotAdmitted: the platform is suspended.
        - TooManyRequests: the platform has sent as many as it may.
        """
        presented = self._verified(messages, self._public)
        admitted = go_on(presented, each_of(self._admitted))
        # asked last: nobody who only repeats a platform's requests can use its share up
        return go_on(admitted, self._within_limits)

    def enrol(
        self, message: Message, platform: str, *, public: bytes, code: str, sha256: bytes
    ) -> PlatformKey:
        """Take a platform's first key, or another after all were lost; the request is signed by that key.

        Raises:
            RequestNotSigned: the request is not signed by the key that it hands in.
            NotAdmitted: there is no such invitation at this moment.
        """
        proven = key_id(public, "http")
        (presented,) = self._verified([message], lambda wanted: public if wanted == proven else None)
        if isinstance(presented, Exception):
            raise presented
        if presented.content_sha256 != sha256:
            raise RequestNotSigned(
                "the content is not the one whose digest was signed", field="Content-Digest"
            )
        key = key_of(platform, public, now=self.clock.now())
        known = self._kept(key)
        if known is not None:
            return known  # the answer to the first such request was lost
        if not self.platforms.enrol(platform, key, code_hash=_hash(code)):
            raise NotAdmitted(
                f"there is no invitation for {platform} with this code, or it has lapsed",
                remedy="ask an operator for a new one: tanqiao platform invite",
            )
        return key

    def add_key(self, platform: str, public: bytes, *, proof: bytes) -> PlatformKey:
        """Take one more key of a platform; ``proof`` is the new key's signature over the platform's name.

        Raises:
            RequestNotSigned: the proof does not hold.
            NotAdmitted: the platform has too many keys.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(public).verify(
                proof, b"tanqiao/key-of/1\x00" + platform.encode()
            )
        except (InvalidSignature, ValueError) as error:
            raise RequestNotSigned("the proof of possession does not hold") from error
        key = key_of(platform, public, now=self.clock.now())
        known = self._kept(key)
        if known is not None:
            return known  # the answer to the first such request was lost
        if sum(one.revoked is None for one in self.platforms.keys(platform)) >= KEYS_MAX:
            raise NotAdmitted(f"{platform} has {KEYS_MAX} keys already", remedy="revoke one first")
        self.platforms.add_key(key)
        return key

    def _kept(self, key: PlatformKey) -> PlatformKey | None:
        """Return the key as it is in force for its platform already; None where it is new."""
        known = self.platforms.key(key.id)
        if known is not None and (known.platform != key.platform or known.revoked is not None):
            raise NotAdmitted(
                f"key {key.id} is another platform's, or was revoked",
                remedy="make a new key; none is admitted twice",
            )
        return known

    def _public(self, wanted: str) -> bytes | None:
        key = self.platforms.key(wanted)
        return None if key is None or key.revoked is not None else key.public

    def _admitted(self, presented: Presented) -> Admitted:
        key = self.platforms.key(presented.key_id)
        platform = None if key is None else self.platforms.platform(key.platform)
        if platform is None:
            raise UnknownPlatform("the key belongs to no platform")
        if platform.suspended:
            raise NotAdmitted(
                f"platform {platform.id} is suspended: {platform.suspended}",
                remedy="ask the operators of this gateway",
            )
        return platform, presented

    def _within_limits(self, admitted: Sequence[Admitted]) -> list[Admitted | Exception]:
        sent = Counter(platform.id for platform, _ in admitted)
        waits = {platform: iter(self.limits.waits(platform, requests)) for platform, requests in sent.items()}
        return [_unless_it_waits(one, next(waits[one[0].id])) for one in admitted]

    def _verified(
        self, messages: Sequence[Message], find: Callable[[str], bytes | None]
    ) -> list[Presented | Exception]:
        now = self.clock.now()

        def verified(message: Message) -> Presented:
            return verify_request(message, find, now=now)

        return go_on(each_of(verified)(messages), lambda some: self._first_used(some, now=now))

    def _first_used(self, presented: Sequence[Presented], *, now: datetime) -> list[Presented | Exception]:
        signed = [SignedNonce(one.key_id, one.nonce, one.created, one.expires + SKEW) for one in presented]
        used = self.nonces.use(signed, now=now)
        return [
            one if use is NonceUse.FRESH else _used(use) for one, use in zip(presented, used, strict=True)
        ]


def _used(use: NonceUse) -> Refused:
    if use is NonceUse.UNKNOWN:
        return SignAgain("the memory of requests signed at that time was lost")
    return ReplayedRequest("this signed request was used before")


def _unless_it_waits(admitted: Admitted, seconds: int) -> Admitted | TooManyRequests:
    if seconds:
        return TooManyRequests(f"{admitted[0].id} has to wait {seconds} s", seconds=seconds)
    return admitted
