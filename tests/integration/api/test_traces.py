"""Traces by OpenTelemetry: taken by a real receiver of OTLP, joined with the log, nothing personal."""

import asyncio
import hashlib
import json
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.app.base.clock import SystemClock
from gateway.app.serving.telemetry import Traces, require_traces, tracing
from gateway.client import RequestFailed
from gateway.errors import LocalFileError
from gateway.peers import HttpPlatforms, LineLimits, LineParts
from gateway.ports import HoldPoints, LotPart, PlatformEndpoint, Unknown
from tests.acceptance.commands import tanqiao
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.receiving import Receiver, receiving
from tests.fakes.serving import PlatformSigner, Served, enrolled, served

pytestmark = pytest.mark.xdist_group("served")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SEEN_SECONDS = 60
MOVES = ["tr_01KAP7M3Q4R5S6T7V8W9X0Y1Z2", "tr_01KAP7M3Q4R5S6T7V8W9X0Y1Z3"]
HOLD = HoldPoints(
    id="hd_01KAP7M3Q4R5S6T7V8W9X0Y1Z2",
    transfer=MOVES[0],
    account="u-1",
    unit="cn-420100/wuhan-point",
    points=1,
    destination="cn-000000/elsewhere",
    expected_in_s=30,
    lots=(LotPart(record="0" * 32, points=1, co2e_mg=1, event="e-1"),),
)


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    with receiving(lambda _: 200) as one:
        yield one


@pytest.fixture(scope="module")
def running(collector: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENDPOINT, collector.url.removesuffix("/hook"))
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        home: Path = make_home(tmp_path_factory.mktemp("served"), patch, profile="default")
        with served(home) as one:
            yield one


def spans(collector: Receiver) -> list[Span]:
    found = []
    for arrived in list(collector.arrived):
        assert arrived.path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(arrived.content)
        found += [
            one
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        ]
    return found


def seen(collector: Receiver, name: str, **facts: Any) -> Span:
    """Return the span of that name that says so; it is sent a moment after its end."""
    for _ in range(SEEN_SECONDS * 20):
        for one in spans(collector):
            if one.name == name and facts.items() <= said(one).items():
                return one
        time.sleep(0.05)
    raise AssertionError(sorted({one.name for one in spans(collector)}))


def trace_of(transfer: str) -> str:
    """Return the id of a transfer's trace, as docs/reference/settings.md has it."""
    return hashlib.sha256(b"tanqiao/trace/1\0" + transfer.encode()).hexdigest()[:32]


async def call(url: str) -> None:
    """Say something to a platform, as transfers are carried out."""
    parts = LineParts(
        signer=PlatformSigner(1),
        clock=SystemClock(),
        new_nonce=lambda: secrets.token_urlsafe(18),
        below=lambda _: 0,
        private=True,
        limits=LineLimits(),
    )
    endpoint = PlatformEndpoint("cn-420100/wuhan", url.removesuffix("/hook"), {})
    async with HttpPlatforms({"cn-420100/wuhan": endpoint}.get, parts) as platforms:
        told = await platforms.send("cn-420100/wuhan", HOLD)
    assert isinstance(told, Unknown)


def said(span: Span) -> dict[str, Any]:
    values = {one.key: one.value for one in span.attributes}
    return {name: getattr(value, value.WhichOneof("value")) for name, value in values.items()}


def test_a_request_is_a_span_of_the_trace_that_it_names(running: Served, collector: Receiver) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "traced-1"}

    httpx.get(running.url + "/v1/health?person=u-1", headers=headers)
    span = seen(collector, "GET /v1/health", **{"tanqiao.request_id": "traced-1"})

    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert said(span) == {
        "http.request.method": "GET",
        "http.route": "/v1/health",
        "http.response.status_code": 200,
        "tanqiao.request_id": "traced-1",
    }
    assert span.kind == Span.SPAN_KIND_SERVER


def test_a_line_of_the_log_names_its_span(running: Served, collector: Receiver) -> None:
    httpx.get(running.url + "/v1/health", headers={"x-request-id": "traced-2"})
    span = seen(collector, "GET /v1/health", **{"tanqiao.request_id": "traced-2"})

    lines = (running.home.parent / "served.log").read_text("utf-8").splitlines()
    (line,) = [json.loads(line) for line in lines if '"request_id":"traced-2"' in line]
    assert (line["trace_id"], line["span_id"]) == (span.trace_id.hex(), span.span_id.hex())
    assert span.parent_span_id == b""


