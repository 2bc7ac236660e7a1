"""How often a platform may ask."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.api.problems import TooMany, status_of
from gateway.api.rates import Rate

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_platform_is_stopped_for_the_rest_of_the_minute_and_no_other() -> None:
    rate = Rate(2)
    for _ in range(2):
        rate.require("a/a", now=NOON)

    with pytest.raises(TooMany) as refused:
        rate.require("a/a", now=NOON + timedelta(seconds=59))
    rate.require("b/b", now=NOON)
    rate.require("a/a", now=NOON + timedelta(seconds=60))

    assert (refused.value.code, status_of(refused.value)) == ("too-many", 429)
