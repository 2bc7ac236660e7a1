"""Claims of one part: which acts are too late, and which hold, of all that any platform has recorded.

What is asked for is little where no account is linked: nothing. Every act that the mapping accepts gets its
record. Whether that counts follows from all acts of the person that are known, not from which came first;
a record that does not count, or no longer, is reversed, and counts again when what stood before it goes.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.claims import NO_KIND, Act, Kinds, changes, closed_through
from gateway.convert import Refusal
from gateway.model.codes import Rejection
from gateway.model.packed import cut
from gateway.ports import ClaimColumns, Claims, ClaimState, Meeting
from gateway.service.acts.claims_asked import ClaimsAsked
from gateway.service.acts.preparing import Asked
from gateway.service.claims.links_known import LinkColumns, LinksKnown
from gateway.signing import PSEUDONYM_BYTES, KeyedIndex

__all__ = [
    "LATE",
    "ClaimJudge",
    "Claimed",
    "PartClaims",
    "Reversed",
    "already_claimed",
    "platform_tag",
    "reversals_of",
]

ID_BYTES: Final = 16
LATE: Final = Refusal(
    Rejection.LATE,
    "day",
    "the person is known at several platforms, and the claims of that day are closed: whether another"
    " platform has counted this act can be told no longer",
)


class Reversed(NamedTuple):
    """A record that counts no longer, or again: by its id and the tag of its platform.

    ``reason`` is ``already-claimed``, ``claim-free`` or ``withdrawn``; ``by`` is the record that holds
    the claim instead, and its platform's tag; empty and 0 for none.
    """

    record: bytes
    platform: int
    holds: bool
    reason: str
    by: bytes = b""
    by_platform: int = 0


class Claimed(NamedTuple):
    """What the claims of a part come to.

    ``ids`` are those of the records of all kept acts. ``set_off`` gives the ids of those that do not count,
    by their place among the kept. ``states`` are by record id, of those that do not simply hold.
    """

    ids: bytes
    set_off: dict[int, bytes]
    columns: ClaimColumns | None
    states: dict[bytes, bytes]
    reversed: list[Reversed]

    def for_records(self) -> "Claimed":
        """Return what making records needs: the rest need not travel to where that is done."""
        return Claimed(self.ids, self.set_off, None, {}, [])


def platform_tag(index: KeyedIndex, platform: str) -> int:
    """Return the number by which acts tell their platform."""
    return int.from_bytes(index.platform_tag(platform))


def already_claimed(record: bytes) -> Refusal:
    """Say why an act does not count that is recorded."""
    return Refusal(
        Rejection.ALREADY_CLAIMED,
        "",
        f"another record of the same person, kind and time counts instead; this act is record {record.hex()}"
        " and counts should the other be withdrawn before its day closes",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimJudge:
    """Judges the claims of one platform's parts."""

    kinds: Kinds
    claims: Claims
    index: KeyedIndex
    platform: str
    random_bytes: Callable[[int], bytes]
    _links: LinksKnown = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_links", LinksKnown(self.claims))

    def begin(self, asked: Asked) -> "PartClaims | None":
        """Look up who is known in a part; None where nobody is."""
        if asked.claims is None:
            return None
        links = self._links.of(asked.claims.accounts)
        if not links.linked.any():
            return None
        closed = closed_through(asked.accepted, closed=self.claims.closed())
        return PartClaims.of(self, asked.claims, links=links, closed=closed)


