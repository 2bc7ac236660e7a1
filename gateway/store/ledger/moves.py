"""Transfers by their platforms, lots and day limits as the ledger has them, and addresses."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, delete, or_, select

from gateway.ledger import ALL, Lot, Pair, Position, way_of
from gateway.ports import (
    ArrivedLot,
    Corridor,
    Dialect,
    LedgerReader,
    LotNote,
    LotState,
    MoveIndex,
    Way,
)
from gateway.recognition import DayUse, Moved, Used
from gateway.store.ledger import tables as ledger_tables
from gateway.store.ledger import transfer_tables as t
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import upsert
from gateway.store.sql.many import rows_of
from gateway.store.sql.unless_known import insert_unless_known

__all__ = ["LedgerLotBook", "SqlAddresses", "SqlDialects", "SqlMoveIndex", "day_keys"]


def day_keys(person: bytes, corridor: Corridor, *, day: date) -> dict[str, str]:
    """Return by which names the day limits of a move are counted, by the code of each limit."""
    source, destination = corridor
    return {
        "person-limit": f"{day} person {person.hex()} {source} {destination}",
        "corridor-limit": f"{day} corridor {source} {destination}",
        "platform-limit": f"{day} platform {source}",
        "central-limit": f"{day} central",
    }


class LedgerLotBook:
    """What has become of lots (:class:`gateway.ports.LotBook`), by the ledger's books.

    ``central_day_mg`` is the limit of all transfers of a day together; None: there is none.
    """

    def __init__(self, reader: LedgerReader, index: MoveIndex, *, central_day_mg: int | None = None) -> None:
        self._reader = reader
        self._index = index
        self._central_day_mg = central_day_mg

    def states(self, lots: Sequence[str]) -> dict[str, LotState]:
        """Return the states of those lots that were ever touched, by name; a record's is its id."""
        found = self._reader.lots(lots)
        moved: dict[str, dict[tuple[str, str], Moved]] = {name: {} for name in lots}
        for lot in found.values():
            if lot.origin in moved:
                moved[lot.origin][lot.platform, lot.rates] = Moved(
                    lot.origin_mg, lot.mg - lot.returned_mg, lot.points - lot.returned_points
                )
        return {name: _state(found[name], moved[name]) for name in lots if name in found}

    def arrived(self, wanted: Collection[tuple[bytes, str]]) -> dict[tuple[bytes, str], list[ArrivedLot]]:
        """Return what platforms hold of persons' records by transfers, whatever is left of it."""
        noted = self._index.lots_of({person.hex() for person, _ in wanted})
        persons = {one.lot: bytes.fromhex(one.person) for one in noted}
        there: dict[tuple[bytes, str], list[ArrivedLot]] = {}
        for name, lot in sorted(self._reader.lots(persons).items() if persons else ()):
            where = (persons.get(name, b""), lot.platform)
            if lot.origin and lot.mg and where in wanted:
                there.setdefault(where, []).append(ArrivedLot(name, lot, way_of(name)[1]))
        return there

    def day_uses(
        self, moves: Collection[tuple[bytes, Corridor]], *, day: date
    ) -> dict[tuple[bytes, Corridor], DayUse]:
        """Return what was recognised, or is reserved, on a day for persons over corridors."""
        keys = {move: list(day_keys(*move, day=day).values()) for move in moves}
        used = self._reader.counted({key for some in keys.values() for key in some})
        return {
            move: DayUse._make((*(used.get(key, 0) for key in some), self._central_day_mg))
            for move, some in keys.items()
        }


class SqlMoveIndex:
    """Finds transfers and positions (:class:`gateway.ports.MoveIndex`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, corridors: Mapping[str, tuple[str, str]], *, lots: Collection[LotNote] = ()) -> None:
        """Write down between which platforms transfers are, by their ids, and their lots; once is enough."""
        ends = [
            {"platform": platform, "transfer": transfer}
            for transfer, corridor in sorted(corridors.items())
            for platform in corridor
        ]
        named = [one._asdict() for one in sorted(set(lots))]
        if ends:
            with self._database.write(alone=False) as connection:
                insert_unless_known(connection, t.ends.c.transfer, rows=ends)
                insert_unless_known(connection, t.arriving.c.transfer, rows=named)

    def lots_of(self, persons: Collection[str]) -> list[LotNote]:
        """Return what has arrived of persons, or was to, by their pseudonyms across platforms."""
        with self._database.read() as connection:
            rows = rows_of(connection, t.arriving.c.person, values=persons)
            return [LotNote(row.person, row.lot, row.transfer) for row in rows]

    def of_platform(self, platform: str, *, after: str, limit: int) -> list[str]:
        """Return transfers of a platform, by their ids, those after an id; of all where it is empty."""
        query = select(t.ends.c.transfer).distinct().where(t.ends.c.transfer > after)
        if platform:
            query = query.where(t.ends.c.platform == platform)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(t.ends.c.transfer).limit(limit)).scalars())

    def positions(self, platform: str) -> list[tuple[Pair, Position]]:
        """Return the positions of a platform towards others and of others towards it, or all of them."""
        table = ledger_tables.positions
        query = select(table).where(table.c.other != ALL).order_by(table.c.platform, table.c.other)
        if platform:
            query = query.where(or_(table.c.platform == platform, table.c.other == platform))
        with self._database.read() as connection:
            return [_position(row) for row in connection.execute(query)]

    def position(self, pair: Pair) -> Position | None:
        """Return one position; None where nothing was ever set or moved."""
        table = ledger_tables.positions
        query = select(table).where(table.c.platform == pair.platform, table.c.other == pair.other)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _position(row)[1]


class SqlAddresses:
    """Where platforms are called (:class:`gateway.ports.PlatformAddresses`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, platform: str, url: str) -> None:
        """Have a platform called at an address from now on."""
        with self._database.write(alone=False) as connection:
            new = upsert(connection, t.addresses).values(platform=platform, url=url)
            changed = new.on_conflict_do_update(index_elements=["platform"], set_={"url": url})
            connection.execute(changed)

    def url(self, platform: str) -> str | None:
        """Return where a platform is called."""
        query = select(t.addresses.c.url).where(t.addresses.c.platform == platform)
        with self._database.read() as connection:
            return connection.execute(query).scalar()


class SqlDialects:
    """What is spoken with platforms (:class:`gateway.ports.Dialects`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, platform: str, dialect: Dialect) -> None:
        """Speak so with a platform from now on."""
        new = {"platform": platform, "way": dialect.way.value, "form": dialect.form}
        with self._database.write(alone=False) as connection:
            connection.execute(delete(t.dialects).where(t.dialects.c.platform == platform))
            if dialect.way is not Way.JSON:
                connection.execute(t.dialects.insert(), new)

    def of(self, platform: str) -> Dialect:
        """Return what is spoken with a platform."""
        query = select(t.dialects).where(t.dialects.c.platform == platform)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return Dialect() if row is None else Dialect(Way(row.way), row.form)

    def by(self, way: Way) -> list[str]:
        """Return the platforms whose messages go a way that is not that of common JSON."""
        query = select(t.dialects.c.platform).where(t.dialects.c.way == way.value)
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())


def _state(lot: Lot, moved: dict[tuple[str, str], Moved]) -> LotState:
    return LotState(
        used=Used(lot.used_mg, lot.used_points),
        moved=moved,
        retired=0 < lot.movable_mg == lot.retired_mg,
        disputed=lot.disputed,
        in_transit=lot.transit_mg > 0,
    )


def _position(row: Row[Any]) -> tuple[Pair, Position]:
    values = tuple(row)
    return Pair._make(values[:2]), Position._make(values[2:])
