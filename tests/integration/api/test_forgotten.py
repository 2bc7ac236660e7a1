"""What a platform submitted of a person is forgotten with the person, also where the service kept it."""

import time

import pytest

from gateway.app.erase import erase
from gateway.app.serve import REASONS_SECONDS
from gateway.client import GatewayClient
from tests.fakes.homes import WUHAN, trip
from tests.fakes.searching import found_in, spellings
from tests.fakes.serving import WUHAN_PLATFORM, Served, once_free

pytestmark = pytest.mark.xdist_group("served")
PERSON = "resident-of-the-lane-7"
TOLD = "by-the-north-gate-at-eight"


def test_why_a_row_was_refused_is_forgotten_with_its_person(wuhan: GatewayClient, running: Served) -> None:
    """The reason quotes the row, so it may say where somebody was."""
    bad = trip(700, user_id=PERSON, trip_type=TOLD)
    sent = wuhan.submit(WUHAN, [trip(701, user_id=PERSON), bad])
    assert TOLD in sent["outcomes"][1]["detail"]
    assert found_in(spellings(TOLD), running.home)

    once_free(lambda: erase(running.home, PERSON, platform=WUHAN_PLATFORM))

    assert found_in(spellings(TOLD) | spellings(PERSON), running.home) == []
    time.sleep(REASONS_SECONDS)  # so long a worker may remember what it has read
    outcome = wuhan.finished(sent["id"])["outcomes"][1]
    assert (outcome["code"], "detail" in outcome) == ("unknown-code", False)
