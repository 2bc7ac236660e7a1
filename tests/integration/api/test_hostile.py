"""Whatever is sent, it is answered by a refusal that says why, and nothing of it is told to others."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest

from gateway.client import Answer, GatewayClient, RequestFailed
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.serving import Served, enrolled, served
from tests.integration.api.hostile_bodies import (
    EVENT,
    HALF_PAIRS,
    NAUGHTY_TEXTS,
    NOT_JSON,
    NOT_OBJECTS,
    NOT_SUBMISSIONS,
    PERSON,
    within,
)

pytestmark = pytest.mark.xdist_group("served")
POST = b"POST /v1/acts HTTP/1.1\r\nhost: x\r\n"
UNKNOWN = b"POST /v1/platforms/cn-420100/wuhan/enrolment HTTP/1.1\r\nhost: x\r\nsignature: a=:AA==:\r\n"
CONNECTIONS = int(os.environ.get("TANQIAO_TEST_CONNECTIONS", "300"))
MEBIBYTE = 1 << 20
LIMITS = {
    "TANQIAO_HEAD_SECONDS": "1",
    "TANQIAO_IDLE_SECONDS": "1",
    "TANQIAO_BODY_SECONDS": "3",
    "TANQIAO_DOCUMENT_MIB": "1",
    "TANQIAO_FILE_MIB": "2",
    "TANQIAO_CONNECTIONS_MAX": "12000",
}
HEADERS = {"content-type": "application/json", "idempotency-key": EVENT, "x-request-id": "r-1"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a home with small limits."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LIMITS.items():
            patch.setenv(name, value)
        with served(make_home(tmp_path_factory.mktemp("served"), patch, profile="default")) as one:
            yield one
            require_redacted((one.home.parent / "served.log").read_bytes())


@pytest.fixture(scope="module")
def wuhan(running: Served) -> GatewayClient:
    return enrolled(running)


def require_redacted(told: bytes) -> None:
    assert EVENT.encode() not in told
    assert PERSON.encode() not in told


def refusal(client: GatewayClient, content: bytes, **headers: str) -> dict[str, Any]:
    """Send a body to /v1/acts and return the problem document that it gets."""
    with pytest.raises(RequestFailed) as refused:
        client.request("POST", "/v1/acts", content=content, headers=HEADERS | headers)
    assert 400 <= refused.value.status < 500
    problem = refused.value.problem
    assert problem["status"] == refused.value.status
    assert problem["code"]
    require_redacted(orjson.dumps(problem))
    return problem


@pytest.mark.parametrize("act", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_refused_as_a_whole(wuhan: GatewayClient, act: bytes) -> None:
    for body in within(act):
        assert refusal(wuhan, body)["code"] == "malformed-document"


@pytest.mark.parametrize("act", NOT_OBJECTS.values(), ids=NOT_OBJECTS)
def test_an_act_that_is_no_object_is_refused(wuhan: GatewayClient, act: bytes) -> None:
    for body in within(act):
        assert refusal(wuhan, body)["code"] == "malformed-document"


@pytest.mark.parametrize("body", NOT_SUBMISSIONS.values(), ids=NOT_SUBMISSIONS)
def test_what_is_no_submission_is_refused(wuhan: GatewayClient, body: bytes) -> None:
    assert refusal(wuhan, body)["code"] in ("malformed-document", "not-found", "usage", "request-not-signed")


@pytest.mark.parametrize(
    "act", (NOT_JSON | NOT_OBJECTS | HALF_PAIRS).values(), ids=NOT_JSON | NOT_OBJECTS | HALF_PAIRS
)
def test_a_bad_line_does_not_touch_the_good_ones(wuhan: GatewayClient, act: bytes) -> None:
    """As NDJSON, where a line is a row: refused with its request, or set aside alone; never taken."""
    number = abs(hash(act)) % 900_000 + 1000
    content = b"\n".join(
        [orjson.dumps(trip(number)), act.replace(b"\n", b" "), orjson.dumps(trip(number + 1))]
    )
    headers = HEADERS | {
        "content-type": "application/x-ndjson",
        "idempotency-key": f"l{number}",
        "prefer": "wait=20",
    }

    done = answered(wuhan, "POST", f"/v1/acts?mapping={WUHAN}", content=content, headers=headers)

    if done.status != 200:
        assert (done.status, done.json()["code"]) == (400, "malformed-document")
    else:
        outcomes = [one["outcome"] for one in done.json()["outcomes"]]
        assert outcomes == ["accepted", "rejected", "accepted"]


@pytest.mark.parametrize("text", NAUGHTY_TEXTS.values(), ids=NAUGHTY_TEXTS)
def test_a_naughty_text_is_a_text(wuhan: GatewayClient, text: str) -> None:
    for field in ("trip_id", "user_id", "trip_type", "start_time", "distance_km"):
        done = wuhan.submit(WUHAN, [trip(5, **{field: text}), trip(6)])
        assert done["state"] == "done"
        assert done["outcomes"][1]["outcome"] in ("accepted", "duplicate")
    for target in ("operations", "records", "receipts", "mappings"):
        found = answered(wuhan, "GET", f"/v1/{target}/" + quote(text[:3000], safe=""))
        assert 400 <= found.status < 500
        assert found.json()["code"]


def answered(client: GatewayClient, method: str, target: str, **sent: Any) -> Answer:
    """Return the answer, whether it is a refusal or not."""
    try:
        return client.request(method, target, **sent)
    except RequestFailed as refused:
        return Answer(refused.status, {}, orjson.dumps(refused.problem))


def test_headers_that_lie_are_refused(running: Served) -> None:
    for name, value in (
        ("signature-input", "tanqiao=" + "(" * 2000),
        ("signature-input", 'tanqiao=("@method");created=1e400;keyid="x"'),
        ("signature-input", "tanqiao=();created=99999999999999999999"),
        ("signature-input", 'tanqiao=("@method" "@authority" "@path" "@query");tag="tanqiao"'),
        ("signature-input", 'tanqiao=("@query-param";name="x");tag="tanqiao";keyid="\x7f"'),
        ("signature", "tanqiao=:!!!:"),
        ("signature", "tanqiao=" + "9" * 5000),
        ("content-digest", "sha-256=::"),
        ("host", "["),
        ("host", "a/b?c#d@e"),
        ("prefer", "wait=" + "9" * 4000),
        ("range", "bytes=0-,-1,5-2"),
        ("traceparent", "00-" + "0" * 32 + "-x"),
        ("accept-language", "z" * 4000),
    ):
        pairs = {"signature-input": 'tanqiao=();tag="tanqiao"', "signature": "tanqiao=:AAAA:"} | {name: value}
        head = "".join(f"{key}: {text}\r\n" for key, text in ({"host": "x"} | pairs).items())
        answer = spoken(running, f"GET /v1/operations HTTP/1.1\r\n{head}connection: close\r\n\r\n".encode())
        assert status_of(answer) in (400, 401), (name, value, answer)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), id="TLS"),
        pytest.param(b"SSH-2.0-x\r\n", id="SSH"),
        pytest.param(b"GET\r\n\r\n", id="no target"),
        pytest.param(b"GET /v1/health HTTP/9.9\r\nhost: x\r\n\r\n", id="another version"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n", id="a target that is no ASCII"),
        pytest.param(POST + b"content-length: -1\r\n\r\n", id="a length below zero"),
        pytest.param(POST + b"content-length: 1x\r\n\r\n", id="a length that is none"),
        pytest.param(
            POST + b"content-length: 99999999999999999999\r\n\r\n",
            id="a huge length",
        ),
        pytest.param(
            POST + b"content-length: 4\r\ncontent-length: 5\r\n\r\nabcde",
            id="two lengths",
        ),
        pytest.param(
            POST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            id="length and chunks",
        ),
        pytest.param(
            POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
            id="no size of a chunk",
        ),
        pytest.param(b"GET /v1/health HTTP/1.1\r\nhost x\r\n\r\n", id="a header without a colon"),
        pytest.param(b"GET /v1/health HTTP/1.1\r\n a: b\r\n\r\n", id="a header that begins with a space"),
        pytest.param(b"GET /v1/health HTTP/1.1\r\na\x00: b\r\n\r\n", id="a zero byte in a header"),
        pytest.param(b"GET /" + b"a" * 400_000 + b" HTTP/1.1\r\n\r\n", id="an endless target"),
        pytest.param(b"GET / HTTP/1.1\r\nx: " + b"a" * 400_000, id="an endless header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 60_000, id="endless headers"),
    ],
)
def test_what_is_no_http_is_refused_or_cut_off(running: Served, sent: bytes) -> None:
    answer = spoken(running, sent)

    assert not answer or 400 <= status_of(answer) < 500
    assert not answer or b"application/problem+json" in answer


def spoken(running: Served, sent: bytes) -> bytes:
    """Send bytes and return all that is answered until the connection is closed."""
    host, _, port = running.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        answer = b""
        try:
            connection.sendall(sent)
            while got := connection.recv(65536):
                answer += got
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_slow_senders_are_let_go(running: Served) -> None:
    """Of a head, between requests, of a body; none of them holds a connection for longer than the limit."""
    body = UNKNOWN + b"content-length: 100\r\n\r\n{"
    chunk = UNKNOWN + b"transfer-encoding: chunked\r\n\r\n5\r\nab"

    assert status_of(spoken(running, b"GET /v1/health HTTP/1.1\r\nhost:")) == 408
    assert status_of(spoken(running, body)) == 408
    assert status_of(spoken(running, chunk)) == 408
    assert spoken(running, b"") == b""
    assert spoken(running, b"\r\n\r\n") == b""


def test_too_much_content_is_refused_with_a_length_and_without(wuhan: GatewayClient) -> None:
    body = b" " * (MEBIBYTE + 1)

    assert refusal(wuhan, body)["code"] == "too-large"
    with pytest.raises(RequestFailed) as refused:
        wuhan.upload(WUHAN, "trips.ndjson", content=body * 3)
    assert (refused.value.status, refused.value.problem["code"]) == (413, "too-large")


def test_endless_content_of_somebody_unknown_is_not_kept(running: Served) -> None:
    head = UNKNOWN + b"transfer-encoding: chunked\r\n\r\n"
    before = worker_memory(running)

    for _ in range(3):
        answer = spoken(running, head + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 400)
        assert not answer or status_of(answer) == 413

    assert worker_memory(running) - before < 32 * MEBIBYTE


def test_pipelined_requests_are_answered_in_their_order(running: Served) -> None:
    sent = (
        b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n" * 200
        + b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )

    answer = spoken(running, sent)

    assert answer.count(b"HTTP/1.1 200") == 200
    assert answer.rpartition(b"HTTP/1.1 ")[2].startswith(b"404")


def worker_memory(running: Served) -> int:
    """Return the resident bytes of all processes of the service."""
    total = 0
    for child in running.children():
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
    return total


MANY = """
import resource, socket, sys
url, count = sys.argv[1], int(sys.argv[2])
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, most), most))
host, _, port = url.removeprefix("http://").partition(":")
held, answers = [], []
for _ in range(count):
    one = socket.create_connection((host, int(port)), timeout=60)
    one.sendall(b"GET /v1/health HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n")
    held.append(one)
