"""The way to an OpenID Connect provider: its discovery document, and from there its keys."""

import asyncio
import json
from typing import Final

import httpx

from gateway.errors import Unreachable
from gateway.peers.addresses import AddressRefused
from gateway.peers.checked import CheckedHttp, failure_words

__all__ = ["ProviderKeys"]

SECONDS_MAX: Final = 10.0  # for each of the two requests
DOCUMENT_BYTES_MAX: Final = 256 * 1024  # providers' documents have some 10 KiB
_DISCOVERY: Final = "/.well-known/openid-configuration"
_TO_THE_LETTER: Final = "set TANQIAO_OIDC_ISSUER to what its tokens say in `iss`, to the letter"
_DISCOVERED: Final = f"see that TANQIAO_OIDC_ISSUER with {_DISCOVERY} behind it is its discovery document"
_IN_HERE: Final = "a provider in a private network needs TANQIAO_OIDC_PRIVATE=allow"


class ProviderKeys:
    """Asks a provider for its keys (:class:`gateway.ports.IdentityKeys`), anew each time."""

    def __init__(self, issuer: str, *, private: bool) -> None:
        self._issuer = issuer
        self._private = private

    def __call__(self) -> bytes:
        """Return the provider's JSON Web Key Set as it is.

        Raises:
            Unreachable: no answer in time, or none that is one.
        """
        return asyncio.run(self._ask())

    async def _ask(self) -> bytes:
        async with CheckedHttp(private=self._private, seconds=SECONDS_MAX, resolving=1) as http:
            told = _read(await _fetch(http, self._issuer.rstrip("/") + _DISCOVERY))
            if told.get("issuer") != self._issuer:
                raise Unreachable("the discovery document is another issuer's", remedy=_TO_THE_LETTER)
            where = told.get("jwks_uri")
            if not isinstance(where, str):
                raise Unreachable("the discovery document names no jwks_uri", remedy=_DISCOVERED)
            return await _fetch(http, where)


async def _fetch(http: CheckedHttp, url: str) -> bytes:
    try:
        answer = await http.send(
            "GET", url, content=b"", headers={"accept": "application/json"}, bytes_max=DOCUMENT_BYTES_MAX
        )
    except AddressRefused as error:
        raise Unreachable(f"the identity provider may not be called: {error}", remedy=_IN_HERE) from error
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise Unreachable(f"the identity provider does not answer: {failure_words(error)}") from error
    if answer.status != 200:
        raise Unreachable(f"the identity provider answers with HTTP {answer.status}", remedy=_DISCOVERED)
    return answer.content


def _read(content: bytes) -> dict[str, object]:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        told = "the identity provider's discovery document is no JSON"
        raise Unreachable(told, remedy=_DISCOVERED) from error
    return told if isinstance(told, dict) else {}
