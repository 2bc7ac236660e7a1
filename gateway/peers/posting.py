"""Send one request to a URL that somebody else has named: bounded in time, to a checked address only."""

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Final

import httpx

from gateway.peers.addresses import AddressRefused, Target, addresses, read_target
from gateway.ports import Posted

__all__ = ["Poster"]

SECONDS_MAX: Final = 15  # for one request, resolving included
RESOLVING_MAX: Final = 64  # names at once: one whose servers are silent must not keep the others waiting
ADDRESSES_TRIED: Final = 2


class Poster:
    """Sends requests (:class:`gateway.ports.Post`): no redirects, no proxies, no content of the answer.

    No connection is used twice: it would be found by its address, under which other names may live.
    """

    def __init__(self, *, private: bool, seconds: float = SECONDS_MAX) -> None:
        self._private = private
        self._seconds = seconds
        self._resolving = ThreadPoolExecutor(RESOLVING_MAX, thread_name_prefix="resolving")
        self._http = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(seconds, connect=seconds / 3),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> "Poster":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resolving.shutdown(wait=False, cancel_futures=True)
        await self._http.aclose()

    async def __call__(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Posted:
        """Send a request and return what became of it."""
        try:
            async with asyncio.timeout(self._seconds):
                target = read_target(url, private=self._private)
                resolve = partial(addresses, target, private=self._private)
                found = await asyncio.get_running_loop().run_in_executor(self._resolving, resolve)
                return await self._first(target, found, content=content, headers=headers)
        except AddressRefused as error:
            return Posted(0, str(error))
        except (TimeoutError, httpx.TimeoutException):
            return Posted(0, f"no answer within {self._seconds} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return Posted(0, f"no answer: {_reason(error)}")

    async def _first(
        self, target: Target, found: list[str], *, content: bytes, headers: Mapping[str, str]
    ) -> Posted:
        """Ask at the first address that takes a connection."""
        for address in found[: ADDRESSES_TRIED - 1]:
            try:
                return await self._at(target, address, content=content, headers=headers)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if len(found) == 1:
                    raise
        return await self._at(target, found[ADDRESSES_TRIED - 1], content=content, headers=headers)

    async def _at(
        self, target: Target, address: str, *, content: bytes, headers: Mapping[str, str]
    ) -> Posted:
        request = self._http.build_request(
            "POST",
            target.at(address),
            content=content,
            headers={**headers, "host": target.authority},
            extensions={"sni_hostname": target.host},  # the certificate must be that of the name
        )
        answer = await self._http.send(request, stream=True)
        try:
            return Posted(answer.status_code, "" if answer.is_success else f"HTTP {answer.status_code}")
        finally:
            await answer.aclose()


def _reason(error: Exception) -> str:
    """Return in a few words why there is no answer."""
    words = str(error).partition("\n")[0][:200]
    return words or type(error).__name__
