"""Send requests to URLs that somebody else has named: bounded in time and size, to checked addresses only."""

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Final, NamedTuple, Self

import httpx

from gateway.peers.addresses import Target, addresses, read_target

__all__ = ["AnswerTooLong", "CheckedHttp", "Exchanged", "failure_words"]

RESOLVING_MAX: Final = 64  # names at once: one whose servers are silent must not keep the others waiting
ADDRESSES_TRIED: Final = 2


class AnswerTooLong(httpx.StreamError):
    """An answer has more bytes than are read."""


class Exchanged(NamedTuple):
    """An answer; names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class CheckedHttp:
    """Connections to named URLs: no redirects, no proxies; what is connected to is the checked address.

    ``kept`` connections stay open: none where several names are called, for a connection is found by its
    address, under which other names may live.
    """

    def __init__(
        self, *, private: bool, seconds: float, kept: int = 0, resolving: int = RESOLVING_MAX
    ) -> None:
        self._private = private
        self._seconds = seconds
        self._resolving = ThreadPoolExecutor(resolving, thread_name_prefix="resolving")
        self._http = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(seconds, connect=seconds / 3),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=kept),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        self._resolving.shutdown(wait=False, cancel_futures=True)
        await self._http.aclose()

    async def send(
        self, method: str, url: str, *, content: bytes, headers: Mapping[str, str], bytes_max: int = 0
    ) -> Exchanged:
        """Send a request and return its answer, of which nothing is read where ``bytes_max`` is 0.

        Raises:
            AddressRefused: the URL is none that may be called.
            TimeoutError, httpx.TimeoutException: no answer within the time.
            httpx.HTTPError, httpx.InvalidURL, httpx.StreamError: no answer, for another reason.
        """
        async with asyncio.timeout(self._seconds):
            target = read_target(url, private=self._private)
            resolve = partial(addresses, target, private=self._private)
            found = await asyncio.get_running_loop().run_in_executor(self._resolving, resolve)
            request = partial(self._request, method, target, content=content, headers=headers)
            return await self._first([request(address=one) for one in found[:ADDRESSES_TRIED]], bytes_max)

    async def _first(self, requests: list[httpx.Request], bytes_max: int) -> Exchanged:
        """Ask at the first address that takes a connection."""
        for request in requests[:-1]:
            try:
                return await self._exchange(request, bytes_max)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._exchange(requests[-1], bytes_max)

    def _request(
        self, method: str, target: Target, *, address: str, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Request:
        return self._http.build_request(
            method,
            target.at(address),
            content=content or None,
            headers={**headers, "host": target.authority},
            extensions={"sni_hostname": target.host},  # the certificate must be that of the name
        )

    async def _exchange(self, request: httpx.Request, bytes_max: int) -> Exchanged:
        answer = await self._http.send(request, stream=True)
        try:
            content = b""
            if bytes_max:
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > bytes_max:
                        raise AnswerTooLong(f"the answer has more than {bytes_max} bytes")
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Exchanged(answer.status_code, headers, content)
        finally:
            await answer.aclose()


def failure_words(error: Exception) -> str:
    """Return in a few words why there is no answer."""
    words = str(error).partition("\n")[0][:200]
    return words or type(error).__name__
