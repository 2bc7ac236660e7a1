"""Claims of one part: which acts are too late, and which hold, of all that any platform has recorded.

What is asked for is little where no account is linked: nothing. Every act that the mapping accepts gets its
record. Whether that counts follows from all acts of the person that are known, not from which came first;
a record that does not count, or no longer, is reversed, and counts again when what stood before it goes.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from gateway.claims import NO_KIND, Act, Kinds, changes, closed_through
from gateway.convert import Refusal
from gateway.model.codes import Rejection
from gateway.model.packed import cut
from gateway.ports import ClaimColumns, Claims, ClaimState, Known, Meeting
from gateway.service.claims_asked import ClaimsAsked
from gateway.service.preparing import Asked
from gateway.signing import KeyedIndex

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

T = TypeVar("T")

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
    by their place among the kept. ``states`` are by record id.
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

    def begin(self, asked: Asked) -> "PartClaims | None":
        """Look up who is known in a part; None where nobody is."""
        if asked.claims is None:
            return None
        links = self.claims.known(asked.claims.accounts)
        if not links:
            return None
        closed = closed_through(asked.accepted, closed=self.claims.closed())
        return PartClaims.of(self, asked.claims, links=links, closed=closed)


@dataclass(frozen=True, slots=True)
class PartClaims:
    """The claims of one part: the places of acts that are too ``late``, and of those that make a claim."""

    judge: ClaimJudge
    asked: ClaimsAsked
    persons: Sequence[bytes | None]
    late: frozenset[int]
    claiming: Container[int]

    @classmethod
    def of(
        cls, judge: ClaimJudge, asked: ClaimsAsked, *, links: Mapping[bytes, Known], closed: int
    ) -> "PartClaims":
        """Tell acts apart by the links of their persons."""
        linked = [links.get(account) for account in asked.accounts]
        persons = [None if link is None else link.person for link in linked]
        if None not in persons and NO_KIND not in asked.kinds:
            after = max(link.after for link in links.values())
            if min(asked.days) > max(closed, after):  # as usual: everybody is known and nothing is late
                return cls(judge, asked, persons, frozenset(), range(len(asked.days)))
        late, claiming = set[int](), set[int]()
        for place, (number, kind, day) in enumerate(zip(asked.numbers, asked.kinds, asked.days, strict=True)):
            link = linked[number]
            if link is None or kind == NO_KIND:
                continue
            if day > closed and day > link.after:
                claiming.add(place)
            elif link.shared:
                late.add(place)
        return cls(judge, asked, persons, frozenset(late), frozenset(claiming))

    def settle(
        self, kept: Sequence[int], events: Sequence[bytes], *, undecided: Iterable[ClaimColumns]
    ) -> Claimed:
        """Tell what the claims come to, once it is known which acts are kept."""
        ids = self.judge.random_bytes(ID_BYTES * len(kept))
        records = dict(zip(kept, cut(ids, ID_BYTES), strict=True))
        columns = self._columns([place for place in kept if place in self.claiming], events, records=records)
        states = dict.fromkeys(cut(columns.records, ID_BYTES), ClaimState.HOLDS)
        found: list[Reversed] = []
        if columns.records:
            for meeting in self.judge.claims.meetings(columns, undecided):
                found.extend(_reversed(meeting, self.judge.kinds))
        for one in found:
            states[one.record] = ClaimState.HOLDS if one.holds else ClaimState.SET_OFF
        off = {one.record for one in found if not one.holds}
        places = {n: records[place] for n, place in enumerate(kept) if records[place] in off} if off else {}
        return Claimed(ids, places, columns, states, found)

    def _columns(
        self, places: Sequence[int], events: Sequence[bytes], *, records: Mapping[int, bytes]
    ) -> ClaimColumns:
        asked, kinds = self.asked, self.judge.kinds
        roots = [kinds.root(number) for number in range(len(kinds.kinds))]
        # one number for whom and what: cheaper to look up than a pair
        whose = [
            number * len(roots) + kind
            for number, kind in zip(_at(asked.numbers, places), _at(asked.kinds, places), strict=True)
        ]
        distinct = list(set(whose))
        names = self.judge.index.claims(
            [(self.persons[one // len(roots)] or b"", roots[one % len(roots)]) for one in distinct]
        )
        named = dict(zip(distinct, cut(names, ID_BYTES), strict=True))
        return ClaimColumns(
            platform=platform_tag(self.judge.index, self.judge.platform),
            groups=b"".join([named[one] for one in whose]),
            events=b"".join(_at(events, places)),
            records=b"".join([records[place] for place in places]),
            days=_at(asked.days, places),
            starts=_at(asked.starts, places),
            ends=_at(asked.ends, places),
            ranks=_at(asked.ranks, places),
            kinds=_at(asked.kinds, places),
            whole=_at(asked.whole, places),
        )


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


def _at(column: Sequence[T], places: Sequence[int]) -> Sequence[T]:
    return column if len(places) == len(column) else [column[place] for place in places]
