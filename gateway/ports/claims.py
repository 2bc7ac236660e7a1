"""What claims keep: links of accounts to persons, acts that may still be compared, and reversals."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gateway.claims import Act

__all__ = [
    "ClaimColumns",
    "ClaimDecision",
    "ClaimState",
    "ClaimStore",
    "Claims",
    "Known",
    "Link",
    "Meeting",
    "NewReversals",
    "ReversalRow",
]


class ClaimState:
    """Whether a record with a claim counts, as one byte."""

    HOLDS = b"\x01"
    SET_OFF = b"\x02"
    WITHDRAWN = b"\x03"


class Link(NamedTuple):
    """An account of a platform whose holder is known.

    ``account`` is the pseudonym inside the platform, ``person`` the one across platforms, of a key's
    ``epoch``. ``shared``: the person was ever linked at another platform too. Acts of days up to
    ``after`` can make no claim.
    """

    account: bytes
    person: bytes
    platform: str
    epoch: int
    consent: str
    linked: str
    shared: bool
    after: int


class Known(NamedTuple):
    """What judging needs of a link: the members of :class:`Link`."""

    person: bytes
    shared: bool
    after: int


class ClaimColumns(NamedTuple):
    """Acts of one platform that make a claim, column by column.

    ``groups`` (of a person and an outermost kind), ``events`` and ``records`` are 16-byte names, packed;
    the others are the members of :class:`gateway.claims.Act`.
    """

    platform: int
    groups: bytes
    events: bytes
    records: bytes
    days: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    ranks: Sequence[int]
    kinds: Sequence[int]
    whole: Sequence[int]


class Meeting(NamedTuple):
    """Acts of one person and outermost kind that share moments: those known, and the new ones.

    No act that is left out shares a moment with them, so they can be judged by themselves.
    """

    known: list[Act]
    new: list[Act]


class NewReversals(NamedTuple):
    """A batch of reversals of one platform: its signed statement, its root, and the digest of its file."""

    platform: str
    series: int
    entry: bytes
    entry_digest: str
    root: bytes
    size: int
    issued: str
    digest: str


class ReversalRow(NamedTuple):
    """A batch of reversals as the journal knows it."""

    number: int
    platform: str
    series: int
    entry_digest: str
    root: bytes
    size: int
    issued: str
    digest: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDecision:
    """What one decision changes about claims.

    ``states`` are by record id, 16 bytes; ``withdrawn`` are acts to forget, by group.
    """

    new: ClaimColumns | None = None
    withdrawn: Sequence[tuple[bytes, Act]] = ()
    states: Mapping[bytes, bytes] = field(default_factory=dict)
    reversals: Sequence[NewReversals] = ()


class Claims(Protocol):
    """What judging claims looks up."""

    def any_links(self) -> bool:
        """Tell whether any account is linked."""
        ...

    def known(self, accounts: Sequence[bytes]) -> dict[bytes, Known]:
        """Return whose those accounts are that are linked."""
        ...

    def closed(self) -> int:
        """Return the last day, as an ordinal number, that was closed; 0 for none."""
        ...

    def meetings(self, new: ClaimColumns, undecided: Iterable[ClaimColumns]) -> list[Meeting]:
        """Return what new acts meet, also of parts that are not written yet (the newest first)."""
        ...

    def note(self, decision: ClaimDecision) -> None:
        """Remember what a dry run would have decided."""
        ...


class ClaimStore(Claims, Protocol):
    """The claims of one home."""

    def links(self, accounts: Sequence[bytes]) -> dict[bytes, Link]:
        """Return the links of those accounts that have one."""
        ...

    def links_of(self, persons: Collection[bytes]) -> list[Link]:
        """Return the links of persons by their pseudonyms across platforms."""
        ...

    def unlink(self, account: bytes) -> None:
        """Take a link away."""
        ...

    def in_use(self) -> bool:
        """Tell whether any account is linked, or any act is kept to be compared."""
        ...

    def require_whole(self) -> None:
        """Check every file against its digest; raises IntegrityBroken naming it."""
        ...

    def all_states(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every record that has a state, by its id."""
        ...

    def states(self, records: bytes) -> dict[bytes, bytes]:
        """Return the states of those records (ids, 16 bytes each) that have one."""
        ...

    def reversal_head(self, platform: str) -> tuple[int, str]:
        """Return the next sequence number of a platform's reversals and the digest of its newest entry."""
        ...

    def next_reversals(self) -> int:
        """Return the number that the next batch of reversals will get."""
        ...

    def reversals(self) -> list[ReversalRow]:
        """Return all batches of reversals in order."""
        ...

    def find(self, record: bytes) -> tuple[bytes, list[Act]] | None:
        """Return the group of a record's open claim and the acts in it."""
        ...

    def open_groups(self) -> Iterator[list[Act]]:
        """Yield the acts of each person and outermost kind that are still compared."""
        ...

    def decide(self, decision: ClaimDecision) -> None:
        """Write a decision about claims alone in one transaction."""
        ...

    def close(self, day: int, *, edge: int, held: Callable[[list[Act]], Collection[Act]]) -> None:
        """Close all days up to one and delete their acts, save those that hold and end after the edge."""
        ...
