"""Requests of many shapes, and each of their covered parts altered."""

import string
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from gateway.signing.requests import Message, content_digest, required_components

__all__ = ["altered", "messages"]

_PLAIN = string.ascii_letters + string.digits + "-_~"
_PIECES = st.sampled_from([*_PLAIN, "%2F", "%20", "%E6%B1%89", "%25"])
_TEXT = st.lists(_PIECES, min_size=1, max_size=8).map("".join)
_HOSTS = st.sampled_from(
    ["https://gw.example", "https://GW.example:8443", "http://127.0.0.1:8420", "http://gw.example:80"]
)
_QUERIES = st.lists(st.tuples(_TEXT, _TEXT), max_size=3).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
_TYPES = st.sampled_from(["application/json", "application/x-ndjson; charset=utf-8", "text/csv"])
_KEYS = st.text(st.sampled_from(string.ascii_letters + string.digits + "!#:/.\"'"), min_size=1, max_size=40)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Draw a request that is not signed yet: with and without content, query and idempotency key."""
    path = "/" + "/".join(draw(st.lists(_TEXT, max_size=4)))
    query = draw(_QUERIES)
    headers = {"x-other": "not covered"}
    content = draw(st.none() | st.binary(min_size=1, max_size=40))
    if content is not None:
        headers |= {"content-type": draw(_TYPES), "content-digest": content_digest(content)}
    if draw(st.booleans()):
        headers["idempotency-key"] = draw(_KEYS)
    return Message(
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE"])),
        draw(_HOSTS) + path + (f"?{query}" if query else ""),
        headers,
        has_content=content is not None,
    )


def altered(message: Message) -> Iterator[tuple[str, Message]]:
    """Yield a signed request with one covered part or parameter of its signature changed, each in turn."""
    scheme, _, rest = message.url.partition("://")
    place, slash, query = rest.partition("?")
    changed = {
        "@method": replace(message, method={"GET": "POST"}.get(message.method, "GET")),
        "@authority": replace(message, url=f"{scheme}://other.{rest}"),
        "@path": replace(message, url=f"{scheme}://{place}x{slash}{query}"),
        "@query": replace(message, url=f"{scheme}://{place}?{query}x"),
    }
    for name in required_components(message):
        if name in changed:
            yield name, changed[name]
        else:
            value = message.headers[name]
            other = content_digest(value.encode()) if name == "content-digest" else value + "x"
            yield name, replace(message, headers={**message.headers, name: other})
    given = message.headers["signature-input"]
    for name, was, now in (("created", "created=1", "created=2"), ("nonce", 'nonce="', 'nonce="A')):
        yield name, replace(message, headers={**message.headers, "signature-input": given.replace(was, now)})
