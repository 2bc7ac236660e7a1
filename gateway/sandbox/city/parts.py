"""What a running city is made of; ``gateway.app`` joins it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.errors import UsageError
from gateway.ports import Clock
from gateway.sandbox.city.book import Book
from gateway.sandbox.city.desk import Desk
from gateway.sandbox.city.faults import FaultBoard
from gateway.sandbox.city.refusals import Refusal, RefusalCode
from gateway.signing import (
    SKEW,
    KeyRing,
    Message,
    Presented,
    RequestNotSigned,
    Signer,
    key_id,
    verify_request,
)

__all__ = ["Answer", "CityClock", "CityParts", "StrangeSigner"]

_OFFSET: Final = "clock offset"
_GATEWAY: Final = "gateway"


class Answer(NamedTuple):
    """An answer as it goes out."""

    status: int
    content: bytes
    headers: dict[str, str]


class CityClock:
    """The machine's clock, moved by so many seconds; the city remembers by how many."""

    def __init__(self, book: Book, real: Clock) -> None:
        self._book = book
        self._real = real
        self._offset = timedelta(seconds=int(book.fact(_OFFSET, "0")))

    def now(self) -> datetime:
        """Return the city's present moment."""
        return self._real.now() + self._offset

    def move(self, seconds: int) -> None:
        """Move it by so many seconds more, back where they are negative; 0 puts it right."""
        try:
            moved = self._offset + timedelta(seconds=seconds) if seconds else timedelta(0)
            self._real.now() + moved
        except OverflowError as error:
            raise UsageError("the clock cannot be moved so far", field="seconds") from error
        self._offset = moved
        self._book.remember(_OFFSET, str(int(moved.total_seconds())))


class StrangeSigner:
    """A key that nobody knows, for the fault of that name."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public, "http")

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""
        return self._key.sign(message)


@dataclass(slots=True, kw_only=True)
class CityParts:
    """``ring`` has the gateway's keys; ``token`` opens the switches to whoever has the city's folder.

    ``called`` counts what the gateway said to answers that were posted to it; ``calling`` are under way.
    """

    desk: Desk
    board: FaultBoard
    clock: CityClock
    signer: Signer
    ring: Callable[[], KeyRing]
    token: str
    worked: int = 0
    last: Answer | None = None
    called: Counter[str] = field(default_factory=Counter)
    calling: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def gateway(self) -> str:
        """Return where the gateway answers; empty while nobody has said."""
        return self.desk.book.fact(_GATEWAY)

    @gateway.setter
    def gateway(self, url: str) -> None:
        self.desk.book.remember(_GATEWAY, url)

    def admit(self, message: Message, *, trusting: bool = False) -> Presented | None:
        """Return what the gateway's signature says; None where the city trusts whoever comes.

        Raises:
            Refusal: it is not the gateway that sends this, or it was sent before.
        """
        now = self.clock.now()
        try:
            presented = verify_request(message, self._key, now=now)
        except RequestNotSigned as error:
            if trusting:
                return None
            raise Refusal(RefusalCode.NOT_SIGNED, str(error)) from error
        expires = int((presented.expires + SKEW).timestamp())
        with self.desk.book.transaction() as db:
            db.execute("DELETE FROM nonces WHERE expires < ?", (int(now.timestamp()),))
            used = db.execute(
                "INSERT OR IGNORE INTO nonces VALUES (?, ?, ?)", (presented.key_id, presented.nonce, expires)
            )
        if not used.rowcount and not trusting:
            raise Refusal(RefusalCode.REPLAYED, "this signed request was used before")
        return presented

    def _key(self, wanted: str) -> bytes | None:
        for key in self.ring().keys:
            if key.id == wanted and key.purpose == "http" and key.retired is None and key.revoked is None:
                return key.public
        return None
