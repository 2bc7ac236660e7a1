"""Read another gateway's log over HTTP (C2SP tlog-tiles), or a witness's newest checkpoint of it."""

from typing import Final

from gateway.errors import Unreachable
from gateway.peers.fetching import Fetcher

__all__ = ["HttpLog"]

FILE_BYTES_MAX: Final = 32 * 1024 * 1024  # a bundle of 256 entries of 65,535 bytes has 16.8 MB


class HttpLog(Fetcher):
    """Files below an address."""

    def read(self, url: str) -> bytes:
        """Return a file.

        Raises:
            FileNotFoundError: there is none of that name.
            Unreachable: there is no usable answer.
        """
        status, _, content = self.fetch("GET", url, bytes_max=FILE_BYTES_MAX)
        if status == 404:
            raise FileNotFoundError(url)
        if status != 200:
            raise Unreachable(f"{url} answers with HTTP {status}")
        return content
