"""What a platform's engineer reads where a word of ``submit``, ``platform enrol`` or ``proxy`` is wrong."""

import socket
from pathlib import Path

import pytest

from gateway.app.base.keys import new_key
from gateway.app.serving.remote import enrol
from gateway.cli.output import Format, emit
from gateway.errors import UsageError
from tests.acceptance.commands import Done, tanqiao
from tests.fakes.homes import WUHAN, make_home, trip, write_trips
from tests.fakes.serving import WUHAN_PLATFORM

GATEWAY = "http://127.0.0.1:1"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path / "wuhan.key", "http", name="")
    return tmp_path / "wuhan.key"


def submit(file: Path, key: Path, *, to: str = GATEWAY, mapping: str = WUHAN, form: str = "json") -> Done:
    return tanqiao("submit", file, "--to", to, "--key", key, "--mapping", mapping, "--format", form)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8420", "localhost:8420", "gw.example", "ftp://gw.example", "https://", "http://[::1"]
)
def test_what_is_no_address_of_a_gateway_is_named(url: str, key: Path, tmp_path: Path) -> None:
    file = write_trips(tmp_path / "trips.ndjson", [trip(1)])

    for done in (
        submit(file, key, to=url),
        tanqiao("proxy", "--to", url, "--key", key),
        tanqiao("receipt", "fetch", "0" * 32, "--to", url, "--key", key, "--out", tmp_path / "receipt.json"),
    ):
        assert done.returncode == 2
        assert f"{url!r} is no address of a gateway" in done.stderr
        assert "http://127.0.0.1:8420" in done.stderr


def test_an_empty_file_is_not_sent(key: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.ndjson").touch()

    done = submit(tmp_path / "empty.ndjson", key)

    assert done.returncode == 3
    assert "empty.ndjson is empty" in done.stderr


def test_an_invitation_without_its_code_is_not_sent(key: Path) -> None:
    with pytest.raises(UsageError, match="no code came on standard input"):
        enrol(GATEWAY, key, platform=WUHAN_PLATFORM, code="")


def test_the_side_car_names_the_port_that_is_taken(key: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = tanqiao("proxy", "--to", GATEWAY, "--key", key, "--port", str(port))

    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_an_address_of_a_platform_is_written_with_its_scheme(tmp_path: Path) -> None:
    done = tanqiao("platform", "address", WUHAN_PLATFORM, "127.0.0.1:18510", "--home", tmp_path)

    assert done.returncode == 4
    assert "found '127.0.0.1:18510'" in done.stderr
    assert "begin it with https://" in done.stderr


def test_a_platform_that_was_never_invited_has_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)

    done = tanqiao("platform", "address", "cn-000000/nowhere", "https://x.example", "--home", home)

    assert done.returncode == 3
    assert "there is no platform cn-000000/nowhere" in done.stderr


def test_a_city_that_is_not_served_any_more_is_to_be_served_again(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text('{"url": "http://127.0.0.1:1", "token": "t"}')
    (tmp_path / "running.json").chmod(0o600)

    done = tanqiao("sandbox", "show", "state", "--home", tmp_path)

    assert done.returncode == 5
    assert f"tanqiao sandbox serve --home {tmp_path}" in done.stderr


def test_sentences_stand_below_each_other_and_names_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"reasons": ["3 points move.", "2 arrive."], "names": ["a", "b"], "none": []}, Format.TABLE)

    assert capsys.readouterr().out.splitlines() == [
        "reasons  3 points move.",
        "         2 arrive.",
        "names    a, b",
        "none     -",
    ]


def test_a_cell_of_a_table_shows_what_is_within_as_words(capsys: pytest.CaptureFixture[str]) -> None:
    inputs = {"distance": {"unit": "km", "value": "3.2"}, "caps": []}

    emit({"record": {"inputs": inputs, "day": "2025-03-16"}, "revoked": None}, Format.TABLE)

    assert capsys.readouterr().out.splitlines() == [
        "record   inputs (distance (unit km, value 3.2), caps -), day 2025-03-16",
        "revoked  -",
    ]
