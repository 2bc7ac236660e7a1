"""The outermost layer: what it turns away, what it closes, what it tells of an error."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.api import Limits
from gateway.api.edge import Edge
from gateway.app.serving.metrics import NoFigures
from gateway.service.submitting.taking import Busy

App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def fine(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


class Request:
    """One request to an edge: its content in parts, and the answer."""

    def __init__(self, *content: bytes, whole: bool = True, **headers: str) -> None:
        self.content = list(content)
        self.whole = whole
        self.sent: list[Message] = []
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self.scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": "/x", "headers": named, "query_string": b"",
        }  # fmt: skip

    async def receive(self) -> Message:
        if not self.content:
            await asyncio.sleep(3600)
        body = self.content.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.content) or not self.whole}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def through(self, edge: Edge) -> "Request":
        await edge(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def edge(app: App, **limits: int) -> Edge:
    return Edge(app, limits=Limits(**limits), measures=NoFigures())


def test_one_request_too_many_is_turned_away() -> None:
    async def both() -> tuple[Request, Request]:
        go = asyncio.Event()

        async def waits(scope: Scope, receive: Receive, send: Send) -> None:
            await go.wait()
            await fine(scope, receive, send)

        over = edge(waits, requests=1)
        first = asyncio.create_task(Request().through(over))
        await asyncio.sleep(0)
        second = await Request().through(over)
        go.set()
        return await first, second

    first, second = asyncio.run(both())

    assert (first.status, second.status) == (200, 503)
    assert json.loads(second.sent[1]["body"])["code"] == "busy"
    assert b"retry-after" in second.headers


def test_contents_share_the_memory_that_there_is_and_give_it_back() -> None:
    async def holds(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["holding"].hold(60)
        await fine(scope, receive, send)

    async def three_times() -> list[int]:
        over = edge(holds, held_bytes=100)
        return [(await Request().through(over)).status for _ in range(3)]

    assert asyncio.run(three_times()) == [200, 200, 200]


def test_contents_that_are_too_much_together_are_refused() -> None:
    async def holds_twice(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["holding"].hold(60)
        with pytest.raises(Busy):
            scope["state"]["holding"].hold(60)
        await fine(scope, receive, send)

    assert asyncio.run(Request().through(edge(holds_twice, held_bytes=100))).status == 200


@pytest.mark.parametrize(
    ("sent", "closed"),
    [
        pytest.param(Request(), False, id="nothing"),
        pytest.param(Request(b"ab", b"cd", content_length="4"), False, id="a little is read to its end"),
        pytest.param(Request(b"ab", whole=False, content_length="4"), True, id="it does not come"),
        pytest.param(Request(*[b"x" * 65536] * 40, transfer_encoding="chunked"), True, id="too much"),
        pytest.param(Request(b"ab", content_length="2", expect="100-continue"), True, id="not asked for"),
    ],
)
def test_content_that_nobody_reads_ends_the_connection(sent: Request, closed: bool) -> None:
    done = asyncio.run(sent.through(edge(fine)))

    assert done.status == 200
    assert (done.headers.get(b"connection") == b"close") is closed


def test_an_unexpected_error_is_told_by_its_id_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("the row of user-0001")

    with caplog.at_level(logging.INFO):
        done = asyncio.run(Request(x_request_id="mine").through(edge(fails)))

    problem = json.loads(done.sent[1]["body"])
    assert (done.status, problem["code"], problem["request_id"]) == (500, "error", "mine")
    assert "user-0001" not in json.dumps(problem)
    assert [record.getMessage() for record in caplog.records] == ["unexpected error", "answered"]