for one in held:
    answer = one.recv(65536)
    answers.append(answer[9:12].decode())
print({status: answers.count(status) for status in set(answers)})
"""


def test_many_connections_are_answered(running: Served) -> None:
    before = worker_memory(running)

    done = subprocess.run(
        [sys.executable, "-c", MANY, running.url, str(CONNECTIONS)],
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{{'200': {CONNECTIONS}}}"
    assert worker_memory(running) - before < 64 * MEBIBYTE + CONNECTIONS * 32 * 1024
    assert httpx.get(running.url + "/v1/health").status_code == 200


def test_nothing_personal_is_told(wuhan: GatewayClient, running: Served) -> None:
    """What is refused says so without its data; the log has a line for it, without them too."""
    marked = trip(1, trip_id=EVENT, user_id=PERSON)
    first = wuhan.submit(WUHAN, [marked], key=EVENT)

    problems = [
        refusal(wuhan, orjson.dumps({"mapping": WUHAN, "acts": [marked, marked]})),
        refusal(wuhan, orjson.dumps({"mapping": PERSON, "acts": [marked]})),
        refusal(wuhan, orjson.dumps({"mapping": WUHAN, "acts": [[marked]]})),
        refusal(wuhan, b"{}", **{"content-type": EVENT}),
    ]
    for target in ("operations", "records", "receipts", "mappings"):
        with pytest.raises(RequestFailed) as refused:
            wuhan.request("GET", f"/v1/{target}/{EVENT}?batch={PERSON}&platform={PERSON}&cursor={EVENT}")
        problems.append(refused.value.problem)

    assert first["outcomes"][0]["outcome"] == "accepted"
    assert problems[0]["code"] == "idempotency-conflict"
    require_redacted(orjson.dumps([*problems, first]))
    log = (running.home.parent / "served.log").read_bytes()
    require_redacted(log)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith(b"{")]
    assert {"route": "/v1/acts", "status": 409, "platform": "cn-420100/wuhan"}.items() <= next(
        line for line in lines if line.get("status") == 409
    ).items()


def test_an_answer_tells_nothing_of_the_one_who_answers(running: Served) -> None:
    answer = httpx.get(running.url + "/v1/health")

    assert "server" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert isinstance(Answer(answer.status_code, answer.headers, answer.content).json(), dict)
