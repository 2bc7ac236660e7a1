"""Audit the caps: points of each record, and the use of caps that is kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest

from gateway.convert import Converted, Program
from gateway.model.erasure import CarriedUse
from gateway.model.packed import cut
from gateway.ports import BatchRow, PrivateRow
from gateway.service.acts.capping import CapLedger
from gateway.service.audit.quick import Seen
from gateway.service.audit.report import Check
from gateway.service.receipts.cap_replay import CapReplay, Replayed
from gateway.signing import NAME_BYTES

__all__ = ["CapAudit"]

_Period = tuple[str, str, str]
"""Scheme, cap and period: what an erased record is still known to count against."""


@dataclass(slots=True, kw_only=True)
class CapAudit:
    """Replays the caps. Of erased records the sums must agree, since nobody knows whose they were."""

    replay: CapReplay
    check: Check
    _used: dict[_Period, tuple[int, int]] = field(default_factory=dict)

    def audit(
        self, rows: Sequence[PrivateRow], converted: Sequence[Converted | None], *, batch: BatchRow
    ) -> None:
        """Replay one batch; records whose quantity could not be recomputed are left out."""
        accepted = datetime.strptime(batch.issued, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        acts = [(row, result) for row, result in zip(rows, converted, strict=True) if result is not None]
        for replayed in self.replay.replay(acts, accepted):
            self._compare(replayed)
        self.check.looked_at += len(acts)

    def at_once(self, seen: Seen, programs: Sequence[Program]) -> dict[bytes, int] | None:
        """Replay the caps of a batch and return what is used of them then; None unless its points follow.

        Caps that erased records have used are left to :meth:`audit`.
        """
        names = cut(seen.caps.names, NAME_BYTES)
        if self.replay.is_carried(names):
            return None
        used = self.replay.book.cap_usage(names) if names else {}
        ledger = CapLedger(
            programs, seen.caps, amounts=seen.amounts, used=[used.get(name, 0) for name in names]
        )
        granted = list(map(ledger.grant, range(len(seen.points))))
        return ledger.changed() if granted == seen.points else None

    def count(self, used: dict[bytes, int], *, rows: int) -> None:
        """Count what :meth:`at_once` has returned, and the records it was for."""
        self.replay.book.store_cap_usage(used)
        self.check.looked_at += rows

    def _compare(self, replayed: Replayed) -> None:
        row, least, most = replayed.row, replayed.least, replayed.most
        if replayed.refusal:
            self.check.differs(f"record {row.id}: its caps refuse it: {replayed.refusal}")
        elif not least <= row.points <= most:
            granted = f"{most}" if least == most else f"at most {max(most, 0)}"
            self.check.differs(f"record {row.id}: {row.points} points stated, its caps grant {granted}")
        if not replayed.known:
            for use in replayed.uses:
                period = (replayed.scheme, use.key.cap, use.key.period)
                low, high = self._used.get(period, (0, 0))
                exact = use.of == "points"
                mine = (row.points, row.points) if exact else (0, use.counted)
                self._used[period] = (low + mine[0], high + mine[1])

    def finish(
        self,
        *,
        carried: Iterable[CarriedUse],
        kept: Iterator[tuple[bytes, int]],
        replayed: Iterator[tuple[bytes, int]],
    ) -> None:
        """Compare the sums of erased records with what is carried, and what is kept with the replay."""
        sums: dict[_Period, int] = {}
        for use in carried:
            period = (use.scheme, use.cap, use.period)
            sums[period] = sums.get(period, 0) + use.used
        for period in sorted(sums.keys() | self._used.keys()):
            low, high = self._used.get(period, (0, 0))
            if not low <= sums.get(period, 0) <= high:
                self.check.differs(
                    f"erased records have used another amount of {' '.join(period)} than is carried"
                )
        if any(one != other and not self._is_loose(one, other) for one, other in zip_longest(kept, replayed)):
            self.check.differs("the use of caps that is kept is not the one that replaying gives")

    def _is_loose(self, one: tuple[bytes, int] | None, other: tuple[bytes, int] | None) -> bool:
        return one is not None and other is not None and one[0] == other[0] and one[0] in self.replay.loose
