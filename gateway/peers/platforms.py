"""Cities' platforms over HTTP (openapi/platform.yaml): each on a line of its own, outcomes as values."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urlencode

from gateway.model.canonical import Json
from gateway.peers.platform_line import Called, LineParts, PlatformLine, Question
from gateway.ports import (
    Answered,
    Declined,
    PlatformEndpoint,
    PlatformMessage,
    PlatformOutcome,
    Resource,
    StatementPart,
    Unknown,
    Why,
)

__all__ = ["HttpPlatforms"]

BATCH_MAX: Final = 500  # lines of one request
ONE_BY_ONE_SECONDS: Final = 600  # then a platform without batches is asked whether it has them by now
_OK: Final = frozenset({200, 201})


class HttpPlatforms:
    """The platforms (:class:`gateway.ports.PlatformPeers`); to be used in one event loop.

    ``endpoint`` gives where a platform is called, None for one that is not; it is asked each time, so that
    a change of keys or address holds from the next request on.
    """

    def __init__(self, endpoint: Callable[[str], PlatformEndpoint | None], parts: LineParts) -> None:
        self._endpoint = endpoint
        self._parts = parts
        self._lines: dict[str, PlatformLine] = {}
        self._one_by_one: dict[tuple[str, Resource], float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines.values():
            await line.close()

    async def send(self, platform: str, message: PlatformMessage) -> PlatformOutcome:
        """Say something to a platform, again while no answer comes, within a bounded time."""
        question = Question(f"/v1/{message.resource}", message.document(), message.key)
        came = await self._call(platform, question)
        return (
            came
            if isinstance(came, Unknown)
            else _outcome(came.status, came.document, echoed=message.echoed())
        )

    async def send_all(self, platform: str, messages: Sequence[PlatformMessage]) -> list[PlatformOutcome]:
        """Say several things of one kind, so many in one request as it takes; outcomes in their order."""
        outcomes: list[PlatformOutcome] = []
        for first in range(0, len(messages), BATCH_MAX):
            some = messages[first : first + BATCH_MAX]
            said = await self._batch(platform, some)
            outcomes += said or await asyncio.gather(*(self.send(platform, one) for one in some))
        return outcomes

    async def ask(self, platform: str, resource: Resource, *, key: str) -> PlatformOutcome:
        """Ask a platform how something stands now."""
        came = await self._call(platform, Question(f"/v1/{resource}/{quote(key, safe='')}"))
        named = "transfer" if resource is Resource.DECISIONS else "id"
        return (
            came if isinstance(came, Unknown) else _outcome(came.status, came.document, echoed={named: key})
        )

    async def statement(
        self, platform: str, day: str, *, part: StatementPart = StatementPart.TOTALS, cursor: str = ""
    ) -> PlatformOutcome:
        """Ask a platform what a day of its added up to; ``cursor`` is ``next`` of the page before."""
        target = f"/v1/statements/{quote(day, safe='')}" + (f"/{part}" if part else "")
        came = await self._call(
            platform, Question(target + (f"?{urlencode({'cursor': cursor})}" if cursor else ""))
        )
        return (
            came if isinstance(came, Unknown) else _outcome(came.status, came.document, echoed={"day": day})
        )

    async def _batch(self, platform: str, messages: Sequence[PlatformMessage]) -> list[PlatformOutcome]:
        """Say several things in one request; nothing comes of it where the platform takes no batches."""
        (resource,) = {message.resource for message in messages}
        if time.monotonic() < self._one_by_one.get((platform, resource), 0):
            return []
        items: list[Json] = [message.document() for message in messages]
        question = Question(f"/v1/{resource}:batch", {"items": items}, messages[0].key)
        came = await self._call(platform, question)
        if isinstance(came, Unknown) and came.why is Why.NOT_OFFERED:
            self._one_by_one[platform, resource] = time.monotonic() + ONE_BY_ONE_SECONDS
            return []
        if isinstance(came, Unknown):
            return [came] * len(messages)
        lines = came.document.get("outcomes")
        if came.status not in _OK or not isinstance(lines, list) or len(lines) != len(messages):
            told = f"HTTP {came.status}: expected an outcome for each of {len(messages)} lines"
            return [Unknown(why=Why.MALFORMED, detail=told)] * len(messages)
        return [_of_line(message, line) for message, line in zip(messages, lines, strict=True)]

    async def _call(self, platform: str, question: Question) -> Called | Unknown:
        endpoint = self._endpoint(platform)
        if endpoint is None:
            return Unknown(why=Why.NOT_SENT, detail=f"no address of {platform} is known")
        line = self._lines.get(platform)
        if line is None:
            line = self._lines[platform] = PlatformLine(endpoint, self._parts)
        line.endpoint = endpoint
        return await line.call(question)


def _of_line(message: PlatformMessage, line: Json) -> PlatformOutcome:
    if not isinstance(line, dict) or line.get("id") != message.key:
        return Unknown(why=Why.MALFORMED, detail="the outcomes do not stand in the order of the lines")
    status, document = line.get("status"), line.get("document")
    if not isinstance(status, int) or not isinstance(document, dict):
        return Unknown(why=Why.MALFORMED, detail="expected `status` and `document` in an outcome")
    return _outcome(status, document, echoed=message.echoed())


def _outcome(status: int, document: Mapping[str, Json], *, echoed: Mapping[str, Json]) -> PlatformOutcome:
    """Return what a verified answer says, if it is about what was said and nothing else."""
    if status not in _OK:
        code, detail, errors = (document.get(name) for name in ("code", "detail", "errors"))
        first = errors[0] if isinstance(errors, list) and errors else {}
        pointer = first.get("pointer", "") if isinstance(first, dict) else ""
        if status >= 500 or not isinstance(code, str):
            return Unknown(why=Why.BUSY, detail=f"HTTP {status}: {detail}")
        return Declined(code=code, detail=str(detail), field=str(pointer))
    differing = [name for name, value in echoed.items() if document.get(name) != value]
    if differing:
        return Unknown(why=Why.MALFORMED, detail=f"the answer does not repeat {', '.join(differing)}")
    return Answered(document=document)
