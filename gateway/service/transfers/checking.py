"""Check anew what was quoted, when its points shall move: persons, rules, lots, and what they come to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.model.canonical import Json
from gateway.model.quote import Quote
from gateway.model.transfer import TransferId, TransferRefusal
from gateway.ports import Corridor, KeptRecord, Link, Platform
from gateway.recognition import Agreement, Failure, Wish, day_of, failures
from gateway.service.each import tried
from gateway.service.transfers.arrivals import Arrivals, Taken
from gateway.service.transfers.lots import FoundLot, Sight, Sought
from gateway.service.transfers.quoting import (
    Quoting,
    TransferRefused,
    agreement_of_corridor,
    quoted_lot,
    subject_of,
)
from gateway.signing import KeyedIndex

__all__ = ["Checking", "Passed", "Wanted"]


class Wanted(NamedTuple):
    """A move that somebody asks for: its id, its quote, and the whole body, of the right form."""

    id: TransferId
    quote: Quote
    body: dict[str, Json]

    @property
    def corridor(self) -> Corridor:
        """Return from where to where."""
        return Corridor(self.quote.source, self.quote.destination)


class Passed(NamedTuple):
    """What the checks have found: the lots in the order of the quote, whose they are, and in which unit.

    ``taken`` says of each lot that came by transfers, of whose points it is taken.
    """

    lots: Sequence[FoundLot]
    taken: Sequence[Taken]
    person: bytes
    unit_in: str


class _Ends(NamedTuple):
    """The pseudonyms of the accounts at both ends."""

    source: bytes
    destination: bytes


class _Ready(NamedTuple):
    wanted: Wanted
    wish: Wish
    sought: Sought


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """What the checks need."""

    quoting: Quoting
    platform: Callable[[str], Platform | None]
    names: KeyedIndex
    arrivals: Arrivals

    def check(self, wanted: Sequence[Wanted], *, now: datetime) -> list[Passed | GatewayError]:
        """Check moves, each for itself; TransferRefused says which check one failed.

        1. the platforms and the agreement  2. the person at both ends  3. the lots  4. what they come to
        """
        agreed = {
            corridor: tried(partial(self._agreed, corridor, now=now))
            for corridor in {one.corridor for one in wanted}
        }
        ends = [self._ends(one) for one in wanted]
        links = self.quoting.lots.journal.claims.links(list({account for one in ends for account in one}))
        records = self._records(wanted, ends, links=links)
        ready = [
            tried(partial(_ready, one, theirs, agreed=agreed[one.corridor], links=links, now=now))
            for one, theirs in zip(wanted, ends, strict=True)
        ]
        whole = [
            one._replace(sought=one.sought._replace(records=_of_quote(one, ours.source, records=records)))
            if isinstance(one, _Ready)
            else one
            for one, ours in zip(ready, ends, strict=True)
        ]
        sight = self.quoting.lots.look([one.sought for one in whole if isinstance(one, _Ready)])
        witnessed = self.quoting.witnessed()
        judge = partial(self._judged, sight=sight, witnessed=witnessed)
        return [tried(partial(judge, one)) if isinstance(one, _Ready) else one for one in whole]

    def _agreed(self, corridor: Corridor, *, now: datetime) -> Agreement:
        for name in corridor:
            platform = self.platform(name)
            if platform is None or platform.suspended:
                raise _refused(TransferRefusal.PLATFORM_NOT_ACTIVE, f"{name} takes no part now")
        return agreement_of_corridor(corridor, self.quoting, now=now)

    def _ends(self, wanted: Wanted) -> _Ends:
        return _Ends(
            self.names.pseudonym(wanted.quote.source, str(wanted.body["source_account"])),
            self.names.pseudonym(wanted.quote.destination, str(wanted.body["destination_account"])),
        )

    def _records(
        self, wanted: Sequence[Wanted], ends: Sequence[_Ends], *, links: Mapping[bytes, Link]
    ) -> dict[tuple[str, bytes], Sequence[KeptRecord]]:
        """Return the records of the days that quotes name, by platform and account."""
        days: dict[str, dict[bytes, set[str]]] = {}
        onward: dict[tuple[str, bytes], bytes] = {}
        for one, ours in zip(wanted, ends, strict=True):
            if ours.source in links:
                of_account = days.setdefault(one.quote.source, {}).setdefault(ours.source, set())
                of_account.update(lot.day for lot in one.quote.lots)
                if any(lot.lot for lot in one.quote.lots):
                    onward[one.quote.source, ours.source] = links[ours.source].person
        arrived = self.quoting.lots.arrived(onward)
        return {
            (platform, account): [*kept, *arrived.get((platform, account), ())]
            for platform, accounts in days.items()
            for account, kept in self.quoting.lots.records.of(platform, accounts).items()
        }

    def _judged(self, ready: _Ready, *, sight: Sight, witnessed: int) -> Passed:
        wish, corridor = ready.wish, ready.wanted.corridor
        wanted = {lot.name: lot for lot in ready.wanted.quote.lots}
        lots = self.quoting.lots.read(ready.sought, wish, sight=sight, witnessed=witnessed)
        found = {one.name: one for one in lots}
        if found.keys() != wanted.keys():
            raise _refused(TransferRefusal.LOT_NOT_HELD, "a record of the quote is not here any more")
        for name, lot in wanted.items():
            failed = list(failures(found[name].lot, wish))
            if failed:
                raise TransferRefused(failed)
            unused_since = found[name].lot.used == (lot.before_mg, lot.before_points)
            if not unused_since or quoted_lot(found[name], part_mg=lot.use.used_mg, corridor=corridor) != lot:
                raise _refused(TransferRefusal.QUOTE_DIFFERS, "the lot was used since it was quoted")
        in_order = [found[name] for name in wanted]
        credited = in_order[0].found.destination
        account, person = str(ready.wanted.body["source_account"]), wish.person.hex()
        taken = [self.arrivals.taken(lot, person=person, account=account) for lot in wanted.values()]
        return Passed(in_order, taken, wish.person, "" if credited is None else credited.unit)


def _ready(
    wanted: Wanted,
    ends: _Ends,
    *,
    agreed: Agreement | GatewayError,
    links: Mapping[bytes, Link],
    now: datetime,
) -> _Ready:
    if isinstance(agreed, GatewayError):
        raise agreed
    if agreed.digest != wanted.quote.agreement:
        raise _refused(TransferRefusal.QUOTE_DIFFERS, "another agreement is in force by now")
    ours, theirs = links.get(ends.source), links.get(ends.destination)
    if ours is None or theirs is None or ours.person != theirs.person:
        told = "both accounts have to be linked, with consent, to one person"
        raise _refused(TransferRefusal.PERSON_NOT_LINKED, told)
    if subject_of(wanted.quote.id, ours.person) != wanted.quote.subject:
        raise _refused(TransferRefusal.LOT_OTHER_PERSON, "the quote was made for somebody else")
    wish = Wish(ours.person, *wanted.corridor, agreed, day_of(now))
    return _Ready(wanted, wish, Sought((), (ends.destination,), wanted.quote.destination))


def _of_quote(
    ready: _Ready, account: bytes, *, records: Mapping[tuple[str, bytes], Sequence[KeptRecord]]
) -> list[KeptRecord]:
    names = {lot.name for lot in ready.wanted.quote.lots}
    return [one for one in records[ready.wanted.quote.source, account] if one.lot in names]


def _refused(code: TransferRefusal, detail: str) -> TransferRefused:
    return TransferRefused([Failure(code, "", detail)])
