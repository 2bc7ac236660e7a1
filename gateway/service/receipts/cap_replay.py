"""Replay caps in the order of acceptance: for an audit, and for an erasure before it forgets whose they are.

Where it is known no longer for whom an act counted, its use of caps is carried as a sum under the cap's
keyed name, which stands there from the start. No cap was ever exceeded, so every other act finds the
same room, save in two rare cases (docs/decisions/0014-erasure.md): then only bounds can be told.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple, Protocol

from gateway.convert import CapKey, CapMeter, CapUse, Converted, Granted, Program, Refusal, keys_of
from gateway.model.erasure import CarriedUse
from gateway.ports import PrivateRow
from gateway.service.receipts.replaying import Replayer
from gateway.signing import KeyedIndex

__all__ = ["CapBook", "CapReplay", "Replayed"]

_UNKNOWN: Final = "?"  # for whom an act counted, once that is erased; no pseudonym looks like it
_CHUNK: Final = 8192

_Whole = tuple[str, CapKey]
"""A scheme and a key of one of its caps."""


class CapBook(Protocol):
    """Where the use of caps is counted while they are replayed; may be larger than memory."""

    def cap_usage(self, keys: list[bytes]) -> dict[bytes, int]:
        """Return what has been used."""
        ...

    def store_cap_usage(self, usage: Mapping[bytes, int]) -> None:
        """Replace what has been used."""
        ...

    def all_cap_usage(self) -> Iterator[tuple[bytes, int]]:
        """Return every cap usage, by key."""
        ...


class Replayed(NamedTuple):
    """What the caps leave of one record's points.

    The points granted are from ``least`` to ``most``, which are equal for nearly all; ``refusal`` says why
    there are none. ``known`` tells whether it is known for whom the record counts; else ``uses`` is the
    most that it can have used.
    """

    row: PrivateRow
    scheme: str
    least: int
    most: int
    refusal: str
    known: bool
    uses: tuple[CapUse, ...]


class _Asked(NamedTuple):
    row: PrivateRow
    result: Converted
    scheme: str
    meter: CapMeter
    keys: tuple[CapKey, ...] | Refusal


@dataclass(slots=True, kw_only=True)
class CapReplay:
    """Replays records batch after batch. ``loose`` are the caps of which only bounds could be told."""

    index: KeyedIndex
    replayer: Replayer
    book: CapBook
    loose: set[bytes] = field(default_factory=set)
    _carried: set[bytes] = field(default_factory=set)
    _meters: dict[str, CapMeter] = field(default_factory=dict)

    def carry(self, uses: Iterable[CarriedUse]) -> None:
        """Begin with what erased records have used."""
        pending: dict[bytes, int] = {}
        for use in uses:
            self._carried.add(use.key)
            pending[use.key] = use.used
            if len(pending) == _CHUNK:
                self.book.store_cap_usage(pending)
                pending = {}
        self.book.store_cap_usage(pending)

    def is_carried(self, names: Iterable[bytes]) -> bool:
        """Tell whether erased records have used one of these caps."""
        return not self._carried.isdisjoint(names)

    def counts_for_somebody(self, row: PrivateRow, accepted: datetime) -> bool:
        """Tell whether it is known for whom the record counts, as far as any cap asks."""
        return _known(self._keys(row, self.replayer.program(row.mapping), accepted=accepted))

    def replay(self, acts: Sequence[tuple[PrivateRow, Converted]], accepted: datetime) -> list[Replayed]:
        """Replay records of one batch in their order."""
        asked = [self._asked(row, result, accepted=accepted) for row, result in acts]
        names = {
            (one.scheme, key): self.index.caps(one.scheme, [key])
            for one in asked
            if not isinstance(one.keys, Refusal) and _known(one.keys)
            for key in one.keys
        }
        used = self.book.cap_usage(list(names.values())) if names else {}
        usage = {whole: used.get(name, 0) for whole, name in names.items()}
        replayed = [self._replayed(one, names, usage=usage) for one in asked]
        self.book.store_cap_usage({names[whole]: value for whole, value in usage.items() if value})
        return replayed

    def _asked(self, row: PrivateRow, result: Converted, *, accepted: datetime) -> _Asked:
        program = self.replayer.program(row.mapping)
        return _Asked(
            row, result, program.id, self._meter(program), self._keys(row, program, accepted=accepted)
        )

    def _keys(self, row: PrivateRow, program: Program, *, accepted: datetime) -> tuple[CapKey, ...] | Refusal:
        day = date.fromisoformat(row.day).toordinal()
        plan = self._meter(program).plan(
            row.behaviour, day, accepted=accepted.astimezone(program.zone).date()
        )
        if isinstance(plan, Refusal):
            return plan
        return keys_of(plan, _hex(row.person), household=_hex(row.household))

    def _replayed(
        self, asked: _Asked, names: Mapping[_Whole, bytes], *, usage: dict[_Whole, int]
    ) -> Replayed:
        row, result, scheme, meter, keys = asked
        if isinstance(keys, Refusal):
            return Replayed(row, scheme, 0, -1, keys.detail, True, ())
        if not _known(keys):
            return _bounded(asked, meter.grant(result, keys, usage={}), known=False)
        before = {key: usage[scheme, key] for key in keys}
        mine = dict(before)
        granted = meter.grant(result, keys, usage=mine)
        carried = [key for key in keys if names[scheme, key] in self._carried]
        if carried and _points(granted) != row.points:
            mine = before | dict.fromkeys(carried, 0)
            granted = meter.grant(result, keys, usage=mine)
            mine = {key: mine[key] + (before[key] if key in carried else 0) for key in keys}
            self.loose.update(names[scheme, key] for key in carried)
            usage.update({(scheme, key): value for key, value in mine.items()})
            return _bounded(asked, granted, known=True)
        usage.update({(scheme, key): value for key, value in mine.items()})
        if isinstance(granted, Refusal):
            return Replayed(row, scheme, 0, -1, granted.detail, True, ())
        return Replayed(row, scheme, granted.points, granted.points, "", True, granted.caps)

    def _meter(self, program: Program) -> CapMeter:
        if program.digest not in self._meters:
            self._meters[program.digest] = CapMeter(program)
        return self._meters[program.digest]


def _known(keys: tuple[CapKey, ...] | Refusal) -> bool:
    return isinstance(keys, Refusal) or all(key.whom != _UNKNOWN for key in keys)


def _points(granted: Granted | Refusal) -> int:
    return -1 if isinstance(granted, Refusal) else granted.points


def _bounded(asked: _Asked, most: Granted | Refusal, *, known: bool) -> Replayed:
    uses = () if isinstance(most, Refusal) else most.caps
    return Replayed(asked.row, asked.scheme, 0, _points(most), "", known, uses)


def _hex(pseudonym: bytes | None) -> str:
    return _UNKNOWN if pseudonym is None else pseudonym.hex()
