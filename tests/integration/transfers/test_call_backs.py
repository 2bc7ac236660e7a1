"""Cities that answer 202 and call back: a transfer ends as with any other, and nobody answers for another."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.sandbox.city import look_at, tell_city
from gateway.app.serving.platforms import speak
from gateway.app.transfers.moving import answering, carrier
from gateway.client import GatewayClient, RequestFailed
from gateway.errors import GatewayError
from gateway.model.canonical import canonical_bytes, digest
from gateway.ports import OutboxMessage
from gateway.service.transfers.answering import Answering, read_answer
from gateway.service.transfers.telling import said_of
from gateway.store.files.keys import FileSigner
from gateway.store.ledger.books import SqlLedger
from tests.fakes.claims import At
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id
from tests.fakes.ends import require_same_ends
from tests.fakes.servers import STORES, stores
from tests.fakes.serving import Served, enrolled, served

pytestmark = pytest.mark.xdist_group("transfers")
NOWHERE = "http://127.0.0.1:9"  # nobody listens there
SOON = "0.2"


@pytest.fixture(scope="module", params=STORES)
def between(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with (
        pytest.MonkeyPatch.context() as patch,
        stores(request.param, patch),
        between_cities(tmp_path_factory.mktemp("calls"), patch) as made,
    ):
        for city in made.cities.values():
            speak(made.home, city.platform, dialect="callback")
        yield made


@pytest.fixture(scope="module")
def running(between: Between) -> Iterator[Served]:
    with served(between.home, arguments=between.arguments) as made:
        yield made


@pytest.fixture(autouse=True)
def _same_ends(between: Between) -> Iterator[None]:
    yield
    for city in between.cities.values():
        city.heal()


def client_of(between: Between, running: Served, city: str) -> GatewayClient:
    return running.client(FileSigner(between.cities[city].folder / "http.key", "http"))


def call_back(between: Between, city: str, *, url: str, **fault: Any) -> None:
    """Have a city answer 202 and call back."""
    folder = between.cities[city].folder
    tell_city(folder, "POST", what="gateway", body={"url": url})
    between.cities[city].fault("callback", **{"times": 0, "seconds": SOON, **fault})


def called(between: Between, city: str) -> dict[str, int]:
    found = look_at(between.cities[city].folder, "state")
    assert isinstance(found, dict)
    counted = found["called_back"]
    assert isinstance(counted, dict)
    return counted


def moved(between: Between, points: int) -> dict[str, Any]:
    """Move points, again where a busy machine took too long; returns the transfer as it is shown."""
    while True:
        name = transfer_id()
        between.start(between.quote(points), name=name)
        shown = between.until(name, "committed", "aborted")
        if shown.get("reason") != "timed-out":
            return shown


def message_digest(city: Any, resource: str, transfer: str) -> str:
    """Return the digest of what a city was told about a transfer, from its own database."""
    with closing(sqlite3.connect(city.folder / "city.db")) as db:
        rows = db.execute("SELECT request FROM answers WHERE resource = ?", (resource,)).fetchall()
    (found,) = [bytes(row[0]) for row in rows if transfer.encode() in bytes(row[0])]
    return digest(found)


@contextmanager
def books(between: Between, *, seconds: int = 0) -> Iterator[tuple[Answering, Any]]:
    """Give what takes answers, and what looks after transfers, so many seconds later."""
    with open_home(between.home) as opened, SqlLedger(opened.database) as ledger:
        clock = At(opened.clock.now() + timedelta(seconds=seconds))
        yield answering(opened, ledger, clock=clock), carrier(opened, ledger, clock=clock)


@pytest.mark.parametrize("outcome", ["done", "refused"])
def test_an_answer_after_the_time_is_over_changes_no_end(between: Between, outcome: str) -> None:
    """Nothing is served yet: the source is never asked, and answers what it would have been asked."""
    name = transfer_id()
    between.start(between.quote(5), name=name)
    with books(between, seconds=11) as (taking, looking):
        looking.look_after()
        seen = looking.read_all([name])[name]
        platform = seen.move.quote.source
        said = said_of(seen.move, OutboxMessage(platform, "hold"), decision=seen.decision)
        code = {} if outcome == "done" else {"code": "lot-spent"}
        late = {
            "transfer": name,
            "about": "hold",
            "outcome": outcome,
            "digest": digest(canonical_bytes(said)),
        }
        noted = taking.take(read_answer({**late, **code}), sender=platform)
        credit = read_answer({**late, **code, "about": "credit"})
        with pytest.raises(GatewayError) as unasked:
            taking.take(credit, sender=seen.move.quote.destination)

    assert not noted.is_news
    assert unasked.value.code == "answer-differs"
    assert between.show(name)["reason"] == "timed-out"
    assert between.show(name)["state"] == "aborted"


@pytest.mark.parametrize("late", [(SOURCE,), (DESTINATION,), (SOURCE, DESTINATION)], ids="+".join)
def test_a_transfer_ends_the_same_with_cities_that_call_back(
    between: Between, running: Served, late: tuple[str, ...]
) -> None:
    """Whatever is asked again while they work is answered 202 again: only the call-back has the answer."""
    before = between.points(SOURCE), between.points(DESTINATION)
    for city in late:
        call_back(between, city, url=running.url)
    shown = moved(between, 20)
    after = between.points(SOURCE), between.points(DESTINATION)

    assert shown["state"] == "committed"
    assert before[0] - after[0] == int(shown["points_out"])
    assert after[1] - before[1] == int(shown["points_in"])
    for city in late:
        assert set(called(between, city)) == {"taken"}
    require_same_ends(between.home, list(between.cities.values()))


@pytest.mark.parametrize("message", ["holds", "credits", "decisions"])
def test_what_a_lost_call_back_would_have_said_is_asked_for(
    between: Between, running: Served, message: str
) -> None:
    del running
    city = DESTINATION if message == "credits" else SOURCE
    call_back(between, city, url=NOWHERE, times=1, only=message)

    assert moved(between, 5)["state"] == "committed"
    require_same_ends(between.home, list(between.cities.values()))


def test_a_refusal_comes_by_call_back_too(between: Between, running: Served) -> None:
    made = between.quote(10, person=2)
    with closing(sqlite3.connect(between.cities[SOURCE].folder / "city.db")) as db, db:
        db.execute("UPDATE residents SET suspended = 1 WHERE account = 'songling-00002'")
    call_back(between, SOURCE, url=running.url)
    name = transfer_id()
    between.start(made, name=name, person=2)
    shown = between.until(name, "aborted")

    assert shown["reason"] in ("hold-refused", "timed-out")
    assert shown.get("detail", "account-suspended") == "account-suspended"


def answer(between: Between, name: str, *, about: str = "hold", **changed: Any) -> dict[str, Any]:
    city = between.cities[DESTINATION if about == "credit" else SOURCE]
    made = {"transfer": name, "about": about, "outcome": "done"}
    return made | {"digest": message_digest(city, f"{about}s", name)} | changed


def problem(client: GatewayClient, document: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(RequestFailed) as refused:
        client.request(
            "POST",
            "/v1/answers",
            content=canonical_bytes(document),
            headers={"content-type": "application/json"},
        )
    return refused.value.status, refused.value.problem["code"]


def test_a_call_back_is_taken_from_whom_it_may_come_and_changes_nothing_later(
    between: Between, running: Served
) -> None:
    name = moved(between, 5)["id"]
    songling, qinglan = (client_of(between, running, city) for city in (SOURCE, DESTINATION))
    before = between.points(SOURCE), between.points(DESTINATION), between.show(name)
    good = answer(between, name)
    outsider = enrolled(running, 9, platform="cn-000000/outsider")

    assert [
        one["status"] for one in songling.answers([good, good, answer(between, name, about="decision")])
    ] == [
        200,
        200,
        200,
    ]
    assert problem(outsider, good) == (403, "other-dialect")
    speak(between.home, "cn-000000/outsider", dialect="callback")
    assert problem(outsider, good) == (404, "not-found")
    assert problem(qinglan, good) == (404, "not-found")
    assert problem(songling, good | {"transfer": transfer_id()}) == (404, "not-found")
    assert problem(songling, answer(between, name, about="credit")) == (404, "not-found")
    assert problem(songling, good | {"digest": "sha256:" + "0" * 64}) == (409, "answer-differs")
    refusal = good | {"outcome": "refused", "code": "lot-spent"}
    assert problem(songling, refusal) == (409, "answer-contradicts")
    decision = answer(between, name, about="decision")
    assert problem(songling, decision | {"outcome": "refused", "code": "conflict"}) == (409, "answer-open")
    assert problem(songling, good | {"outcome": "perhaps"}) == (400, "malformed-document")
    outcomes = qinglan.answers([answer(between, name, about="credit"), good, {}])
    assert [one["status"] for one in outcomes] == [200, 404, 400]
    between.until(name, "committed")
    assert (between.points(SOURCE), between.points(DESTINATION), between.show(name)) == before
    require_same_ends(between.home, list(between.cities.values()))
