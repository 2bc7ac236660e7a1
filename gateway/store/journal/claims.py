"""The claims of a home: links and reversals in tables, acts and the states of records in sorted runs."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Row, Select, delete, func, insert, select, update

from gateway.claims import Act
from gateway.ports import (
    ClaimColumns,
    ClaimDecision,
    ClaimState,
    Known,
    Link,
    Meeting,
    NewReversals,
    ReversalRow,
)
from gateway.store.files.keyed import KeyedFiles, Replacement, StagedRun
from gateway.store.files.sorted_runs import KEY_BYTES
from gateway.store.journal.claim_files import ClaimFiles
from gateway.store.sql import tables as t
from gateway.store.sql.database import Database
from gateway.store.sql.one_of import VALUES, one_of
from gateway.store.sql.queueing import next_number, queue_entry

__all__ = ["RehearsedClaims", "SqlClaims", "StagedClaims"]

_ACCOUNTS_PER_QUERY: Final = 8192  # SQLite takes 32,766 parameters; larger lists gain nothing


class StagedClaims(NamedTuple):
    """What is written of a decision and does not count yet."""

    acts: StagedRun | None
    states: StagedRun | None
    reversals: Sequence[NewReversals]


class SqlClaims:
    """The claims of one home (:class:`gateway.ports.ClaimStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.files = ClaimFiles(database)
        self._states = KeyedFiles(database, "states", width=1)

    def any_links(self) -> bool:
        """Tell whether any account is linked."""
        with self._database.read() as connection:
            return connection.execute(select(t.links.c.account).limit(1)).first() is not None

    def in_use(self) -> bool:
        """Tell whether any account is linked, or any act is kept to be compared."""
        return self.any_links() or not self.files.empty()

    def known(self, accounts: Sequence[bytes]) -> dict[bytes, Known]:
        """Return whose those accounts are that are linked."""
        rows = self._rows(("account", "person", "shared", "after"), accounts)
        return {account: Known(*known) for account, *known in rows}

    def links(self, accounts: Sequence[bytes]) -> dict[bytes, Link]:
        """Return the links of those accounts that have one."""
        rows = self._rows(Link._fields, accounts)
        return {row[0]: _link(row) for row in rows}

    def _rows(
        self, columns: Sequence[str], accounts: Sequence[bytes]
    ) -> Iterator[Any]:  # rows of as many columns as were asked for
        with self._database.read() as connection:
            query = _links_by(t.links.c.account, tuple(columns), dialect=connection.dialect.name)
            for first in range(0, len(accounts), _ACCOUNTS_PER_QUERY):
                some = {VALUES: accounts[first : first + _ACCOUNTS_PER_QUERY]}
                yield from connection.execute(query, some).fetchall()

    def linked_platforms(self) -> set[str]:
        """Return the platforms that have linked accounts."""
        with self._database.read() as connection:
            return set(connection.execute(select(t.links.c.platform).distinct()).scalars())

    def links_of(self, persons: Collection[bytes]) -> list[Link]:
        """Return the links of persons by their pseudonyms across platforms."""
        with self._database.read() as connection:
            query = _links_by(t.links.c.person, Link._fields, dialect=connection.dialect.name)
            found = connection.execute(query.order_by(t.links.c.account), {VALUES: list(persons)})
            return [_link(row) for row in found]

    def link(self, link: Link) -> None:
        """Write a link, and that the person is known at several platforms where that is so."""
        with self._database.write() as connection:
            connection.execute(delete(t.links).where(t.links.c.account == link.account))
            connection.execute(insert(t.links).values(**link._asdict()))
            if link.shared:
                same = t.links.c.person == link.person
                connection.execute(update(t.links).where(same).values(shared=True))

    def unlink(self, account: bytes) -> None:
        """Take a link away."""
        with self._database.write() as connection:
            connection.execute(delete(t.links).where(t.links.c.account == account))

    def closed(self) -> int:
        """Return the last day that was closed; 0 for none."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(t.closed_claims.c.day))).scalar() or 0)

    def close(self, day: int, *, edge: int, held: Callable[[list[Act]], Collection[Act]]) -> None:
        """Close all days up to one and delete their acts, save those that hold and end after the edge."""
        left = self.files.stage_closed(day, edge=edge, held=held)
        with self._database.write() as connection:
            connection.execute(delete(t.closed_claims))
            connection.execute(insert(t.closed_claims).values(day=day))
            self.files.replace(connection, left)
        self.files.sweep()

    def meetings(self, new: ClaimColumns, undecided: Iterable[ClaimColumns]) -> list[Meeting]:
        """Return what new acts meet, also of parts that are not written yet (the newest first)."""
        return self.files.meetings(new, undecided)

    def find(self, record: bytes) -> tuple[bytes, list[Act]] | None:
        """Return the group of a record's open claim and the acts in it."""
        return self.files.find(record)

    def open_groups(self) -> Iterator[list[Act]]:
        """Yield the acts of each person and outermost kind that are still compared."""
        return (acts for _, acts in self.files.groups())

    def states(self, records: bytes) -> dict[bytes, bytes]:
        """Return the states of those records that have one."""
        return self._states.find(records)

    def all_states(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every record that has a state, by its id."""
        return self._states.items()

    def reversal_head(self, platform: str) -> tuple[int, str]:
        """Return the next sequence number of a platform's reversals and the digest of its newest entry."""
        mine = [row for row in self.reversals() if row.platform == platform]
        return (mine[-1].series + 1, mine[-1].entry_digest) if mine else (0, "")

    def next_reversals(self) -> int:
        """Return the number that the next batch of reversals will get."""
        with self._database.read() as connection:
            return next_number(connection, t.reversals.c.number)

    def reversals(self) -> list[ReversalRow]:
        """Return all batches of reversals in order."""
        columns = [t.reversals.c[name] for name in ReversalRow._fields]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(t.reversals.c.number))
            return [ReversalRow(*row) for row in rows]

    def note(self, decision: ClaimDecision) -> None:
        """Remember what a dry run would have decided."""
        self.decide(decision)

    def decide(self, decision: ClaimDecision) -> None:
        """Write a decision about claims alone in one transaction."""
        staged = self.stage(decision)
        with self._database.write() as connection:
            self.adopt(connection, staged)
        self.tidy()

    def stage(self, decision: ClaimDecision | None) -> StagedClaims | None:
        """Write what does not count yet."""
        if decision is None:
            return None
        states: Mapping[bytes, bytes] = decision.states
        new = b"" if decision.new is None else decision.new.records
        keys, values = b"".join(states) + new, b"".join(states.values())
        return StagedClaims(
            self.files.stage(decision.new, decision.withdrawn),
            self._states.stage(keys, values + ClaimState.HOLDS * (len(new) // KEY_BYTES)),
            decision.reversals,
        )

    def adopt(self, connection: Connection, staged: StagedClaims | None) -> None:
        """Make it count, inside a transaction."""
        if staged is None:
            return
        self.files.adopt(connection, staged.acts)
        self._states.adopt(connection, staged.states)
        for number, one in enumerate(staged.reversals, next_number(connection, t.reversals.c.number)):
            position = queue_entry(connection, one.entry)
            values = {name: value for name, value in one._asdict().items() if name != "entry"}
            connection.execute(insert(t.reversals).values(number=number, position=position, **values))

    def tidy(self) -> None:
        """Merge runs where there are many."""
        self.files.tidy()
        self._states.tidy()

    def sweep(self) -> None:
        """Remove files that a killed run has left; only the writer may."""
        self.files.sweep()
        self._states.sweep()

    def require_whole(self) -> None:
        """Check every file against its digest; raises IntegrityBroken naming it."""
        self.files.require_whole()
        self._states.require_whole()

    def stage_forgotten(self, events: Collection[bytes]) -> Replacement | None:
        """Write the acts that are left once those compared with one of these events are not remembered."""
        return self.files.stage_without(events) if events else None

    def forget(
        self, connection: Connection, staged: Replacement | None, *, account: bytes, after: int
    ) -> None:
        """Take a link and acts away, inside a transaction; what is left of the person claims later days."""
        person = select(t.links.c.person).where(t.links.c.account == account).scalar_subquery()
        connection.execute(update(t.links).where(t.links.c.person == person).values(after=after))
        connection.execute(delete(t.links).where(t.links.c.account == account))
        if staged is not None:
            self.files.replace(connection, staged)


class RehearsedClaims:
    """What a dry run sees: the home's claims, and those it would have made by now."""

    def __init__(self, home: SqlClaims, noted: SqlClaims) -> None:
        self._home = home
        self._noted = noted
        self.any_links, self.known, self.closed = home.any_links, home.known, home.closed
        self.note = noted.note

    def meetings(self, new: ClaimColumns, undecided: Iterable[ClaimColumns]) -> list[Meeting]:
        """Return what new acts meet, also of parts that are not written yet (the newest first)."""
        return self._home.files.meetings(new, undecided, beside=self._noted.files)


@lru_cache(maxsize=16)
def _links_by(key: Column[bytes], columns: tuple[str, ...], *, dialect: str) -> Select[Any]:
    return select(*(t.links.c[name] for name in columns)).where(one_of(key, dialect))


def _link(row: Row[tuple[object, ...]]) -> Link:
    link = Link._make(row)
    return link._replace(shared=bool(link.shared))
