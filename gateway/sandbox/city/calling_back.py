"""Post to the gateway what came of messages that were answered with 202."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

from gateway.client import AsyncGatewayClient
from gateway.errors import GatewayError
from gateway.model.canonical import canonical_bytes, digest
from gateway.sandbox.city.desk import KINDS, Reply
from gateway.sandbox.city.parts import CityParts

__all__ = ["answers_of", "call_back", "is_answered_later"]

_LATER: Final = ("holds", "credits", "decisions")
Json = dict[str, Any]


def is_answered_later(path: str, reply: Reply) -> bool:
    """Tell whether a request can be answered later: a message about a transfer that was understood."""
    return _resource(path) in _LATER and reply.status in (200, 201, 422)


def answers_of(path: str, content: bytes, *, reply: Reply) -> Iterator[Json]:
    """Yield what came of the messages of a request."""
    kind = KINDS[_resource(path)]
    if path.endswith(":batch"):
        items = json.loads(content)["items"]
        lines = [(line["status"], line["document"]) for line in json.loads(reply.content)["outcomes"]]
    else:
        items, lines = [json.loads(content)], [(reply.status, json.loads(reply.content))]
    for item, (status, document) in zip(items, lines, strict=True):
        said = item["body"] if kind.key == "transfer" else item
        answer = {
            "transfer": said["transfer"],
            "about": kind.one,
            "digest": digest(canonical_bytes(said)),
            "outcome": "done" if status < 300 else "refused",
        }
        yield answer if status < 300 else {**answer, "code": document["code"]}


async def call_back(parts: CityParts, answers: list[Json], *, seconds: float) -> None:
    """Tell the gateway after a while; what it says of each answer is counted."""
    await asyncio.sleep(seconds)
    try:
        async with AsyncGatewayClient(url=parts.gateway, signer=parts.signer, now=parts.clock.now) as client:
            outcomes = await client.answers(answers)
    except GatewayError as error:
        parts.called[error.code] += len(answers)
        return
    for outcome in outcomes:
        parts.called[str(outcome["document"].get("code", "taken"))] += 1


def _resource(path: str) -> str:
    return path.removeprefix("/v1/").removesuffix(":batch")
