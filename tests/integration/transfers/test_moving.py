"""Points move between two served cities: what arrives, what the books say, and what goes wrong."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.transfers.operating import show
from gateway.client import GatewayClient, RequestFailed
from gateway.errors import GatewayError
from gateway.model.canonical import canonical_bytes
from gateway.model.strict import read_strict_object
from gateway.service.submitting.taking import IdempotencyConflict
from gateway.store.files.keys import FileSigner
from gateway.store.serving.platforms import SqlPlatforms
from tests.acceptance.commands import tanqiao
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id
from tests.fakes.servers import STORES, stores
from tests.fakes.serving import Served, enrolled, served

pytestmark = pytest.mark.xdist_group("transfers")
BACK_LIMIT_MG = 100_000
LOGGED_SECONDS = 60


@pytest.fixture(scope="module", params=STORES)
def between(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(stores(request.param, patch))
        folder = tmp_path_factory.mktemp("moving")
        made = stack.enter_context(between_cities(folder, patch, net_debit_cap_mg=str(BACK_LIMIT_MG)))
        stack.enter_context(made.carried())
        yield made


def spendable(between: Between, person: int = 1) -> tuple[int, int]:
    return between.points(SOURCE, person), between.points(DESTINATION, person)


def moved(between: Between, points: int, **changes: Any) -> dict[str, Any]:
    """Quote and start a move, and wait for its end."""
    name = transfer_id()
    made = between.quote(points, source=changes.pop("source", SOURCE), person=changes.get("person", 1))
    answer = between.start(made, name=name, **changes)
    return between.until(name, "committed", "aborted") | {"accepted": answer["accepted"]}


def test_points_go_at_the_source_and_come_at_the_destination(between: Between) -> None:
    before = spendable(between)
    made = between.quote(100)
    amounts = made.quote.amounts
    name = transfer_id()
    answer = between.start(made, name=name)
    shown = between.until(name, "committed", "aborted")

    assert answer["accepted"]
    assert shown["state"] == "committed"
    after = spendable(between)
    assert (before[0] - after[0], after[1] - before[1]) == (amounts.points_out, amounts.points_in)
    (position,) = [one for one in between.positions() if str(one["platform"]).endswith(SOURCE)]
    assert position["owed_mg"] == str(amounts.recognised_mg)


def test_the_same_id_has_one_answer_and_another_body_is_a_conflict(between: Between) -> None:
    made, name = between.quote(50), transfer_id()
    first = between.start(made, name=name)
    between.until(name, "committed")
    before = spendable(between)

    assert between.start(made, name=name) == first
    with pytest.raises(IdempotencyConflict) as conflict:
        between.start(made, name=name, destination_account="qinglan-00002")
    assert conflict.value.field == "/destination_account"
    assert spendable(between) == before


def test_a_quote_is_used_once(between: Between) -> None:
    made = between.quote(50)
    names = [transfer_id() for _ in range(3)]
    answers = [between.start(made, name=name) for name in names]
    shown = [between.until(name, "committed", "aborted") for name in names]

    assert sorted(one["state"] for one in shown) == ["aborted", "aborted", "committed"]
    refused = {one.get("reason", "") for one in (*answers, *shown)} - {""}
    assert refused <= {"quote-differs", "lot-in-transit", "lot-spent"}
    assert between.start(made, name=names[2]) == answers[2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"destination_account": "qinglan-00002"}, "person-not-linked"),
        ({"destination_account": "qinglan-99999"}, "person-not-linked"),
        ({"source_account": "songling-00002", "destination_account": "qinglan-00002"}, "lot-other-person"),
    ],
)
def test_a_quote_moves_points_of_its_own_person_only(
    between: Between, changes: dict[str, str], reason: str
) -> None:
    before, name = spendable(between), transfer_id()
    answer = between.start(between.quote(10), name=name, **changes)

    assert (answer["accepted"], answer["reason"]) == (False, reason)
    assert between.show(name)["state"] == "aborted"
    assert spendable(between) == before


def test_the_command_leaves_with_4_where_a_transfer_is_refused(between: Between, tmp_path: Path) -> None:
    file = tmp_path / "quote.json"
    file.write_bytes(between.quote(10).envelope)
    accounts = ("--source-account", "songling-00001", "--destination-account", "qinglan-00002")

    done = tanqiao("transfer", "start", file, "--home", between.home, *accounts, "--format", "json")

    answer = json.loads(done.stdout)
    assert (done.returncode, answer["accepted"], answer["reason"]) == (4, False, "person-not-linked")
    assert f"{answer['id']} was refused, and nothing has moved: person-not-linked" in done.stderr


def test_a_suspended_platform_takes_no_part(between: Between) -> None:
    made, name = between.quote(10), transfer_id()
    with open_home(between.home, writing=True) as opened:
        SqlPlatforms(opened.database).suspend(made.quote.destination, "an audit")
    answer = between.start(made, name=name)
    with open_home(between.home, writing=True) as opened:
        SqlPlatforms(opened.database).suspend(made.quote.destination, "")

    assert (answer["accepted"], answer["reason"]) == (False, "platform-not-active")
    assert between.start(made, name=name) == answer


def test_a_forged_quote_is_refused(between: Between) -> None:
    made = between.quote(10)
    forged = read_strict_object(made.envelope.replace(b'"points_in":"', b'"points_in":"9', 1))

    with pytest.raises(GatewayError) as refused:
        between.start(made, quote=forged)
    assert refused.value.code == "quote-not-signed"


def test_of_two_moves_that_exceed_the_position_together_exactly_one_comes_about(between: Between) -> None:
    """Each is worth 60 of the 100 g that may be owed on the way back, beyond what is owed the other way."""
    forth = sum(int(str(one["committed_in_mg"])) for one in between.positions() if _is_back(one))
    points = (BACK_LIMIT_MG + forth) * 6 // 10 // 1000
    names = [transfer_id(), transfer_id()]
    for person, name in enumerate(names, 1):
        between.start(between.quote(points, source=DESTINATION, person=person), name=name, person=person)
    shown = [between.until(name, "committed", "aborted") for name in names]

    assert sorted(one.get("reason", "") for one in shown) == ["", "position-limit"]
    (position,) = [one for one in between.positions() if _is_back(one)]
    assert int(str(position["owed_mg"])) <= BACK_LIMIT_MG


def _is_back(position: dict[str, Any]) -> bool:
    return str(position["platform"]).endswith(DESTINATION)


@pytest.mark.parametrize("fault", ["deaf", "lost", "unsigned"])
@pytest.mark.parametrize("message", ["holds", "credits", "decisions"])
def test_a_lost_or_broken_answer_changes_no_end(between: Between, fault: str, message: str) -> None:
    before = spendable(between)
    city = between.cities[DESTINATION if message == "credits" else SOURCE]
    city.fault(fault, times=1, only=message)
    shown = moved(between, 5)
    city.heal()

    after = spendable(between)
    assert shown["state"] == "committed"
    assert before[0] - after[0] == int(shown["points_out"])
    assert after[1] - before[1] == int(shown["points_in"])


def test_what_the_source_refuses_leaves_nothing_behind(between: Between) -> None:
    made = between.quote(20, person=2)
    events = [lot.record for lot in made.quote.lots]
    with closing(sqlite3.connect(between.cities[SOURCE].folder / "city.db")) as db, db:
        db.execute("UPDATE grants SET left_points = 0 WHERE account = 'songling-00002'")
    name, before = transfer_id(), spendable(between, 2)
    between.start(made, name=name, person=2)
    shown = between.until(name, "aborted")

    assert events
    assert (shown["reason"], shown["detail"]) == ("hold-refused", "lot-spent")
    assert spendable(between, 2) == before


@pytest.fixture(scope="module")
def running(between: Between) -> Iterator[Served]:
    with served(between.home, arguments=between.arguments) as made:
        yield made


def client_of(between: Between, running: Served, city: str) -> GatewayClient:
    return running.client(FileSigner(between.cities[city].folder / "http.key", "http"))


def wished(quote: dict[str, Any], person: int = 1) -> dict[str, Any]:
    return {
        "id": transfer_id(),
        "quote": quote,
        "source_account": f"{SOURCE}-{person:05d}",
        "destination_account": f"{DESTINATION}-{person:05d}",
    }


def test_platforms_move_points_over_http_and_see_their_own(between: Between, running: Served) -> None:
    songling, qinglan = (client_of(between, running, city) for city in (SOURCE, DESTINATION))
    quote = songling.quote(between.corridor().destination, "songling-00001", points=30)
    asked = wished(quote["quote"])
    name = asked["id"]
    answer = songling.transfer(asked)
    between.until(name, "committed")

    assert quote["reasons_en"][0].startswith("30 points of cn-000000/songling become")
    assert songling.transfer(asked) == answer
    assert songling.look_up(f"/v1/transfers/{name}") == qinglan.look_up(f"/v1/transfers/{name}")
    assert name in {one["id"] for one in qinglan.look_up("/v1/transfers")["transfers"]}
    assert qinglan.look_up("/v1/positions") == songling.look_up("/v1/positions")
    outsider = enrolled(running, 9, platform="cn-000000/outsider")
    with pytest.raises(RequestFailed) as unseen:
        outsider.look_up(f"/v1/transfers/{name}")
    assert unseen.value.status == 404
    assert outsider.look_up("/v1/transfers")["transfers"] == []
    assert outsider.look_up("/v1/positions")["positions"] == []
    with pytest.raises(RequestFailed) as another:
        qinglan.transfer(asked | {"id": transfer_id()})
    assert another.value.status == 404
    assert _log_entry(between, name) > 0


def _log_entry(between: Between, name: str) -> int:
    """Return where a decision stands in the log, once the service has put it there."""
    ends = time.monotonic() + LOGGED_SECONDS
    while time.monotonic() < ends:
        entry = show(between.home, name).get("log_entry", 0)
        if isinstance(entry, int) and entry:
            return entry
        time.sleep(0.2)
    return 0


def test_a_batch_of_quotes_has_an_outcome_for_each_line(between: Between, running: Served) -> None:
    songling, to = client_of(between, running, SOURCE), between.corridor().destination
    outcomes = songling.quotes(
        [
            {"destination": to, "account": "songling-00001", "points": "7"},
            {"destination": to, "account": "songling-nobody", "points": "7"},
            {"destination": to, "account": "songling-00001", "points": 7},
            {"destination": to, "account": "songling-00001"},
            {"destination": to, "account": "songling-00001", "points": "7", "碳": 1.5},
            {"destination": to, "account": "songling-00001", "points": "7"},
        ]
    )

    assert [one["status"] for one in outcomes] == [200, 422, 400, 400, 400, 200]
    assert outcomes[0]["document"]["points_out"] == "7"
    assert [one["document"].get("code", "") for one in outcomes] == [
        "",
        "person-not-linked",
        "malformed-document",
        "malformed-document",
        "malformed-document",
        "",
    ]


def test_a_batch_of_transfers_has_an_outcome_for_each_line_and_an_id_twice_has_one(
    between: Between, running: Served
) -> None:
    songling, before = client_of(between, running, SOURCE), spendable(between)
    wish = {"destination": between.corridor().destination, "account": "songling-00001", "points": "6"}
    one, two = (outcome["document"]["quote"] for outcome in songling.quotes([wish, wish]))
    good, late = wished(one), wished(two)
    other = good | {"destination_account": "qinglan-00002"}
    forged = wished(read_strict_object(canonical_bytes(two).replace(b'"points":"6"', b'"points":"5"')))
    lines = [good, good, other, {"id": "tr_none"}, forged, late, good | {"id": "", "碳": 0.5}]
    outcomes = songling.transfers(lines)
    shown = [between.until(name["id"], "committed", "aborted") for name in (good, late)]
    after = spendable(between)

    assert [line["status"] for line in outcomes] == [202, 202, 409, 400, 422, 202, 400]
    assert outcomes[0] == outcomes[1]
    assert [line["id"] for line in outcomes] == [line["id"] for line in lines]
    assert outcomes[2]["document"]["errors"][0]["pointer"] == "/destination_account"
    assert sorted(one["state"] for one in shown) == ["aborted", "committed"]  # both quotes want the same lot
    assert before[0] - after[0] == 6
    again = songling.transfers([late, good])
    assert again == [outcomes[5], outcomes[0]]


@pytest.mark.parametrize(
    "items", [[], ["x"], [{}] * 501, {}], ids=["none", "no object", "too many", "no list"]
)
def test_what_is_no_batch_is_refused_whole(between: Between, running: Served, items: Any) -> None:
    songling = client_of(between, running, SOURCE)
    for target in ("/v1/quotes:batch", "/v1/transfers:batch"):
        with pytest.raises(RequestFailed) as refused:
            songling.request(
                "POST",
                target,
                content=canonical_bytes({"items": items}),
                headers={"content-type": "application/json"},
            )
        assert (refused.value.status, refused.value.problem["code"]) == (400, "malformed-document")


def test_many_at_once_also_come_about_where_a_platform_takes_no_batches(
    between: Between, running: Served
) -> None:
    songling, before = client_of(between, running, SOURCE), spendable(between)
    city = between.cities[SOURCE]
    wish = {"destination": between.corridor().destination, "account": "songling-00001"}
    unspent = songling.quotes([{**wish, "points": "100000"}])[0]["document"]["quote"]["body"]["lots"]
    records = list(dict.fromkeys(str(lot["record"]) for lot in unspent))[:6]
    quotes = songling.quotes([{**wish, "points": "2", "records": [record]} for record in records])
    asked = [wished(one["document"]["quote"]) for one in quotes]
    city.fault("absent", times=0, only=":batch")
    outcomes = songling.transfers(asked)
    shown = [between.until(one["id"], "committed", "aborted") for one in asked]
    city.heal()
    after = spendable(between)

    assert len(records) > 1
    assert {line["status"] for line in outcomes} == {202}
    assert {one["state"] for one in shown} == {"committed"}
    assert before[0] - after[0] == 2 * len(records)
