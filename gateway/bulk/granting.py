"""What the caps of a version leave of the points of stored acts, in the order in which they were accepted."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gateway.bulk.coding import CodedNames
from gateway.bulk.restating import Restated, Results
from gateway.bulk.tally import Batch, Granted
from gateway.convert import CapKey, CapMeter, CapPlan, Converted, Program, Refusal

__all__ = ["Book", "Granted", "Granting"]

Ints = npt.NDArray[np.int64]
_Names = npt.NDArray[np.uint64]
_NAME_BYTES: Final = 16


class Book(Protocol):
    """Where the use of caps is counted meanwhile, by 16-byte names; may be larger than memory."""

    def used(self, names: bytes) -> Ints:
        """Return what has been used under names, which are packed; zero where nothing was."""
        ...

    def replace(self, names: bytes, used: Ints) -> None:
        """Replace what has been used under distinct names."""
        ...


class _Group(NamedTuple):
    """The rows of a batch that count against one cap in one period, and for whom: a code for each."""

    plan: CapPlan
    rows: npt.NDArray[np.intp]
    whom: npt.NDArray[np.intp]
    words: npt.NDArray[np.uint64]


class Granting:
    """Applies the caps of one version; whoever stays below all of them is never looked at one by one."""

    def __init__(self, program: Program, book: Book) -> None:
        self._program = program
        self._meter = CapMeter(program)
        self._caps = {cap.name: cap for cap in program.caps}
        self._book = book

    def grant(self, results: Results, places: Ints, *, batch: Batch) -> Granted:
        """Return what each row counts; ``places`` tells which of the results it has."""
        co2e_mg, points, refused = (
            column[places] for column in (results.co2e_mg, results.points, results.refused)
        )
        done = Granted(co2e_mg, points, points, refused == 0, list(results.words), refused, {})
        if self._caps:
            done = done._replace(granted=points.copy())
            self._apply(done, results.rows, places=places, batch=batch)
        return done

    def _apply(self, done: Granted, distinct: Sequence[Restated], *, places: Ints, batch: Batch) -> None:
        groups, late = self._groups(done.ok, batch)
        for rows, refusal in late:
            self._refuse(done, rows, refusal=refusal)
        present = [np.unique(group.whom) for group in groups]
        names = [_names(group, at) for group, at in zip(groups, present, strict=True)]
        used = self._used(groups, present, names=names)
        if self._is_plain(groups):
            counted = [
                self._clip(group, before, done=done) for group, before in zip(groups, used, strict=True)
            ]
        else:
            through = self._meeting(groups, used, done=done)
            counted = self._one_by_one(
                done, distinct, places=places, groups=groups, used=used, through=through
            )
        changed = [more[at] != 0 for at, more in zip(present, counted, strict=True)]
        after = [
            (before + more)[at][some]
            for at, before, more, some in zip(present, used, counted, changed, strict=True)
        ]
        if after:
            replaced = np.concatenate([named[some] for named, some in zip(names, changed, strict=True)])
            self._book.replace(replaced.tobytes(), np.concatenate(after))

    def _is_plain(self, groups: list[_Group]) -> bool:
        """Tell whether each row counts against one cap at most, which only takes points away."""
        plain = all(self._meter.limit(group.plan.cap) is not None for group in groups)
        rows = [group.rows for group in groups]
        return plain and (len(rows) < 2 or len(np.unique(np.concatenate(rows))) == sum(map(len, rows)))

    def _clip(self, group: _Group, before: Ints, *, done: Granted) -> Ints:
        """Give each row what the ones before it have left, on whole columns."""
        order = np.argsort(group.whom, kind="stable")
        rows, whom = group.rows[order], group.whom[order]
        points = done.points[rows]
        total = np.cumsum(points)
        first = np.searchsorted(whom, whom)  # where the rows of the same person begin
        reached = total - (total - points)[first]
        rest = np.maximum(self._caps[group.plan.cap].maximum - before, 0)[whom]
        granted = np.minimum(reached, rest) - np.minimum(reached - points, rest)
        done.granted[rows] = granted
        lost = points - granted
        if lost.any():
            cut = done.cuts.setdefault(group.plan.cap, [0, 0])
            cut[:] = [cut[0] + int(np.count_nonzero(lost)), cut[1] + int(lost.sum())]
        return _sums(granted, whom, count=len(group.words))

    def _meeting(self, groups: list[_Group], used: list[Ints], *, done: Granted) -> npt.NDArray[np.bool_]:
        """Tell which rows are of somebody who might meet a cap in this batch."""
        through = np.zeros(len(done.ok), dtype=np.bool_)
        for group, before in zip(groups, used, strict=True):
            total = _sums(self._asked(group, done), group.whom, count=len(group.words))
            meeting = before + total > self._caps[group.plan.cap].maximum
            through[group.rows[meeting[group.whom]]] = True
        return through

    def _groups(
        self, ok: npt.NDArray[np.bool_], batch: Batch
    ) -> tuple[list[_Group], list[tuple[npt.NDArray[np.intp], Refusal]]]:
        """Sort the rows by what they count against; also those that come too late for a period."""
        by_plan: dict[CapPlan, list[npt.NDArray[np.intp]]] = {}
        late: list[tuple[npt.NDArray[np.intp], Refusal]] = []
        accepted = batch.accepted.astimezone(self._program.zone).date()
        kind_of = batch.behaviour.places * len(batch.day.words) + batch.day.places
        order = np.argsort(kind_of, kind="stable")
        kinds, starts = np.unique(kind_of[order], return_index=True)
        for kind, rows in zip(kinds.tolist(), np.split(order, starts[1:]), strict=True):
            behaviour, day = divmod(kind, len(batch.day.words))
            counted = rows[ok[rows]]
            plan = self._meter.plan(batch.behaviour.words[behaviour], batch.ordinals[day], accepted=accepted)
            if isinstance(plan, Refusal):
                late.append((counted, plan))
                continue
            for one in plan:
                by_plan.setdefault(one, []).append(counted)
        return [
            self._group(plan, np.sort(np.concatenate(rows)), batch=batch) for plan, rows in by_plan.items()
        ], late

    def _group(self, plan: CapPlan, rows: npt.NDArray[np.intp], *, batch: Batch) -> _Group:
        words, codes = _whose(plan, batch)
        rows = rows[codes[rows] >= 0]  # whose record was erased counts against no cap that is known
        return _Group(plan, rows, codes[rows], words)

    def _used(
        self, groups: list[_Group], present: list[npt.NDArray[np.intp]], *, names: list[_Names]
    ) -> list[Ints]:
        """Return what has been used of what is counted together."""
        used = [np.zeros(len(group.words), dtype=np.int64) for group in groups]
        if names:
            found = self._book.used(np.concatenate(names).tobytes())
            ends = np.cumsum([len(at) for at in present])[:-1]
            for before, at, some in zip(used, present, np.split(found, ends), strict=True):
                before[at] = some
        return used

    def _asked(self, group: _Group, done: Granted) -> Ints:
        of = self._caps[group.plan.cap].of
        if of == "acts":
            return np.ones(len(group.rows), dtype=np.int64)
        return (done.points if of == "points" else done.co2e_mg)[group.rows]

    def _one_by_one(
        self,
        done: Granted,
        distinct: Sequence[Restated],
        *,
        places: Ints,
        groups: list[_Group],
        used: list[Ints],
        through: npt.NDArray[np.bool_],
    ) -> list[Ints]:
        """Let the meter decide row by row for whoever might meet a cap; return what is counted of each."""
        keys: dict[int, list[tuple[int, int]]] = {}
        counted: list[Ints] = []
        for number, group in enumerate(groups):
            looked = through[group.rows]
            rest = ~looked
            counted.append(_sums(self._asked(group, done)[rest], group.whom[rest], count=len(group.words)))
            for row, whom in zip(group.rows[looked].tolist(), group.whom[looked].tolist(), strict=True):
                keys.setdefault(row, []).append((number, whom))
        for row in sorted(keys):
            self._decide(
                row, keys[row], done=done, result=distinct[int(places[row])], state=(groups, used, counted)
            )
        return counted

    def _decide(
        self,
        row: int,
        keys: list[tuple[int, int]],
        *,
        done: Granted,
        result: Restated,
        state: tuple[list[_Group], list[Ints], list[Ints]],
    ) -> None:
        groups, used, counted = state
        named = {CapKey(groups[n].plan.cap, str(whom), groups[n].plan.period): (n, whom) for n, whom in keys}
        usage = {key: int(used[n][whom] + counted[n][whom]) for key, (n, whom) in named.items()}
        before = dict(usage)
        converted = Converted({}, result.co2e_mg, result.points, (result.points_num, result.points_den))
        granted = self._meter.grant(converted, tuple(named), usage=usage)
        if isinstance(granted, Refusal):
            self._refuse(done, np.array([row]), refusal=granted)
            return
        for use in granted.caps:
            if use.granted < use.asked:
                cut = done.cuts.setdefault(use.key.cap, [0, 0])
                cut[0] += 1
        lost = result.points - granted.points
        for name in {use.key.cap for use in granted.caps if use.granted < use.asked}:
            done.cuts[name][1] += lost
        done.granted[row] = granted.points
        for key, (n, whom) in named.items():
            counted[n][whom] += usage[key] - before[key]

    def _refuse(self, done: Granted, rows: npt.NDArray[np.intp], *, refusal: Refusal) -> None:
        code = refusal.code.value
        if code not in done.words:
            done.words.append(code)
        done.refused[rows] = done.words.index(code)
        done.ok[rows] = False
        for column in (done.co2e_mg, done.points, done.granted):
            column[rows] = 0


def _whose(plan: CapPlan, batch: Batch) -> CodedNames:
    """Return for whom rows may count, and for which of them each does."""
    if plan.whom == "platform":
        return CodedNames(np.zeros((1, 2), dtype=np.uint64), np.zeros(batch.rows, dtype=np.intp))
    return batch.whose(plan.whom)


def _sums(values: Ints, groups: npt.NDArray[np.intp], *, count: int) -> Ints:
    """Add up integers by group, exactly."""
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, groups, values)
    return total


def _names(group: _Group, present: npt.NDArray[np.intp]) -> _Names:
    """Name what is counted together; only for as long as a backtest runs.

    Pseudonyms are keyed hashes, so half of one, changed by a hash of cap and period, is a name.
    """
    text = f"{group.plan.cap}\0{group.plan.period}".encode()
    mask = np.frombuffer(hashlib.blake2b(text, digest_size=_NAME_BYTES).digest(), np.uint64)
    return group.words[present, :2] ^ mask
