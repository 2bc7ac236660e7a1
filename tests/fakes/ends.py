"""One look over the gateway's books and the cities' databases: do all tell the same story?

Each invariant is checked by its own function, which yields what it finds wrong. Nothing here uses the code
that wrote the books, save for reading rows and for the replay.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from gateway.app.base.home import open_home
from gateway.errors import GatewayError
from gateway.ledger import Book, Decision, Kind, Replay, Reservation, Verdict, require_chain, require_whole
from gateway.model.canonical import canonical_bytes, digest
from gateway.ports import Transfer
from gateway.service.transfers.moves import Move, read_move
from gateway.service.transfers.telling import decision_body
from gateway.store.ledger import tables as t
from gateway.store.ledger.books import SqlLedgerReader
from tests.fakes.cities import SandboxCity

__all__ = ["Ends", "ends_of", "require_same_ends"]

_CITY = {
    "moves": "SELECT transfer, resource, account, points, co2e_mg, state FROM moves",
    "parts": "SELECT transfer, number, taken, record, points, co2e_mg, valid_through FROM parts",
    "grants": "SELECT number, arrived, record, points, left_points, valid_through FROM grants",
    "decisions": "SELECT transfer, digest FROM decisions",
}
_ENDED = {
    ("holds", Verdict.COMMIT): "captured",
    ("holds", Verdict.ABORT): "released",
    ("credits", Verdict.COMMIT): "posted",
    ("credits", Verdict.ABORT): "cancelled",
}
_WAITING = {"holds": "held", "credits": "prepared"}


class CityBook(NamedTuple):
    """What a city's database says, at one moment."""

    moves: dict[str, dict[str, Any]]
    parts: list[dict[str, Any]]
    grants: dict[int, dict[str, Any]]
    decisions: dict[str, str]


class Ends(NamedTuple):
    """What the gateway and all its cities have written down."""

    book: Book
    events: list[Reservation | Decision]
    replayed: Book
    rows: dict[str, Move]
    waiting: int
    due: int
    requests: list[tuple[str, str | None]]
    cities: dict[str, CityBook]

    @property
    def decisions(self) -> dict[str, Decision]:
        return {one.transfer: one for one in self.events if isinstance(one, Decision)}

    @property
    def committed(self) -> list[Reservation]:
        """Return what was carried out, in the order of the decisions."""
        reserved = {one.transfer: one for one in self.events if isinstance(one, Reservation)}
        return [reserved[one.transfer] for one in self.decisions.values() if one.verdict is Verdict.COMMIT]


def ends_of(home: Path, cities: Sequence[SandboxCity]) -> Ends:
    """Read everything; the gateway's books at one moment each, cities after the gateway."""
    with open_home(home) as opened:
        reader = SqlLedgerReader(opened.database)
        standing = reader.standing()
        events = [entry.event for entry in reader.journal(standing.head.number)]
        with opened.database.read(at_one_moment=True) as connection:
            rows = [Transfer._make(row) for row in connection.execute(select(t.transfers))]
            waiting = len(connection.execute(select(t.outbox.c.number)).all())
            due = len([row for row in rows if row.due is not None])
            requests = [
                tuple(row) for row in connection.execute(select(t.requests.c.id, t.requests.c.answer))
            ]
        decided = {one.transfer: one for one in events if isinstance(one, Decision)}
    return Ends(
        standing.book,
        [one for one in events if isinstance(one, Reservation | Decision)],
        Replay().all(events),
        {row.id: read_move(row, decided.get(row.id)) for row in rows},
        waiting,
        due,
        requests,
        {city.platform: _city_book(city) for city in cities},
    )


def require_same_ends(home: Path, cities: Sequence[SandboxCity], *, drained: bool = True) -> Ends:
    """Check every invariant; ``drained``: nothing is under way any more, so all ends are final.

    Raises:
        AssertionError: names all that is wrong.
    """
    ends = ends_of(home, cities)
    found = [*_books(ends), *_amounts(ends), *_records(ends), *_cities(ends), *_grants(ends)]
    if drained:
        found += [*_drained(ends), *_points(ends)]
    assert not found, "\n".join(found[:20])
    return ends


