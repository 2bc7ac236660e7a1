"""An endpoint for webhooks: a real HTTP server on the loopback address that notes what it was sent."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

ARRIVED_SECONDS = 30


class Arrived(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    content: bytes


class Receiver:
    """Answers by ``answer``: a status, from how many requests came before it; headers by ``extra``."""

    def __init__(self, answer: Callable[[int], int], extra: dict[str, str]) -> None:
        self.answer = answer
        self.extra = extra
        self.arrived: list[Arrived] = []
        self.url = ""

    def wait_for(self, count: int) -> list[Arrived]:
        """Return what came once there are so many requests."""
        for _ in range(ARRIVED_SECONDS * 50):
            if len(self.arrived) >= count:
                return list(self.arrived)
            time.sleep(0.02)
        raise AssertionError(f"{len(self.arrived)} requests of {count} came")


@contextmanager
def receiving(
    answer: Callable[[int], int] = lambda _: 204,
    *,
    extra: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Receiver]:
    receiver = Receiver(answer, extra or {})

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", "0")))
            before = len(receiver.arrived)
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.arrived.append(Arrived(self.path, headers, content))
            status = receiver.answer(before)
            try:
                self.send_response(status)
                for name, value in receiver.extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                pass  # the sender was killed

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            pass  # a sender that refuses the certificate ends the connection

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
