"""Make rides out of taps: two taps of a card for the metro, one for the bus.

No figure stands here: the fare goes to the mapping, whose fare table bounds the distance. Stations
are read past: the fare needs none of them, so a damaged or unknown name costs nobody a ride.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from adapters.shenzhen_transit.wire import BOARDING, BUS, read_taps
from gateway.contract import Assembly
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, RefusedRow, RepeatedRow, SourceFormat, SourceRow

__all__ = ["ShenzhenTransitAdapter", "pair_taps"]

# Longer than the operator lets a passenger stay, shorter than a night: an entry whose exit was lost
# must not take the next morning's exit for its own.
_LONGEST_RIDE: Final = timedelta(hours=6)


def pair_taps(taps: Iterator[SourceRow]) -> Iterator[Outcome]:
    """Turn one card's taps, ordered by time, into rides.

    1. A tap that another source states too (same time, type and equipment) is a repetition.
    2. A bus tap is a ride alone and does not come between two metro taps.
    3. An exit takes the metro tap right before it if that is an entry and not too long ago.
    4. What is left over is unpaired: it may pair when submitted together with the missing tap.
    """
    entry: SourceRow | None = None
    known: SourceRow | None = None
    for tap in taps:
        if known and _identity(known) == _identity(tap):
            yield _repeated(tap, known)
            continue
        known = tap
        if tap.fields["deal_type"] == BUS:
            yield _ride(tap, kind="bus", start=tap)
        elif tap.fields["deal_type"] == BOARDING:
            if entry:
                yield _unpaired(entry, "expected an exit, the card's next metro tap is another entry")
            entry = tap
        else:
            yield from _leave(entry, tap)
            entry = None
    if entry:
        yield _unpaired(entry, "expected an exit, this is the card's last metro tap")


class ShenzhenTransitAdapter:
    """Read the taps of Shenzhen's transit cards and make rides out of them.

    A ride has the fields ``kind`` (metro, bus), ``card_no``, ``start_time``, ``exit_time``,
    ``deal_type``, ``equ_no`` and ``full_fare_fen``; the last four are those of the exit, of a bus
    ride's only tap.
    """

    name = "shenzhen_transit"
    platform: str | None = "cn-440300/shenzhen"
    assembly: Assembly | None = Assembly(
        group_by=("card_no",), order_by=("deal_date", "deal_type", "equ_no", "deal_value"), assemble=pair_taps
    )

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each tap once; the three shapes of the feed are told apart by their content."""
        return read_taps(document, file, source=source)


def _leave(entry: SourceRow | None, leaving: SourceRow) -> Iterator[Outcome]:
    if entry is None:
        yield _unpaired(leaving, "expected an entry before this exit, the card has none that is still open")
    elif timedelta(0) < _time(leaving) - _time(entry) <= _LONGEST_RIDE:
        yield _ride(leaving, kind="metro", start=entry)._replace(also=(entry.place,))
    else:
        hours = _LONGEST_RIDE // timedelta(hours=1)
        yield _unpaired(entry, f"expected an exit within {hours} hours, the card's next one is not")
        yield _unpaired(leaving, f"expected an entry within {hours} hours before, the card's last one is not")


def _ride(tap: SourceRow, *, kind: str, start: SourceRow) -> SourceRow:
    fields = {
        "kind": kind,
        "card_no": tap.fields["card_no"],
        "start_time": start.fields["deal_date"],
        "exit_time": tap.fields["deal_date"],
        "deal_type": tap.fields["deal_type"],
        "equ_no": tap.fields["equ_no"],
    }
    if "deal_value" in tap.fields:
        fields["full_fare_fen"] = tap.fields["deal_value"]
    return SourceRow(tap.place, fields)


def _repeated(tap: SourceRow, known: SourceRow) -> RepeatedRow | RefusedRow:
    if tap.fields.get("deal_value") == known.fields.get("deal_value"):
        return RepeatedRow(tap.place, known.place)
    detail = f"the same tap stands in {known.place.file}:{known.place.row} with another deal_value"
    return RefusedRow(tap.place, Rejection.DUPLICATE_EVENT, detail, tap.fields)


def _unpaired(tap: SourceRow, detail: str) -> RefusedRow:
    return RefusedRow(tap.place, Rejection.UNPAIRED, detail, tap.fields)


def _identity(tap: SourceRow) -> tuple[str, ...]:
    return tuple(tap.fields[name] for name in ("deal_date", "deal_type", "equ_no"))


def _time(tap: SourceRow) -> datetime:
    return datetime.fromisoformat(tap.fields["deal_date"])
