"""Mapping versions that maintainers sign one after the other, until enough have."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

__all__ = [
    "MaintainerSignature",
    "MappingPublication",
    "PublicationState",
    "Publications",
    "SignatureQuorum",
]


class PublicationState(StrEnum):
    """How far a publication is. ``REFUSED``: enough had signed, but it could not be published any more.

    ``WITHDRAWN``: who handed it in has taken it back; it takes no more signatures.
    """

    WAITING = "waiting"
    SIGNED = "signed"
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class MaintainerSignature(NamedTuple):
    """A maintainer's signature in base64, and the key whose id ``key`` is, as it was when it came."""

    key: str
    public: bytes
    value: str


class SignatureQuorum(NamedTuple):
    """Whose signatures count at present, by the ids of keys, and how many of them there must be."""

    keys: frozenset[str]
    least: int


class MappingPublication(NamedTuple):
    """A mapping version and its signatures, in the order in which they came.

    ``digest`` is that of the canonical text, without its prefix. ``fault`` says as a JSON document why a
    version that enough have signed was refused. ``position`` is its place in the log, None until it is
    published. ``proposer`` is the platform that handed it in first, empty for the gateway's own people;
    ``withdrawn`` the moment at which that was taken back. ``number`` counts in the order of arrival, 0
    before it is kept.
    """

    digest: str
    id: str
    version: int
    canonical: bytes
    received: str
    signatures: tuple[MaintainerSignature, ...]
    ready: bool = False
    fault: str = ""
    position: int | None = None
    proposer: str = ""
    withdrawn: str = ""
    number: int = 0

    @property
    def state(self) -> PublicationState:
        """Return how far it is."""
        if self.position is not None:
            return PublicationState.PUBLISHED
        if self.withdrawn:
            return PublicationState.WITHDRAWN
        if self.fault:
            return PublicationState.REFUSED
        return PublicationState.SIGNED if self.ready else PublicationState.WAITING


class Publications(Protocol):
    """What maintainers have signed, published or not."""

    def keep(self, publication: MappingPublication, *, quorum: SignatureQuorum) -> MappingPublication:
        """Add signatures to a version, the first of each key; what is kept then is returned.

        In the same transaction it is marked as ready once the quorum is there. An earlier fault is forgotten.
        What was withdrawn stays as it is.
        """
        ...

    def withdraw(self, digest: str, moment: str) -> MappingPublication | None:
        """Take a version back, unless it was before, or enough have signed; return what is kept then."""
        ...

    def publication(self, digest: str) -> MappingPublication | None:
        """Return one publication."""
        ...

    def every(self) -> Sequence[MappingPublication]:
        """Return all in the order in which they came."""
        ...

    def open(self, platform: str, *, before: int | None, limit: int) -> Sequence[MappingPublication]:
        """Return those that are neither published nor withdrawn, newest first, before a number.

        ``platform``: those of its mappings; empty: all.
        """
        ...

    def due(self) -> Sequence[MappingPublication]:
        """Return those that are ready, neither published nor refused."""
        ...

    def settle(self, digest: str, position: int) -> None:
        """Note where the version of a digest stands in the log."""
        ...

    def refuse(self, digest: str, fault: str) -> None:
        """Note why a version cannot be published."""
        ...

    def count(self) -> int:
        """Return how many are published."""
        ...
