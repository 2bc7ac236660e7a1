"""Links that were looked up once are told again without asking, and as they are."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from gateway.ports import Known, Link
from gateway.service.claims import links_known
from gateway.service.claims.links_known import LinksKnown
from gateway.store.journal.claims import SqlClaims
from gateway.store.sql.database import Database

ACCOUNTS = 120


def account(number: int) -> bytes:
    return Random(number).randbytes(32)


def link(name: bytes, number: int) -> Link:
    return Link(
        name, account(-number - 1), "cn-000000/yunxi", 1, "form", "2025", number % 3 == 0, 7 + number % 5
    )


def told(known: LinksKnown, names: Sequence[bytes]) -> list[Known | None]:
    found = known.of(b"".join(names))
    persons = [found.persons[32 * place : 32 * place + 32] for place in range(len(names))]
    columns = zip(persons, found.linked.tolist(), found.shared.tolist(), found.after.tolist(), strict=True)
    return [Known(person, shared, after) if linked else None for person, linked, shared, after in columns]


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[SqlClaims]:
    database = Database(tmp_path / "links.db")
    yield SqlClaims(database)
    database.close()


@pytest.mark.parametrize("accounts_max", [1 << 20, 50], ids=["all are remembered", "most are forgotten"])
def test_links_are_those_of_the_home(
    claims: SqlClaims, accounts_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links_known, "ACCOUNTS_MAX", accounts_max)
    for number in range(0, ACCOUNTS, 2):
        claims.link(link(account(number), number))
    known, chance = LinksKnown(claims), Random(5)
    for _ in range(50):
        names = list(map(account, chance.sample(range(ACCOUNTS), chance.randrange(1, 40))))
        expected = claims.known(names)
        assert told(known, names) == [expected.get(name) for name in names]


def test_an_account_is_looked_up_once_whether_it_is_linked_or_not(claims: SqlClaims) -> None:
    claims.link(link(account(1), 1))
    known, names = LinksKnown(claims), [account(1), account(2)]
    first = told(known, names)
    claims.unlink(account(1))
    claims.link(link(account(2), 2))

    assert first[0] is not None
    assert told(known, names) == first


def test_accounts_that_share_their_beginning_are_told_apart(claims: SqlClaims) -> None:
    one, other = bytes(8) + account(1)[8:], bytes(8) + account(2)[8:]
    claims.link(link(one, 1))
    known = LinksKnown(claims)

    for _ in range(2):
        assert [found is not None for found in told(known, [one, other])] == [True, False]
        assert told(known, [other]) == [None]