def _city_book(city: SandboxCity) -> CityBook:
    with closing(sqlite3.connect(city.folder / "city.db")) as db:
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")  # one moment for all of it
        found = {name: [dict(row) for row in db.execute(query)] for name, query in _CITY.items()}
    return CityBook(
        {row["transfer"]: row for row in found["moves"]},
        found["parts"],
        {row["number"]: row for row in found["grants"]},
        {row["transfer"]: row["digest"] for row in found["decisions"]},
    )


def _books(ends: Ends) -> Iterator[str]:
    """I1-I5, I8, I12: the books are whole, the journal rebuilds them, decisions are chained, one each."""
    try:
        require_whole(ends.book)
        require_chain([one for one in ends.events if isinstance(one, Decision)])
    except GatewayError as error:
        yield str(error)
    for name in ("balances", "lots", "positions", "caps", "flows"):
        kept, again = getattr(ends.book, name), getattr(ends.replayed, name)
        if {key: one for key, one in kept.items() if one} != {key: one for key, one in again.items() if one}:
            yield f"I12: the journal does not rebuild {name}"
    for kind in (Reservation, Decision):
        counted = Counter(one.transfer for one in ends.events if isinstance(one, kind))
        yield from (f"I5: {name} has {n} of {kind.__name__}" for name, n in counted.items() if n > 1)
    for pair, position in ends.book.positions.items():  # nobody lowers a limit in these tests
        if position.limit is not None and position.owed > position.limit:
            yield f"I4: {pair} owes {position.owed}, at most {position.limit}"


def _amounts(ends: Ends) -> Iterator[str]:
    """I7, I11: what all parts of a lot came to at the same rates is the floor of the whole; no life grows."""
    in_all: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for made in ends.committed:
        for part in made.parts:
            if made.kind is Kind.MOVE:
                counted = in_all[part.lot, made.destination, part.rates]
                for place, amount in enumerate((part.mg, part.recognised_mg, part.points_in)):
                    counted[place] += amount
                source = ends.book.lots[part.lot].expires
                if source is not None and (part.expires is None or part.expires > source):
                    yield f"I11: {made.transfer} lengthens {part.lot}"
    for (lot, destination, rates), (mg, recognised, points) in in_all.items():
        of_mg, points_of_mg = map(Fraction, rates.split())
        if recognised != floor(of_mg * mg) or points != floor(points_of_mg * recognised):
            yield f"I7: {lot} at {destination}: {mg} mg became {recognised} mg and {points} points by {rates}"


def _records(ends: Ends) -> Iterator[str]:
    """I2, I13: of each record no more is held anywhere than there ever was, and nothing grows on its way."""
    held: Counter[str] = Counter()
    for name, lot in ends.book.lots.items():
        held[lot.record] += lot.held_mg + lot.transit_mg
        if lot.origin and lot.mg - lot.returned_mg > lot.origin_mg:
            yield f"I13: {name} has {lot.mg} mg of {lot.origin_mg} mg"
    for name, lot in ends.book.lots.items():
        if not lot.origin and held[lot.record] > lot.mg:
            yield f"I2: {held[lot.record]} mg are held of the record {name}, which has {lot.mg}"


def _cities(ends: Ends) -> Iterator[str]:
    """I5, I6: no city has done what was not decided, nor anything else about it than the books say."""
    for platform, city in ends.cities.items():
        for name, row in city.moves.items():
            if name not in ends.rows:
                yield f"{platform} knows {name}, the gateway does not"
                continue
            yield from _city_move(ends, platform, row)
        for name, kept in city.decisions.items():
            booked, move = ends.decisions.get(name), ends.rows.get(name)
            if booked is None or move is None:
                yield f"I6: {platform} was told a decision on {name} that is not in the books"
            elif kept != digest(canonical_bytes(decision_body(move, booked))):
                yield f"I5: {platform} has another decision on {name} than the books"


