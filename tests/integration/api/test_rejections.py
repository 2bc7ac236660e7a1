"""Which rows of a file were refused, and why: told to who sent it, until their person is forgotten."""

from pathlib import Path

import orjson
import pytest

from gateway.app.base.keys import new_key
from gateway.app.records.erase import erase
from gateway.app.serving.platforms import invite
from gateway.client import GatewayClient, RequestFailed
from gateway.store.files.keys import FileSigner
from tests.acceptance.commands import tanqiao
from tests.fakes.homes import WUHAN, trip, write_trips
from tests.fakes.serving import WUHAN_PLATFORM, Served, enrolled, once_free

pytestmark = pytest.mark.xdist_group("served")
PERSON = "resident-of-the-lane-9"
TOLD = "by-the-south-gate-at-nine"


def file_of(*rows: dict[str, object]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def test_rows_of_a_file_that_were_refused_are_told_with_their_reasons(wuhan: GatewayClient) -> None:
    bad = (trip(901, trip_type="tram"), {"trip_id": "T-902"})
    sent = wuhan.upload(WUHAN, "trips.ndjson", content=file_of(trip(900), *bad, trip(903)))
    assert wuhan.finished(sent["id"])["summary"]["accepted"] == 2

    told = wuhan.rejections(sent["id"])

    assert [(one["row"], one["code"]) for one in told] == [(2, "unknown-code"), (3, "missing-field")]
    assert "tram" in told[0]["detail"]
    assert all(one.keys() <= {"row", "code", "field", "detail"} for one in told)


def test_a_file_of_which_nothing_was_refused_has_no_lines(wuhan: GatewayClient) -> None:
    sent = wuhan.upload(WUHAN, "trips.ndjson", content=file_of(trip(910)))
    wuhan.finished(sent["id"])

    assert wuhan.rejections(sent["id"]) == []


def test_more_rows_than_are_sent_at_once_are_all_told(wuhan: GatewayClient) -> None:
    rows = [trip(number, trip_type="tram") for number in range(10_000, 11_203)]
    sent = wuhan.upload(WUHAN, "trips.ndjson", content=file_of(*rows))
    wuhan.finished(sent["id"])

    assert [one["row"] for one in wuhan.rejections(sent["id"])] == list(range(1, 1204))


def test_nobody_else_is_told(wuhan: GatewayClient, running: Served) -> None:
    sent = wuhan.upload(WUHAN, "trips.ndjson", content=file_of(trip(920, trip_type="tram")))
    wuhan.finished(sent["id"])
    other = enrolled(running, 5, platform="cn-440300/shenzhen")

    with pytest.raises(RequestFailed) as refused:
        other.rejections(sent["id"])

    assert (refused.value.status, refused.value.problem["code"]) == (404, "not-found")


def test_an_operation_of_rows_says_where_to_look(wuhan: GatewayClient) -> None:
    sent = wuhan.submit(WUHAN, [trip(930, trip_type="tram")])

    with pytest.raises(RequestFailed, match="no file that was converted") as refused:
        wuhan.rejections(sent["id"])
    assert refused.value.status == 404


def test_what_a_row_said_is_forgotten_with_its_person(wuhan: GatewayClient, running: Served) -> None:
    bad = trip(940, user_id=PERSON, trip_type=TOLD)
    sent = wuhan.upload(WUHAN, "trips.ndjson", content=file_of(trip(941, user_id=PERSON), bad))
    wuhan.finished(sent["id"])
    assert TOLD in wuhan.rejections(sent["id"])[0]["detail"]

    once_free(lambda: erase(running.home, PERSON, platform=WUHAN_PLATFORM))

    (told,) = wuhan.rejections(sent["id"])
    assert (told["row"], told["code"], "detail" in told) == (2, "unknown-code", False)


def test_the_command_writes_them_to_a_file_of_its_owner(running: Served, tmp_path: Path) -> None:
    new_key(tmp_path / "wuhan.key", "http", name="")
    signer = FileSigner(tmp_path / "wuhan.key", "http")
    running.client(signer).enrol(WUHAN_PLATFORM, invite(running.home, WUHAN_PLATFORM)["code"])
    file = write_trips(tmp_path / "trips.ndjson", [trip(950), trip(951, trip_type="tram")])
    to = ("--to", running.url, "--key", tmp_path / "wuhan.key", "--mapping", WUHAN)
    out = tmp_path / "refused.ndjson"

    without, done = tanqiao("submit", file, *to), tanqiao("submit", file, *to, "--rejected", out)

    assert (without.returncode, done.returncode) == (0, 0)
    assert "refused: 1; --rejected FILE writes which, and why" in without.stderr
    (line,) = out.read_bytes().splitlines()
    told = orjson.loads(line)
    assert (told["file"], told["row"], told["code"]) == ("trips.ndjson", 2, "unknown-code")
    assert out.stat().st_mode & 0o777 == 0o600
