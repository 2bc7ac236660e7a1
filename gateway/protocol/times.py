"""How long each step of a transfer may take, and when a message is sent again."""

from datetime import timedelta
from typing import Final, NamedTuple

from gateway.model.transfer import TransferKind

__all__ = ["ALARM_AFTER", "QUOTE_LIFETIME", "Times", "alarm_due", "retry_delay", "times_of"]

QUOTE_LIFETIME: Final = timedelta(minutes=5)
ALARM_AFTER: Final = 8
"""So many attempts without an answer call a person, and then each time their number doubles."""

_RETRY_FIRST_MS: Final = 500
_RETRY_MOST_MS: Final = 5 * 60 * 1000
_DOUBLINGS_MAX: Final = 10  # 500 ms doubled ten times is above the most


class Times(NamedTuple):
    """How long a transfer may take from the request to the decision, and the platforms' parts of it."""

    hold: timedelta
    credit: timedelta
    whole: timedelta


_TIMES: Final = {
    TransferKind.INTERACTIVE: Times(timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=30)),
    TransferKind.FILE: Times(timedelta(hours=24), timedelta(hours=24), timedelta(hours=24)),
}


def times_of(kind: TransferKind) -> Times:
    """Return how long a kind of transfer may take."""
    return _TIMES[kind]


def retry_delay(attempts: int, seed: int) -> timedelta:
    """Return how long to wait after so many attempts: doubling up to a most, half of it spread."""
    most = min(_RETRY_MOST_MS, _RETRY_FIRST_MS << min(max(attempts - 1, 0), _DOUBLINGS_MAX))
    return timedelta(milliseconds=most - seed % (most // 2 + 1))


def alarm_due(attempts: int) -> bool:
    """Tell whether so many attempts without an answer are to call a person."""
    return attempts >= ALARM_AFTER and attempts.bit_count() == 1  # a power of two, as the first of them is