def _city_move(ends: Ends, platform: str, row: dict[str, Any]) -> Iterator[str]:
    name, resource, decision = row["transfer"], row["resource"], ends.decisions.get(row["transfer"])
    amounts, move = ends.rows[name].transfer.terms.amounts, ends.rows[name]
    at_source = resource == "holds"
    out, into = (amounts.points_out, amounts.used_mg), (amounts.points_in, amounts.recognised_mg)
    if (row["points"], row["co2e_mg"]) != (out if at_source else into):
        yield f"I6: {platform} has other amounts of {name} than the gateway"
    if platform != (move.quote.source if at_source else move.quote.destination):
        yield f"I6: {platform} has the wrong end of {name}"
    states = {_WAITING[resource]} if name not in ends.cities[platform].decisions else set()
    if decision is not None:
        states.add(_ENDED[resource, decision.verdict])
    if row["state"] not in states:
        yield f"I6: {resource} of {name} at {platform} is {row['state']}, expected {sorted(states)}"


def _grants(ends: Ends) -> Iterator[str]:
    """I3, I6, I11: points of a city are where its holds, captures and credits have put them."""
    for platform, city in ends.cities.items():
        taken: Counter[int] = Counter()
        came: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for part in city.parts:
            move = city.moves[part["transfer"]]
            if move["resource"] == "holds" and move["state"] in ("held", "captured"):
                taken[part["taken"]] += part["points"]
            if move["resource"] == "credits" and move["state"] == "posted":
                came[part["transfer"], part["record"]].append(part)
        for number, grant in city.grants.items():
            if grant["left_points"] != grant["points"] - taken[number]:
                yield f"I3: {platform} has {grant['left_points']} left of {grant}, {taken[number]} were taken"
            if grant["arrived"]:
                parts = came.pop((grant["arrived"], grant["record"]), [])
                if grant["points"] != sum(part["points"] for part in parts):
                    yield f"I6: {platform} posted {grant['points']} points by {grant['arrived']}"
                ends_at = [part["valid_through"] for part in parts if part["valid_through"]]
                if ends_at and (not grant["valid_through"] or grant["valid_through"] > min(ends_at)):
                    yield f"I11: {platform} lengthens what came by {grant['arrived']}"
        yield from (f"I6: {platform} did not post {transfer}" for transfer, _ in came)


def _drained(ends: Ends) -> Iterator[str]:
    """I6, I10: all has ended, at both ends, and each request has its answer."""
    if ends.waiting or ends.due:
        yield f"{ends.waiting} messages and {ends.due} timers are left"
    for name, move in ends.rows.items():
        decision = ends.decisions.get(name)
        committed = decision is not None and decision.verdict is Verdict.COMMIT
        for platform, resource in ((move.quote.source, "holds"), (move.quote.destination, "credits")):
            row = ends.cities[platform].moves.get(name)
            if row is not None and row["state"] == _WAITING[resource]:
                yield f"I6: {platform} still waits for {name}"
            if committed and row is None:
                yield f"I6: {platform} knows nothing of {name}, which was committed"
    for account, balance in ends.book.balances.items():
        if account.kind == "in-transit" and balance:
            yield f"I2: {balance} are still in transit: {account}"
    yield from (f"I10: {name} has no answer" for name, answer in ends.requests if answer is None)


def _points(ends: Ends) -> Iterator[str]:
    """I2: what a city has left of what came by transfers is what the books say is free there."""
    free: Counter[tuple[str, str]] = Counter()
    for lot in ends.book.lots.values():
        if lot.origin:
            free[lot.platform, lot.record] += lot.free_points
    left: Counter[tuple[str, str]] = Counter()
    for platform, city in ends.cities.items():
        for grant in city.grants.values():
            if grant["arrived"]:
                left[platform, grant["record"]] += grant["left_points"]
    for where in free.keys() | left.keys():
        if free[where] != left[where]:
            yield f"I2: {where}: the books have {free[where]} points free, the city {left[where]}"
