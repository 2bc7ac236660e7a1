"""Ask an HTTP server and read its answer, of which no more than a bound is read."""

from types import TracebackType
from typing import Final, Self

import httpx

from gateway.errors import Unreachable

__all__ = ["Fetcher"]

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 15.0  # a witness flushes its disk before it answers


class Fetcher:
    """Connections that are kept open; safe for several threads."""

    def __init__(self) -> None:
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.Client(timeout=timeout, headers={"User-Agent": "tanqiao/1"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def fetch(
        self, method: str, url: str, *, bytes_max: int, content: bytes | None = None
    ) -> tuple[int, str, bytes]:
        """Return status, content type and content.

        Raises:
            Unreachable: no answer, or a longer one than is read.
        """
        try:
            with self._client.stream(method, url, content=content) as answer:
                data = b""
                for chunk in answer.iter_bytes():
                    data += chunk
                    if len(data) > bytes_max:
                        raise Unreachable(f"{url} answers more than {bytes_max} bytes")
                kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                return answer.status_code, kind, data
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{url} does not answer: {str(error) or type(error).__name__}") from error
