"""Send one request to a URL that somebody else has named: bounded in time, to a checked address only."""

from collections.abc import Mapping
from typing import Final

import httpx

from gateway.peers.addresses import AddressRefused
from gateway.peers.checked import CheckedHttp, failure_words
from gateway.ports import Posted

__all__ = ["Poster"]

SECONDS_MAX: Final = 15  # for one request, resolving included


class Poster(CheckedHttp):
    """Sends requests (:class:`gateway.ports.Post`), each over a new connection; answers are not read."""

    def __init__(self, *, private: bool, seconds: float = SECONDS_MAX) -> None:
        super().__init__(private=private, seconds=seconds)
        self._within = seconds

    async def __call__(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Posted:
        """Send a request and return what became of it."""
        try:
            answer = await self.send("POST", url, content=content, headers=headers)
        except AddressRefused as error:
            return Posted(0, str(error))
        except (TimeoutError, httpx.TimeoutException):
            return Posted(0, f"no answer within {self._within} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return Posted(0, f"no answer: {failure_words(error)}")
        return Posted(answer.status, "" if 200 <= answer.status < 300 else f"HTTP {answer.status}")
