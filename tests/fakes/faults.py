"""A proxy that loses things: requests before the gateway sees them, answers after it has acted."""

import http.client
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Fault", "FaultyProxy", "faulty"]


class Fault(Enum):
    """What happens to one request."""

    NONE = "passed on"
    REQUEST = "lost before it arrives"
    ANSWER = "its answer lost"
    HALF = "half of its answer lost"
    BUSY = "a proxy says that it is busy"
    LATE = "its answer lost, behind a proxy that says so"


class FaultyProxy(ThreadingHTTPServer):
    """Passes requests on to a gateway with the next fault of a plan; none once the plan is at its end."""

    daemon_threads = True

    def __init__(self, gateway: str, plan: Iterable[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gateway = urlsplit(gateway).netloc
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.happened: list[Fault] = []
        self._plan = iter(plan)
        self._one_at_a_time = threading.Lock()

    def next_fault(self) -> Fault:
        with self._one_at_a_time:
            fault = next(self._plan, Fault.NONE)
            self.happened.append(fault)
        return fault


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy

    def _pass(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", "0")))
        fault = self.server.next_fault()
        self.close_connection = True
        if fault is Fault.REQUEST:
            return
        if fault is Fault.BUSY:
            self._answer(503, b"busy")
            return
        status, body = self._forwarded(content)
        if fault is Fault.LATE:
            self._answer(504, b"no answer in time")
        elif fault is not Fault.ANSWER:
            self._answer(status, body, sent=len(body) // 2 if fault is Fault.HALF else len(body))

    do_GET = do_POST = do_DELETE = _pass  # noqa: N815 - the names that http.server looks for

    def _forwarded(self, content: bytes) -> tuple[int, bytes]:
        """Ask the gateway, under the name by which the client asked, for that is signed."""
        connection = http.client.HTTPConnection(self.server.gateway, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(content or None)
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
        connection.close()
        return status, body

    def _answer(self, status: int, body: bytes, *, sent: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives
        """Say nothing."""


@contextmanager
def faulty(gateway: str, plan: Iterable[Fault]) -> Iterator[FaultyProxy]:
    """Run a proxy in front of a gateway."""
    with FaultyProxy(gateway, plan) as proxy:
        serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
