"""The acts that may still be compared, in sorted runs: by person and kind, until their day closes.

The upper half of a key is half of the name of a person and an outermost kind, so that all acts that may be
compared stand together; the lower half is half of the event's name.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from gateway.claims import Act
from gateway.ports import ClaimColumns, Meeting
from gateway.store.files.keyed import KeyedFiles, Replacement, StagedRun
from gateway.store.files.sorted_runs import Entries, chosen, entries_of, joined, newest
from gateway.store.sql.database import Database

__all__ = ["ClaimFiles"]

_VALUE: Final[Any] = [
    ("name", "<u8"), ("start", "<i8"), ("end", "<i8"), ("day", "<i4"), ("platform", "<u8"),
    ("kind", "<u2"), ("rank", "u1"), ("whole", "u1"), ("withdrawn", "u1"),
    ("event", "V16"), ("record", "V16"),
]  # fmt: skip  # ``name`` is the other half of the name of person and kind
_LAYOUT: Final = np.dtype(_VALUE)
_WITH_KEY: Final[Any] = np.dtype([("high", "<u8"), ("low", "<u8"), *_VALUE])
_PARTS_AT_ONCE: Final = 4  # one is judged while a few wait to be written
_LIFETIMES: Final = 1 << 40  # more seconds than between any two acts


class ClaimFiles:
    """Acts of open days, and those of closed days that an act of an open one may still overlap."""

    def __init__(self, database: Database) -> None:
        self._files = KeyedFiles(database, "claims", width=_LAYOUT.itemsize)
        self._made: deque[tuple[ClaimColumns, Entries]] = deque(maxlen=_PARTS_AT_ONCE)

    def meetings(
        self, new: ClaimColumns, undecided: Iterable[ClaimColumns], *, beside: "ClaimFiles | None" = None
    ) -> list[Meeting]:
        """Return new acts that share a moment with others of their person and kind, together with these."""
        waiting = list(undecided)
        files = [one._files for one in (self, beside) if one is not None]
        mine = self._entries(new).view(_WITH_KEY)
        highs = self._touched(mine, waiting, files=files)
        mine = _under(mine, highs)
        known = [_under(self._entries(columns), highs) for columns in waiting]
        known += [chosen(run, places) for one in files for run, places, _ in one.visit(highs)]
        before = newest(known).view(_WITH_KEY) if known else mine[:0]
        before = chosen(before, before["withdrawn"] == 0)
        both = joined([before, mine])
        places, numbers = _meeting(both, known=len(before))
        met = chosen(both, places)
        found: dict[tuple[int, int], Meeting] = {}
        which = zip(numbers.tolist(), met["name"].tolist(), (places >= len(before)).tolist(), strict=True)
        for (number, name, is_new), act in zip(which, _acts(met), strict=True):
            meeting = found.get((number, name))
            if meeting is None:
                meeting = found[number, name] = Meeting([], [])
            (meeting.new if is_new else meeting.known).append(act)
        return [meeting for meeting in found.values() if meeting.new]

    def _touched(
        self, mine: Entries, waiting: Iterable[ClaimColumns], *, files: Iterable[KeyedFiles]
    ) -> NDArray[np.uint64]:
        """Return the upper halves under which some act shares a moment with what is new.

        Nearly all persons' acts are apart. This is seen from the first start and the last end of what is
        new of each, before anything but times is read of what is known.
        """
        highs, begins, counts = np.unique(mine["high"], return_index=True, return_counts=True)
        if not len(highs):
            return highs
        first = np.minimum.reduceat(mine["start"], begins)
        last = np.maximum.reduceat(mine["end"], begins)
        touched = counts > 1

        def touch(entries: Entries, places: NDArray[np.int64], *, numbers: NDArray[np.int64]) -> None:
            meets = (entries["start"][places] <= last[numbers]) & (entries["end"][places] >= first[numbers])
            touched[numbers[meets]] = True

        for columns in waiting:
            entries = self._entries(columns).view(_WITH_KEY)
            numbers = np.searchsorted(highs, entries["high"])
            numbers[numbers == len(highs)] = 0
            same = np.flatnonzero(highs[numbers] == entries["high"])
            touch(entries, same, numbers=numbers[same])
        for one in files:
            for run, places, numbers in one.visit(highs):
                touch(run["value"].view(_LAYOUT), places, numbers=numbers)
        return highs[touched]

    def find(self, record: bytes) -> tuple[bytes, list[Act]] | None:
        """Return the group of a record's open claim and the acts in it."""
        wanted = np.void(record)
        for some in self._open_slices():
            places = np.flatnonzero(some["record"] == wanted)
            if len(places):
                high, name = some["high"][places[0]], some["name"][places[0]]
                same = (some["high"] == high) & (some["name"] == name)
                return _group(high, name), list(_acts(some[same]))
        return None

    def groups(self) -> Iterator[tuple[bytes, list[Act]]]:
        """Yield each group with its acts."""
        for some in self._open_slices():
            ordered = some[np.lexsort((some["name"], some["high"]))]
            names = map(_group, ordered["high"].tolist(), ordered["name"].tolist())
            rows = zip(names, _acts(ordered), strict=True)
            for group, members in groupby(rows, key=lambda row: row[0]):
                yield group, [act for _, act in members]

    def stage(self, new: ClaimColumns | None, withdrawn: Iterable[tuple[bytes, Act]]) -> StagedRun | None:
        """Write a run of acts that does not count yet."""
        made = [] if new is None else [self._entries(new)]
        made += [_plain(_withdrawn(group, act)) for group, act in withdrawn]
        return self._files.stage_entries(newest(made)) if made else None

    def empty(self) -> bool:
        """Tell whether there is nothing."""
        return next(self._files.slices(), None) is None

    def adopt(self, connection: Connection, staged: StagedRun | None) -> None:
        """Make a staged run count, inside a transaction."""
        self._files.adopt(connection, staged)

    def stage_closed(
        self, day: int, *, edge: int, held: Callable[[list[Act]], Collection[Act]]
    ) -> Replacement:
        """Write what is left once all days up to one are closed; see :meth:`replace`."""
        return self._files.stage_chosen(_left(some, day, edge=edge, held=held) for some in self._slices())

    def stage_without(self, events: Collection[bytes]) -> Replacement:
        """Write what is left without the groups in which one of these events stands; see :meth:`replace`."""
        lows = np.frombuffer(b"".join(events), ">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
        groups = {
            _group(high, name)
            for some in self._slices()
            for here in [some[np.isin(some["low"], lows)]]
            for high, name in zip(here["high"].tolist(), here["name"].tolist(), strict=True)
        }
        highs = np.array([int.from_bytes(group[:8]) for group in groups], np.uint64)

        def left(some: Entries) -> Entries:
            still = ~np.isin(some["high"], highs)
            for place in np.flatnonzero(~still).tolist():
                still[place] = _group(some["high"][place], some["name"][place]) not in groups
            return _plain(some[still])

        return self._files.stage_chosen(left(some) for some in self._slices())

    def replace(self, connection: Connection, replacement: Replacement) -> None:
        """Let what was staged take the place of all there is, inside a transaction."""
        self._files.replace(connection, replacement)

    def sweep(self) -> None:
        """Remove files that nobody lists; only the writer may."""
        self._files.sweep()

    def tidy(self) -> None:
        """Merge runs where there are many."""
        self._files.tidy()

    def require_whole(self) -> None:
        """Check every file against its digest; raises IntegrityBroken naming it."""
        self._files.require_whole()

    def _entries(self, columns: ClaimColumns) -> Entries:
        """Return columns as entries; those of a part are asked for again until it is written."""
        for known, entries in self._made:
            if known is columns:
                return entries
        made = _entries(columns)
        self._made.append((columns, made))
        return made

    def _slices(self) -> Iterator[Entries]:
        return (some.view(_WITH_KEY) for some in self._files.slices())

    def _open_slices(self) -> Iterator[Entries]:
        return (some[some["withdrawn"] == 0] for some in self._slices())


def _entries(columns: ClaimColumns) -> Entries:
    """Return columns as entries in the order of their keys."""
    groups = np.frombuffer(columns.groups, ">u8").reshape(-1, 2)
    events = np.frombuffer(columns.events, ">u8").reshape(-1, 2)
    values = np.zeros(len(groups), _LAYOUT)
    values["name"] = groups[:, 1]
    for member, column in (
        ("start", columns.starts), ("end", columns.ends), ("day", columns.days),
        ("kind", columns.kinds), ("rank", columns.ranks), ("whole", columns.whole),
    ):  # fmt: skip
        values[member] = column
    values["platform"] = columns.platform
    values["event"] = np.frombuffer(columns.events, "V16")
    values["record"] = np.frombuffer(columns.records, "V16")
    keys = np.empty((len(groups), 2), ">u8")
    keys[:, 0], keys[:, 1] = groups[:, 0], events[:, 0]
    return entries_of(keys.tobytes(), values.tobytes(), width=_LAYOUT.itemsize)


def _under(entries: Entries, highs: NDArray[np.uint64]) -> Entries:
    return chosen(entries, np.isin(entries["high"], highs))


def _meeting(entries: Entries, *, known: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of acts that share a moment with others, and the number of what they form together.

    In the order of their starts, an act shares a moment with one before it if it starts before the latest
    end so far, and what stands between two gaps can be judged by itself. One running maximum serves all
    persons: each begins above the one before. Acts of which none is new (at a place from ``known`` on) are
    left out.
    """
    order = np.lexsort((entries["start"], entries["high"]))
    highs, starts, ends = (entries[name][order] for name in ("high", "start", "end"))
    level = np.cumsum(np.diff(highs, prepend=highs[:1]) != 0) * _LIFETIMES
    reach = np.maximum.accumulate(ends + level)
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (starts + level)[1:] > reach[:-1]
    number = np.cumsum(begins) - 1
    size = np.bincount(number, minlength=1)
    fresh = np.bincount(number, weights=order >= known, minlength=1)
    kept = ((size > 1) & (fresh > 0))[number]
    return order[kept], number[kept]


def _acts(entries: Entries) -> Iterator[Act]:
    names = ("day", "start", "end", "rank", "event", "kind", "platform", "whole", "record")
    day, start, end, rank, event, kind, platform, whole, record = (entries[name].tolist() for name in names)
    rows = zip(day, start, end, rank, event, kind, platform, map(bool, whole), record, strict=True)
    return map(Act._make, rows)


def _group(high: int, name: int) -> bytes:
    return int(high).to_bytes(8, "big") + int(name).to_bytes(8, "big")


def _withdrawn(group: bytes, act: Act) -> Entries:
    columns = ClaimColumns(
        act.platform, group, act.digest, act.record,
        [act.day], [act.start], [act.end], [act.rank], [act.kind], [act.whole],
    )  # fmt: skip
    entries: Entries = _entries(columns).view(_WITH_KEY)
    entries["withdrawn"] = 1
    return entries


def _plain(entries: Entries) -> Entries:
    """Return entries as the files know them: a key and a value."""
    layout: Any = [("high", "<u8"), ("low", "<u8"), ("value", f"V{_LAYOUT.itemsize}")]
    plain: Entries = np.ascontiguousarray(entries).view(np.dtype(layout))
    return plain


def _left(entries: Entries, day: int, *, edge: int, held: Callable[[list[Act]], Collection[Act]]) -> Entries:
    """Return the acts of open days, and closed ones that hold and reach into an open day."""
    still = (entries["day"] > day) & (entries["withdrawn"] == 0)
    reaching = (entries["day"] <= day) & (entries["end"] >= edge) & (entries["whole"] == 0)
    if reaching.any():
        groups = np.unique(entries["high"][reaching])
        mine = np.isin(entries["high"], groups) & (entries["withdrawn"] == 0) & (entries["day"] <= day)
        places = np.flatnonzero(mine)
        for group in groups:
            here = places[entries["high"][places] == group]
            acts = list(_acts(entries[here]))
            kept = held(acts)
            still[here] = [act in kept and act.end >= edge and not act.whole for act in acts]
    return _plain(entries[still])