@pytest.mark.parametrize("given", ["x", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", "-" * 5000])
def test_a_trace_that_is_none_begins_a_new_one(running: Served, collector: Receiver, given: str) -> None:
    name = f"traced-{len(given)}{given[:1]}".replace("-", "_")

    httpx.get(running.url + "/v1/health", headers={"traceparent": given, "x-request-id": name})

    assert seen(collector, "GET /v1/health", **{"tanqiao.request_id": name}).trace_id.hex() != TRACE


def test_what_is_submitted_is_seen_to_its_end_and_nobody_is_named(
    running: Served, collector: Receiver
) -> None:
    wuhan = enrolled(running)
    row = trip(4711, user_id="zhang.san")
    done = wuhan.submit(WUHAN, [row])
    httpx.get(
        running.url + "/v1/records/zhang.san?event=zhang.san",
        headers={"tracestate": "person=zhang", "user-agent": "zhang", "authorization": "Bearer zhang"},
    )
    httpx.request("PROPFIND", running.url + "/v1/zhang")

    sequenced = seen(collector, "sequence", **{"tanqiao.operations": 1})
    asked = seen(collector, "POST /v1/acts")
    assert [(one.trace_id, one.span_id) for one in sequenced.links] == [(asked.trace_id, asked.span_id)]
    seen(collector, "_OTHER", **{"http.route": ""})
    assert sequenced.end_time_unix_nano > sequenced.start_time_unix_nano
    sent = b"".join(arrived.content for arrived in collector.arrived)
    private = ["zhang", row["trip_id"], "10.574", str(done["outcomes"][0]["record"])]
    assert not [one for one in private if one.encode() in sent]
    assert {name for one in spans(collector) for name in said(one)} <= {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "tanqiao.request_id",
        "tanqiao.operations",
    }


def test_a_request_that_starts_transfers_is_linked_to_their_traces(
    running: Served, collector: Receiver
) -> None:
    body = {"id": MOVES[0], "quote": {}, "source_account": "a", "destination_account": "b"}
    with pytest.raises(RequestFailed) as refused:
        enrolled(running).request(
            "POST",
            "/v1/transfers",
            content=orjson.dumps(body),
            headers={"content-type": "application/json", "idempotency-key": MOVES[0]},
        )

    span = seen(collector, "POST /v1/transfers", **{"http.response.status_code": refused.value.status})
    assert [link.trace_id.hex() for link in span.links] == [trace_of(MOVES[0])]


def test_what_a_platform_is_sent_belongs_to_the_trace_of_the_transfer(
    collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"platform": "cn-420100/wuhan", "messages": 1}
    monkeypatch.setenv(ENDPOINT, collector.url.removesuffix("/hook"))
    with (
        receiving(lambda _: 404) as city,
        tracing() as traces,
        traces.working("carry hold", facts=facts, transfers=MOVES[:1]),
    ):
        asyncio.run(call(city.url))
        (arrived,) = city.wait_for(1)

    span = seen(collector, "carry hold")
    assert (span.trace_id.hex(), span.parent_span_id, list(span.links)) == (trace_of(MOVES[0]), b"", [])
    assert said(span) == {"tanqiao.platform": "cn-420100/wuhan", "tanqiao.messages": 1}
    assert arrived.headers["traceparent"] == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-03"
    assert "tracestate" not in arrived.headers


def test_a_request_that_carries_several_transfers_is_linked_to_their_traces(
    collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, collector.url.removesuffix("/hook"))
    with tracing() as traces:
        with traces.working("carry several", facts={}, transfers=MOVES):
            pass
        with pytest.raises(ZeroDivisionError), traces.working("carry none", facts={}, transfers=MOVES):
            1 / 0  # noqa: B018 - work that fails

    span = seen(collector, "carry several")
    assert [link.trace_id.hex() for link in span.links] == [trace_of(one) for one in MOVES]
    assert span.trace_id.hex() not in [trace_of(one) for one in MOVES]
    assert not seen(collector, "carry none").events  # the words of an error may name persons


def test_without_a_span_a_platform_is_sent_no_trace() -> None:
    with receiving(lambda _: 404) as city:
        with Traces().working("carry hold", facts={}, transfers=MOVES[:1]):
            asyncio.run(call(city.url))
        (arrived,) = city.wait_for(1)

    assert "traceparent" not in arrived.headers


def test_work_is_told_with_its_time(collector: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, collector.url.removesuffix("/hook"))
    with tracing() as traces:
        brought = [f"00-{TRACE}-{number:016x}-01" for number in (7, 8, 7)]
        traces.worked("sequence late", seconds=1.5, facts={"operations": 3}, requests=brought)

    span = seen(collector, "sequence late")
    assert {one.trace_id.hex() for one in span.links} == {TRACE}
    assert [int.from_bytes(one.span_id) for one in span.links] == [7, 8]
    assert said(span) == {"tanqiao.operations": 3}
    assert span.end_time_unix_nano - span.start_time_unix_nano == 1_500_000_000


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_traced_unless_it_is_asked_for(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    require_traces(environment)
    with tracing() as traces:
        assert traces.tracer is None
    Traces().worked("nothing", seconds=1, facts={})


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
)
def test_another_way_of_sending_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(LocalFileError, match=value) as refused:
        require_traces({ENDPOINT: "http://127.0.0.1:1", name: value})

    assert refused.value.remedy


def test_traces_without_their_packages_are_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(LocalFileError) as refused:
        require_traces({ENDPOINT: "http://127.0.0.1:1"})

    assert "tanqiao[otel]" in refused.value.remedy


def test_a_service_that_could_not_send_traces_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    refused = tanqiao("serve", "--home", home)

    assert refused.returncode == 3
    assert "grpc" in refused.stderr
