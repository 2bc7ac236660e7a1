"""Homes in which a person's points may move between invented platforms, and what a ledger would know."""

import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.app.base.kinds import shipped
from gateway.app.base.mappings import Versions
from gateway.app.transfers.agreements import agreeing, announcing
from gateway.app.transfers.quoting import quoting
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.quote import Quote
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.ports import ArrivedLot, Corridor, CorridorDocument, LotState, PlatformKey
from gateway.recognition import DayUse, Moved, Used
from gateway.resources import schema
from gateway.service.agreements.agreeing import receive_document
from gateway.service.agreements.announcing import announce_documents
from gateway.service.agreements.drafts import co_sign
from gateway.service.claims.closing import close_claims
from gateway.service.transfers.quoting import MadeQuote, QuoteAsked, Quoting, make_quote
from gateway.service.transfers.transferring import Transferring
from gateway.store.serving.platforms import SqlPlatforms
from tests.fakes.claims import PLATFORMS, At, link_all, linked_home, submit, write_mapping
from tests.fakes.corridors import transfer_id
from tests.fakes.serving import PlatformSigner

__all__ = [
    "AFTER",
    "KEYS",
    "Books",
    "agree",
    "agreement",
    "begun",
    "close_rides",
    "copied",
    "moving_home",
    "quote",
    "signed",
    "versions",
]

AFTER = datetime(2025, 3, 20, 4, tzinfo=UTC)  # ten days after the rides: their claims are closed
KEYS = {platform: PlatformSigner(41 + number) for number, platform in enumerate(PLATFORMS)}


@dataclass(slots=True)
class Books:
    """What a ledger knows of lots, in memory; it takes quotes over as they are."""

    lots: dict[str, LotState] = field(default_factory=dict)
    today: DayUse = field(default_factory=DayUse)

    def states(self, lots: Sequence[str]) -> dict[str, LotState]:
        return {lot: self.lots[lot] for lot in lots if lot in self.lots}

    def arrived(self, wanted: Collection[tuple[bytes, str]]) -> dict[tuple[bytes, str], list[ArrivedLot]]:
        del wanted
        return {}

    def day_uses(
        self, moves: Collection[tuple[bytes, Corridor]], *, day: date
    ) -> dict[tuple[bytes, Corridor], DayUse]:
        del day
        return dict.fromkeys(moves, self.today)

    def take(self, made: Quote) -> None:
        """Move what a quote says."""
        for lot in made.lots:
            before = self.lots.get(lot.record, LotState())
            rates = (made.destination, lot.rates)
            moved = before.moved.get(rates, Moved(0, 0, 0))
            assert before.used == (lot.before_mg, lot.before_points)
            assert moved == (lot.moved_mg, lot.moved_recognised_mg, lot.moved_points_in)
            self.lots[lot.record] = replace(
                before,
                used=Used(before.used.used_mg + lot.use.used_mg, before.used.points + lot.use.points),
                moved={
                    **before.moved,
                    rates: Moved(
                        moved.used_mg + lot.use.used_mg,
                        moved.recognised_mg + lot.use.recognised_mg,
                        moved.points_in + lot.points_in,
                    ),
                },
            )


def versions(folder: Path) -> Versions:
    """Return the rules of the invented platforms."""
    return Versions([write_mapping(folder, platform) for platform in PLATFORMS])


def moving_home(
    folder: Path,
    patch: pytest.MonkeyPatch,
    rides: Sequence[dict[str, str]],
    *,
    closed: bool = True,
    home: Path | None = None,
    persons: Sequence[str] = ("an",),
) -> Path:
    """Make a home with keys of all platforms and rides of the first one, whose claims are closed."""
    home = linked_home(folder, patch, persons) if home is None else link_all(home, persons)
    submit(home, PLATFORMS[0], rides)
    with open_home(home, writing=True) as opened:
        platforms = SqlPlatforms(opened.database)
        for platform, signer in KEYS.items():
            platforms.invite(platform, code_hash=b"", expires="2999", now="2025")
            platforms.add_key(PlatformKey(signer.key_id, platform, signer.public, "2025", None))
    if closed:
        close_rides(home)
    return home


