"""RFC 9421 once more, plainly: a second opinion on what a signature of a request covers.

Nothing of ours and no package is used, only the text of the standard (section 2.5), so an error in the
library that `gateway.signing` builds on cannot hide here.
"""

import re
from urllib.parse import urlsplit

__all__ = ["plain_signature_base"]

_INPUT = re.compile(r'[a-z0-9_*.-]+=(\((?P<covered>[^)]*)\)(?:;[a-z]+=(?:"[^"]*"|[0-9]+))*)')


def plain_signature_base(method: str, url: str, headers: dict[str, str]) -> bytes:
    """Return the signature base of a request with one signature; names of headers are lower case."""
    found = _INPUT.fullmatch(headers["signature-input"])
    assert found is not None, headers["signature-input"]
    parts = urlsplit(url)
    derived = {
        "@method": method,
        "@authority": _authority(parts.scheme, parts.netloc),
        "@path": parts.path or "/",
        "@query": "?" + parts.query,
    }
    names = [item.strip('"') for item in found["covered"].split(" ") if item]
    lines = [f'"{name}": {derived[name] if name in derived else headers[name].strip()}' for name in names]
    return "\n".join([*lines, f'"@signature-params": {found[1]}']).encode("ascii")


def _authority(scheme: str, netloc: str) -> str:
    host, _, port = netloc.lower().partition(":")
    usual = {"http": "80", "https": "443"}[scheme]
    return host if port in ("", usual) else f"{host}:{port}"
