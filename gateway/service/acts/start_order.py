"""Put acts into the order of their start, for caps that count them in that order.

What is not an act, and acts without a readable start, go first: they use up no cap.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec

from gateway.convert import Refusal, Roles
from gateway.model.source import Outcome, RefusedRow, RepeatedRow, SourceRow
from gateway.service.acts.recording import event_text
from gateway.service.acts.scheme import SchemeEvaluator

__all__ = ["by_start"]

ROWS_AT_ONCE: Final = 4096  # roles are read column by column; more rows at once gain nothing
EPOCH_SHIFT: Final = 2**62  # start times before 1970 are negative; keys sort as unsigned bytes

_KINDS: Final = (SourceRow, RefusedRow, RepeatedRow)
_encode = msgspec.msgpack.Encoder().encode
_decoders: Final = (
    msgspec.msgpack.Decoder(SourceRow),
    msgspec.msgpack.Decoder(RefusedRow),
    msgspec.msgpack.Decoder(RepeatedRow),
)


def by_start(
    outcomes: Iterable[Outcome],
    evaluator: SchemeEvaluator,
    *,
    sort: Callable[[Iterable[tuple[bytes, bytes]]], Iterator[bytes]],
) -> Iterator[Outcome]:
    """Yield all outcomes, acts by start and then event."""
    for payload in sort(_keyed(iter(outcomes), evaluator)):
        outcome: Outcome = _decoders[payload[0]].decode(memoryview(payload)[1:])
        yield outcome


def _keyed(outcomes: Iterator[Outcome], evaluator: SchemeEvaluator) -> Iterator[tuple[bytes, bytes]]:
    while some := list(islice(outcomes, ROWS_AT_ONCE)):
        acts = [outcome for outcome in some if isinstance(outcome, SourceRow)]
        keys = map(_key, evaluator.read([act.fields for act in acts]).roles())
        for outcome in some:
            kind = _KINDS.index(type(outcome))
            yield next(keys) if kind == 0 else b"", bytes([kind]) + _encode(outcome)


def _key(roles: Roles | Refusal) -> bytes:
    if isinstance(roles, Refusal):
        return b""
    start = roles.start if roles.start is not None else roles.day * 86_400
    return (start + EPOCH_SHIFT).to_bytes(8, "big") + event_text(roles.event).encode()