def copied(home: Path, folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Copy a home and its checkpoint store: making one takes longer."""
    for name in ("home", "state"):
        shutil.copytree(home.parent / name, folder / name)
    patch.setenv("TANQIAO_STATE", str(folder / "state"))
    return folder / "home"


def begun(parts: Transferring, *, points: int) -> str:
    """Quote and start a move of an's points from the first platform to the second; returns its id."""
    account = parts.names.pseudonym(PLATFORMS[0], "an")
    asked = QuoteAsked(corridor=Corridor(*PLATFORMS[:2]), account=account, points=points)
    name = transfer_id()
    body: dict[str, Json] = {
        "id": name,
        "quote": read_strict_object(make_quote(asked, parts.quoting).envelope),
        "source_account": "an",
        "destination_account": "an",
    }
    parts.start(body, sender=PLATFORMS[0])
    return name


def close_rides(home: Path) -> None:
    """Close the claims of all days that have rides."""
    with open_home(home, writing=True) as opened:
        close_claims(date(2025, 3, 15).toordinal(), opened.journal.claims, kinds=shipped())


def agreement(corridor: tuple[int, int] = (0, 1), **changes: Json) -> dict[str, Json]:
    """Write an agreement between two of the platforms by their numbers, with what differs."""
    source, destination = corridor
    body: dict[str, Json] = {
        "type": "tanqiao/agreement/1",
        "source": PLATFORMS[source],
        "destination": PLATFORMS[destination],
        "version": 1,
        "basis": "receiver",
        "behaviours": [{"behaviour": "TRV-BIKE", "mapping": f"{PLATFORMS[destination]}/rides"}],
        "methodologies": [f"{PLATFORMS[source]}/rides"],
        "evidence": [{"grade": "operator-record", "factor": "1"}, {"grade": "device", "factor": "0.9"}],
        "oldest_day": "2025-01-01",
        "caps": {"person_day_mg": "9000000", "corridor_day_mg": "9000000", "platform_day_mg": "9000000"},
        "minimum_mg": "1000",
        "net_debit_cap_mg": "9000000000",
        "cover_mg": "9000000000",
        "dispute_days": 30,
        "valid": {"from": "2025-03-20"},
    }
    return body | changes


def signed(body: dict[str, Json], *signers: PlatformSigner) -> bytes:
    """Sign a document; without signers by the platforms it names."""
    keys = signers or (KEYS[str(body["source"])], KEYS[str(body["destination"])])
    data = canonical_bytes(body)
    for signer in keys:
        data = co_sign(data, signer, shape=Shape(schema("agreement")))
    return data


def agree(home: Path, data: bytes, *, now: datetime = AFTER, announced: bool = True) -> CorridorDocument:
    """Hand a signed document in, and have it announced."""
    known = versions(home.parent)
    with open_home(home, writing=True) as opened:
        kept = receive_document(data, replace(agreeing(opened, known), clock=At(now)))
        if announced:
            announce_documents(replace(announcing(opened, known), clock=At(now)))
        return opened.journal.corridors.document(kept.digest) or kept


def quote(
    home: Path,
    books: Books | None = None,
    *,
    points: int | None = None,
    records: Sequence[str] = (),
    now: datetime = AFTER,
    corridor: tuple[int, int] = (0, 1),
    person: str = "an",
    change: Callable[[Quoting], Quoting] = lambda parts: parts,
) -> MadeQuote:
    """Quote a move between two of the platforms by their numbers."""
    source, destination = PLATFORMS[corridor[0]], PLATFORMS[corridor[1]]
    with open_home(home) as opened:
        account = opened.index().pseudonym(source, person)
        asked = QuoteAsked(
            corridor=Corridor(source, destination), account=account, records=records, points=points
        )
        known = versions(home.parent)
        parts = quoting(opened, book=books or Books(), versions=known, clock=At(now))
        return make_quote(asked, change(parts))
