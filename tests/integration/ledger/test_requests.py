"""The same id has the same outcome for ever; another body under it is told apart."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.ports import KnownRequest, Standing
from gateway.store.ledger.requests import SqlRequests
from gateway.store.sql.database import Database
from tests.fakes.ledgers import A, B

pytestmark = pytest.mark.xdist_group("servers")
BODY, OTHER = '{"amount":"1"}', '{"amount":"2"}'


@pytest.fixture
def requests(database: Database) -> SqlRequests:
    return SqlRequests(database)


def test_a_repeated_request_gets_its_first_answer(requests: SqlRequests) -> None:
    assert requests.receive(A, [("tr_1", BODY)], now=1) == [KnownRequest(Standing.NEW, BODY)]
    assert requests.receive(A, [("tr_1", BODY)], now=2) == [KnownRequest(Standing.SAME, BODY)]
    assert requests.answer(A, [("tr_1", "first")]) == ["first"]

    assert requests.answer(A, [("tr_1", "second")]) == ["first"]
    assert requests.receive(A, [("tr_1", BODY)], now=3) == [KnownRequest(Standing.SAME, BODY, "first")]


def test_another_body_is_told_apart_and_shown_what_was_kept(requests: SqlRequests) -> None:
    requests.receive(A, [("tr_1", BODY)], now=1)

    assert requests.receive(A, [("tr_1", OTHER)], now=2) == [KnownRequest(Standing.OTHER, BODY)]
    assert requests.receive(B, [("tr_1", OTHER)], now=2) == [KnownRequest(Standing.NEW, OTHER)]


def test_an_id_twice_in_a_batch_is_known_the_second_time(requests: SqlRequests) -> None:
    known = requests.receive(A, [("tr_1", BODY), ("tr_1", BODY), ("tr_1", OTHER)], now=1)

    assert [one.standing for one in known] == [Standing.NEW, Standing.SAME, Standing.OTHER]


def test_bodies_are_forgotten_and_digests_stay(requests: SqlRequests) -> None:
    requests.receive(A, [("tr_1", BODY), ("tr_2", BODY)], now=1)
    requests.answer(A, [("tr_1", "done")])

    requests.forget(before=2)

    assert requests.receive(A, [("tr_1", BODY)], now=3) == [KnownRequest(Standing.SAME, "", "done")]
    assert requests.receive(A, [("tr_1", OTHER)], now=3) == [KnownRequest(Standing.OTHER, "", "done")]
    assert requests.receive(A, [("tr_2", BODY)], now=3) == [KnownRequest(Standing.SAME, BODY)]


def test_of_many_that_send_the_same_id_one_is_new(requests: SqlRequests) -> None:
    with ThreadPoolExecutor(4) as pool:
        known = list(pool.map(lambda _: requests.receive(A, [("tr_1", BODY)], now=1)[0], range(12)))

    assert [one.standing for one in known].count(Standing.NEW) == 1
