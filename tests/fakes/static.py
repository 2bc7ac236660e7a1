"""A folder served as a plain web server serves it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler
from threading import Thread


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        pass


@contextmanager
def published(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its address."""
    with listening(partial(_Quiet, directory=str(folder))) as url:
        yield url


@contextmanager
def listening(handler: Callable[..., BaseRequestHandler]) -> Iterator[str]:
    """Serve what a handler answers; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
