"""What an operator sees of the service: its log, its figures, its settings."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app.serving.logs import JsonLines, write_logs
from gateway.app.serving.processes import _started
from gateway.errors import LocalFileError, Refused
from gateway.settings import ServiceSettings, read_settings
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.serving import Served, enrolled, served

pytestmark = pytest.mark.xdist_group("served")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a home with two workers that count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANQIAO_METRICS", "on")
        home = make_home(tmp_path_factory.mktemp("served"), patch, profile="default")
        with served(home, workers=2) as one:
            yield one


def line_of(running: Served, request: str) -> dict[str, object]:
    """Return the line of a request; it is written once the answer has gone out."""
    for _ in range(200):
        text = (running.home.parent / "served.log").read_text("utf-8")
        found = [json.loads(line) for line in text.splitlines() if f'"request_id":"{request}"' in line]
        if found:
            (only,) = found
            return dict(only)
        time.sleep(0.05)
    raise AssertionError(text)


def test_a_request_is_one_line_of_the_log(running: Served) -> None:
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "mine-1"}

    answer = httpx.get(running.url + "/v1/health?person=u-1", headers=headers)
    line = line_of(running, "mine-1")

    assert answer.headers["x-request-id"] == "mine-1"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/health", 200)
    assert line["trace_id"] == TRACE
    assert isinstance(line["ms"], float)
    assert "u-1" not in json.dumps(line)


@pytest.mark.parametrize("given", ["00-" + "0" * 32 + "-00f067aa0ba902b7-01", "x", f"00-{TRACE}-0-01", "-"])
def test_a_trace_that_is_none_is_left_out(running: Served, given: str) -> None:
    name = f"trace-{abs(hash(given))}"

    httpx.get(running.url + "/v1/health", headers={"traceparent": given, "x-request-id": name})
    line = line_of(running, name)

    assert "trace_id" not in line


def test_a_request_id_that_could_forge_a_line_is_replaced(running: Served) -> None:
    answer = httpx.get(running.url + "/v1/health", headers={"x-request-id": 'a", "status": 200, "b": "'})

    assert len(answer.headers["x-request-id"]) == 16


def test_figures_come_from_all_workers(running: Served) -> None:
    wuhan = enrolled(running)
    wuhan.submit(WUHAN, [trip(1)])
    for _ in range(40):
        httpx.get(running.url + "/v1/health")  # a connection each: whichever worker takes it
    httpx.get(running.url + "/nowhere")

    shown = {httpx.get(running.url + "/v1/metrics").text.count("\n") for _ in range(6)}
    lines = httpx.get(running.url + "/v1/metrics").text.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    assert len(shown) <= 2  # the first answer of a kind adds its lines
    health = 'tanqiao_requests_total{method="GET",route="/v1/health",status="200"}'
    assert float(figures[health]) >= 40
    assert float(figures['tanqiao_requests_total{method="GET",route="other",status="404"}']) >= 1
    assert float(figures['tanqiao_request_seconds_count{route="/v1/acts"}']) == 1
    assert float(figures["tanqiao_waiting_operations"]) == 0
    assert float(figures["tanqiao_sequencer_lag_seconds"]) == 0
    assert float(figures["tanqiao_log_entries"]) >= 3


def test_what_a_foreign_error_says_is_not_written() -> None:
    try:
        raise ValueError("the row of user-0001 is odd")
    except ValueError:
        told = JsonLines().format(record_of(sys.exc_info()))

    assert "user-0001" not in told
    assert json.loads(told)["error"] == "ValueError"
    assert "test_watched.py" in json.loads(told)["at"][-1]


def fails() -> None:
    write_logs("info")
    raise ValueError("the row of user-0001 is odd")


def test_what_ends_a_process_is_told_without_its_words(capfd: pytest.CaptureFixture[str]) -> None:
    process = _started("worker-0", fails, log_level="info")
    process.join(60)

    told = capfd.readouterr().err
    assert process.exitcode == 1
    assert json.loads(told.splitlines()[-1])["error"] == "ValueError"
    assert "user-0001" not in told


def test_what_our_own_error_says_is_written() -> None:
    try:
        raise Refused("expected a key")
    except Refused:
        told = json.loads(JsonLines().format(record_of(sys.exc_info())))

    assert (told["code"], told["detail"]) == ("refused", "expected a key")


def record_of(error: object) -> logging.LogRecord:
    return logging.LogRecord("x", logging.ERROR, "x", 1, "it failed", None, error)  # type: ignore[arg-type]  # as logging itself hands it over


def test_settings_have_usual_values(tmp_path: Path) -> None:
    assert read_settings({"TANQIAO_STATE": str(tmp_path)}).service == ServiceSettings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TANQIAO_LOG_LEVEL", "loud"),
        ("TANQIAO_LOG_LEVEL", ""),
        ("TANQIAO_METRICS", "yes"),
        ("TANQIAO_CONNECTIONS_MAX", "0"),
        ("TANQIAO_CONNECTIONS_MAX", "-1"),
        ("TANQIAO_REQUESTS_MAX", "many"),
        ("TANQIAO_DOCUMENT_MIB", "1.5"),
        ("TANQIAO_DOCUMENT_MIB", "２"),
        ("TANQIAO_FILE_MIB", "9" * 30),
        ("TANQIAO_HELD_MIB", ""),
        ("TANQIAO_HEAD_SECONDS", "3601"),
        ("TANQIAO_STATE", "here"),
    ],
)
def test_an_unusable_setting_stops_the_program_with_its_name(name: str, value: str) -> None:
    with pytest.raises(LocalFileError) as refused:
        read_settings({name: value})

    assert name in str(refused.value)
    assert refused.value.remedy


def test_a_service_without_figures_says_how_to_have_them(running: Served, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TANQIAO_METRICS")
        home = make_home(tmp_path, patch, profile="default")
        with served(home) as other:
            problem = httpx.get(other.url + "/v1/metrics")

    assert problem.status_code == 404
    assert "TANQIAO_METRICS" in problem.json()["remedy"]
    assert running.url != other.url