@dataclass(frozen=True, slots=True)
class PartClaims:
    """The claims of one part: the places of acts that are too ``late``, and which ones make a claim.

    ``persons`` are whose the accounts are, packed.
    """

    judge: ClaimJudge
    asked: ClaimsAsked
    persons: bytes
    late: frozenset[int]
    claiming: NDArray[np.bool_]

    @classmethod
    def of(cls, judge: ClaimJudge, asked: ClaimsAsked, *, links: LinkColumns, closed: int) -> "PartClaims":
        """Tell acts apart by the links of their persons."""
        linked, shared, after = (column[asked.numbers] for column in links[1:])
        linked &= asked.kinds != NO_KIND
        still_open = (asked.days > closed) & (asked.days > after)
        late = np.flatnonzero(linked & shared & ~still_open)
        return cls(judge, asked, links.persons, frozenset(late.tolist()), linked & still_open)

    def settle(self, kept: Sequence[int], events: bytes, *, undecided: Iterable[ClaimColumns]) -> Claimed:
        """Tell what the claims come to, once it is known which acts are kept.

        ``events`` are the names of the events of all acts, packed.
        """
        ids = self.judge.random_bytes(ID_BYTES * len(kept))
        places = np.array(kept, np.intp)
        claiming = self.claiming[places]
        columns = self._columns(
            places[claiming], events, records=np.frombuffer(ids, _NAME)[claiming].tobytes()
        )
        found: list[Reversed] = []
        if columns.records:
            for meeting in self.judge.claims.meetings(columns, undecided):
                found.extend(_reversed(meeting, self.judge.kinds))
        states = {one.record: ClaimState.HOLDS if one.holds else ClaimState.SET_OFF for one in found}
        off = {one.record for one in found if not one.holds}
        return Claimed(ids, _places(off, ids), columns, states, found)

    def _columns(self, places: NDArray[np.intp], events: bytes, *, records: bytes) -> ClaimColumns:
        asked = self.asked
        return ClaimColumns(
            platform=platform_tag(self.judge.index, self.judge.platform),
            groups=self._groups(places),
            events=np.frombuffer(events, _NAME)[places].tobytes(),
            records=records,
            days=asked.days[places],
            starts=asked.starts[places],
            ends=asked.ends[places],
            ranks=asked.ranks[places],
            kinds=asked.kinds[places],
            whole=asked.whole[places],
        )

    def _groups(self, places: NDArray[np.intp]) -> bytes:
        """Name the person and outermost kind of each act; each pair of them once."""
        kinds = self.judge.kinds
        roots = [kinds.root(number) for number in range(len(kinds.kinds))]
        words = sorted(set(roots))
        root_of = np.array([words.index(root) for root in roots])
        pairs = self.asked.numbers[places] * len(words) + root_of[self.asked.kinds[places]]
        distinct, which = np.unique(pairs, return_inverse=True)
        persons, named = (side.tolist() for side in np.divmod(distinct, len(words)))
        known = cut(self.persons, PSEUDONYM_BYTES)
        names = self.judge.index.claims(
            zip(map(known.__getitem__, persons), map(words.__getitem__, named), strict=True)
        )
        return np.frombuffer(names, _NAME)[which].tobytes()


_NAME: Final = f"V{ID_BYTES}"


def _places(records: Collection[bytes], ids: bytes) -> dict[int, bytes]:
    """Return which of the packed ids are some of these records', by their places."""
    heads, wanted = (np.frombuffer(packed, "<u8")[::2] for packed in (ids, b"".join(records)))
    found = {int(n): ids[n * ID_BYTES : (n + 1) * ID_BYTES] for n in np.flatnonzero(np.isin(heads, wanted))}
    return {place: record for place, record in found.items() if record in records}


def reversals_of(known: Sequence[Act], now: Sequence[Act], *, kinds: Kinds) -> list[Reversed]:
    """Tell which records count no longer, or again, when a person's acts change."""
    return [
        Reversed(
            change.act.record,
            change.act.platform,
            change.holds,
            "claim-free" if change.by is None else Rejection.ALREADY_CLAIMED.value,
            *(() if change.by is None else (change.by.record, change.by.platform)),
        )
        for change in changes(known, now, kinds=kinds)
    ]


def _reversed(meeting: Meeting, kinds: Kinds) -> list[Reversed]:
    return reversals_of(meeting.known, [*meeting.known, *meeting.new], kinds=kinds)
