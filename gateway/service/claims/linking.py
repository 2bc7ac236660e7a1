"""Link accounts of platforms to persons: only linked accounts are compared across platforms.

The identity that was verified is never kept. A keyed function makes the pseudonym of it, with a key that
stays in the home; the platforms never learn each other's accounts.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from gateway.errors import LocalFileError, Refused, UsageError
from gateway.ports import Clock, Link
from gateway.service.moments import instant_text
from gateway.signing import KeyedIndex, PersonKey

__all__ = [
    "CONSENT_CHARACTERS_MAX",
    "IDENTITY_CHARACTERS_MIN",
    "AccountLinked",
    "LinkStore",
    "Linked",
    "Linking",
    "NamedLink",
    "NotLinked",
    "apply_link",
    "link_account",
    "name_link",
    "unlink_account",
]

IDENTITY_CHARACTERS_MIN: Final = 6  # a shorter text identifies nobody
CONSENT_CHARACTERS_MAX: Final = 200


class AccountLinked(Refused):
    """The account is linked to another person."""

    code = "account-linked"
    remedy = "verify the identity again; if the account has changed hands, unlink it first"


class NotLinked(LocalFileError):
    """The account is not linked to anybody."""

    code = "not-linked"
    remedy = "write the account exactly as the platform does, and name the platform that it belongs to"


class LinkStore(Protocol):
    """The links of a home."""

    def links(self, accounts: Sequence[bytes]) -> dict[bytes, Link]:
        """Return the links of those accounts that have one."""
        ...

    def links_of(self, persons: Collection[bytes]) -> list[Link]:
        """Return the links of persons by their pseudonyms across platforms."""
        ...

    def link(self, link: Link) -> None:
        """Write a link, and that the person is known at several platforms where that is so."""
        ...

    def unlink(self, account: bytes) -> None:
        """Take a link away."""
        ...


class NamedLink(NamedTuple):
    """An account and its person by keyed names, those of all epochs: the identity is not in it."""

    account: bytes
    persons: Sequence[tuple[int, bytes]]
    consent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """What linking needs; joined by ``gateway.app``. ``keys`` are those of all epochs, the newest first."""

    links: LinkStore
    index: KeyedIndex
    keys: Sequence[PersonKey]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Linked:
    """What linking has come to: at how many platforms the person is known now, and the key's epoch."""

    platforms: int
    epoch: int
    changed: bool


def link_account(platform: str, account: str, *, identity: str, consent: str, parts: Linking) -> Linked:
    """Link an account to the person that was verified to be its holder.

    Args:
        platform: whose account it is.
        account: the platform's own id.
        identity: what was verified, the same text at each platform; it is not kept.
        consent: where the holder's consent at this platform is documented.
        parts: what does the work.

    Raises:
        UsageError: the identity is too short, or the consent is not named.
        AccountLinked: the account is another person's.
    """
    name = parts.index.pseudonym(platform, account)
    named = name_link(name, identity=identity, consent=consent, keys=parts.keys)
    return apply_link(platform, named, links=parts.links, clock=parts.clock)


def name_link(account: bytes, *, identity: str, consent: str, keys: Sequence[PersonKey]) -> NamedLink:
    """Make of an identity the pseudonyms that it has; it need not be known any longer.

    Raises:
        UsageError: the identity is too short, or the consent is not named.
    """
    plain = _plain_identity(identity)
    _require_consent(consent)
    return NamedLink(account, [(key.epoch, key.pseudonym(plain)) for key in keys], consent.strip())


def apply_link(platform: str, named: NamedLink, *, links: LinkStore, clock: Clock) -> Linked:
    """Write a link whose person is known by pseudonyms, those of the newest epoch first.

    Raises:
        AccountLinked: the account is another person's.
    """
    name = named.account
    known = links.links_of([person for _, person in named.persons])
    epoch, person = next(
        (one for one in named.persons if known and one[0] == known[0].epoch), named.persons[0]
    )
    before = links.links([name]).get(name)
    if before is not None and before.person != person:
        raise AccountLinked("the account is linked to a person of another identity")
    elsewhere = [link for link in known if link.account != name]
    if before is None:
        link = Link(
            account=name,
            person=person,
            platform=platform,
            epoch=epoch,
            consent=named.consent,
            linked=instant_text(clock.now()),
            shared=any(link.shared or link.platform != platform for link in elsewhere),
            after=max((link.after for link in elsewhere), default=0),
        )
        links.link(link)
    platforms = {link.platform for link in elsewhere} | {platform}
    return Linked(len(platforms), epoch, before is None)


def unlink_account(platform: str, account: str, *, parts: Linking) -> None:
    """Take an account's link away: acts that come from now on are compared within their platform only.

    Raises:
        NotLinked: there is no such link.
    """
    name = parts.index.pseudonym(platform, account)
    if name not in parts.links.links([name]):
        raise NotLinked("that account is not linked at that platform")
    parts.links.unlink(name)


def _plain_identity(identity: str) -> str:
    plain = "".join(unicodedata.normalize("NFKC", identity).split()).upper()
    if len(plain) < IDENTITY_CHARACTERS_MIN:
        raise UsageError("the identity is too short to be one", remedy="hand over what was verified, whole")
    return plain


def _require_consent(consent: str) -> None:
    if not consent.isprintable() or not 0 < len(consent.strip()) <= CONSENT_CHARACTERS_MAX:
        raise UsageError(
            f"expected where the consent is documented, in 1 to {CONSENT_CHARACTERS_MAX} characters",
            remedy="name the document and its date, and no person",
        )
