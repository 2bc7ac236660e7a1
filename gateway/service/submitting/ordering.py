"""Orders of platforms: link or unlink an account, withdraw a record; done by the sequencer, in their turn.

An order holds keyed names and ids of records, no identity and no account. To carry one out again, as after a
kill, changes nothing and says the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import msgspec

from gateway.errors import UsageError
from gateway.ports import ClaimState, Clock, Operation, OperationKind, RequestLimits
from gateway.service.access.onboarding import TooManyRequests
from gateway.service.access.rules import own
from gateway.service.claims.linking import LinkStore, NamedLink, apply_link, name_link
from gateway.service.claims.withdrawing import Withdrawing, withdraw_record
from gateway.service.receipts.proving import FoundRecord
from gateway.service.submitting.taking import Submitting
from gateway.signing import PSEUDONYM_BYTES, KeyedIndex, PersonKey

__all__ = ["LINKS_PER_MINUTE", "Desk", "Orders"]

LINKS_PER_MINUTE: Final = 600  # of one platform: who guesses identities does not get far


class _Link(msgspec.Struct):
    account: str
    persons: list[tuple[int, str]]
    consent: str


class _Withdrawal(msgspec.Struct):
    record: str
    batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Takes orders. ``index`` and ``keys`` give the home's keyed names, the newest epoch first."""

    submitting: Submitting
    links: LinkStore
    index: Callable[[], KeyedIndex]
    keys: Callable[[], Sequence[PersonKey]]
    link_limits: RequestLimits

    def link(self, platform: str, key: str, *, account: str, identity: str, consent: str) -> Operation:
        """Take the order to link an account; of the identity only pseudonyms go on from here.

        Raises:
            TooManyRequests: the platform has linked as many in this minute as it may.
            UsageError: account or identity is too short to be one, or the consent is not named.
            IdempotencyConflict: the key was used for something else.
        """
        if seconds := self.link_limits.wait(platform):
            raise TooManyRequests(f"{platform} has to wait {seconds} s before it links more", seconds=seconds)
        if not account:
            raise UsageError("expected in `account` the platform's own id", field="/account")
        name = self.index().pseudonym(platform, account)
        named = name_link(name, identity=identity, consent=consent, keys=self.keys())
        persons = [(epoch, person.hex()) for epoch, person in named.persons]
        order = _Link(account=name.hex(), persons=persons, consent=named.consent)
        oldest = named.persons[-1][1]  # a new epoch does not make another order of it
        return self.submitting.submit_order(
            platform,
            key,
            kind=OperationKind.LINK,
            content=msgspec.json.encode(order),
            same=name + oldest + named.consent.encode(),
        )

    def unlink(self, platform: str, key: str, *, link: str) -> Operation:
        """Take the order to take a link away.

        Raises:
            NotFound: the platform has no such link.
        """
        known = self.submitting.operations.by_key(platform, key)
        if known is None:  # a repeated order finds its link gone
            self._require_own(platform, link)
        content = link.encode()
        return self.submitting.submit_order(
            platform, key, kind=OperationKind.UNLINK, content=content, same=content
        )

    def withdraw(self, found: FoundRecord, key: str) -> Operation:
        """Take the order to withdraw a record."""
        order = msgspec.json.encode(_Withdrawal(record=found.row.id, batch=found.batch.number))
        return self.submitting.submit_order(
            found.batch.platform, key, kind=OperationKind.WITHDRAWAL, content=order, same=order
        )

    def _require_own(self, platform: str, link: str) -> None:
        try:
            name = bytes.fromhex(link)
        except ValueError:
            name = b""
        found = self.links.links([name]).get(name) if len(name) == PSEUDONYM_BYTES else None
        own(found, platform, what="link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Carries orders out. ``find`` finds a record in a batch."""

    links: LinkStore
    find: Callable[[str, int], FoundRecord]
    withdrawing: Callable[[], Withdrawing]
    clock: Clock

    def carry_out(self, operation: Operation, content: bytes) -> dict[str, object]:
        """Carry out one order and return what the platform is told: nothing about anybody else.

        Raises:
            AccountLinked: the account is another person's.
            ClaimClosed: the record's day is closed.
        """
        match operation.kind:
            case OperationKind.LINK:
                return self._link(operation.platform, msgspec.json.decode(content, type=_Link))
            case OperationKind.UNLINK:
                self.links.unlink(bytes.fromhex(content.decode()))
                return {"link": content.decode(), "linked": False}
            case OperationKind.WITHDRAWAL:
                return self._withdraw(operation.platform, msgspec.json.decode(content, type=_Withdrawal))
            case OperationKind.ROWS | OperationKind.FILE:
                raise UsageError(f"operation {operation.id} is no order")
            case _:
                assert_never(operation.kind)

    def _link(self, platform: str, order: _Link) -> dict[str, object]:
        persons = [(epoch, bytes.fromhex(person)) for epoch, person in order.persons]
        named = NamedLink(bytes.fromhex(order.account), persons, order.consent)
        apply_link(platform, named, links=self.links, clock=self.clock)
        return {"link": order.account, "linked": True}

    def _withdraw(self, platform: str, order: _Withdrawal) -> dict[str, object]:
        found, parts = self.find(order.record, order.batch), self.withdrawing()
        own(found.batch, platform, what="record")
        name = bytes.fromhex(order.record)
        if parts.journal.claims.states(name).get(name) != ClaimState.WITHDRAWN:
            withdraw_record(found, parts)
        return {"record": order.record, "claim": "withdrawn"}
