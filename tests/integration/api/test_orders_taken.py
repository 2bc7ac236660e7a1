"""Orders are taken no faster than the limit, and carried out once, also if the sequencer is killed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from gateway.api import ApiParts
from gateway.api.problems import status_of
from gateway.app.base.home import open_home
from gateway.app.records.check import record_of
from gateway.app.records.links import first_epoch
from gateway.app.serving.platforms import invite
from gateway.app.serving.serve import Serving, api_parts, sequence
from gateway.ports import Operation, OperationState
from gateway.service.access.onboarding import TooManyRequests
from gateway.store.serving.operations import SqlOperations
from tests.fakes.homes import audited, convert, make_home, rows_of, trip, write_trips
from tests.fakes.serving import WUHAN_PLATFORM

MAPPINGS = tuple(Path(f"mappings/cn-420100-wuhan/travel.v{version}.yaml").resolve() for version in (1, 2))


def killed(_self: SqlOperations, _results: object, **_now: str) -> None:
    raise KeyboardInterrupt


def work(serving: Serving, parts: ApiParts) -> None:
    sequence(serving, stop=lambda: not parts.operations.waiting())


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    home = make_home(tmp_path, monkeypatch, profile="default")
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    convert(home, write_trips(tmp_path / "a.ndjson", [trip(1, start_time=f"{day}T08:00:00+08:00")]))
    invite(home, WUHAN_PLATFORM)
    first_epoch(home)
    return Serving(root=home, mappings=MAPPINGS)


def withdrawal(parts: ApiParts, serving: Serving) -> Operation:
    (row,) = rows_of(serving.root)
    return parts.desk.withdraw(record_of(serving.root, row.id), "w")


def linking(parts: ApiParts, _serving: Serving) -> Operation:
    return parts.desk.link(WUHAN_PLATFORM, "l", account="u-1", identity="IDENTITY-1", consent="form 1")


@pytest.mark.parametrize(("make", "entries"), [(withdrawal, 1), (linking, 0)])
def test_an_order_is_carried_out_once(
    serving: Serving,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[ApiParts, Serving], Operation],
    entries: int,
) -> None:
    with api_parts(serving) as parts:
        before = parts.log().size
        taken = make(parts, serving)
        with monkeypatch.context() as patch:
            patch.setattr(SqlOperations, "finish", killed)
            with pytest.raises(KeyboardInterrupt):
                work(serving, parts)
        left = parts.submitting.own(WUHAN_PLATFORM, taken.id)
        work(serving, parts)
        done = parts.submitting.own(WUHAN_PLATFORM, taken.id)

    assert (left.state, done.state) == (OperationState.WORKING, OperationState.DONE)
    assert orjson.loads(done.result)["result"]
    with open_home(serving.root) as opened:
        assert opened.log.size == before + entries
    assert audited(serving.root).differences == []


def test_a_platform_links_no_faster_than_the_limit_and_others_go_on(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who guesses identities does not get far."""
    monkeypatch.setattr("gateway.app.serving.serve.LINKS_PER_MINUTE", 2)
    invite(serving.root, "cn-440300/shenzhen")
    with api_parts(serving) as parts:
        for number in range(2):
            parts.desk.link(WUHAN_PLATFORM, f"l-{number}", account="u", identity="IDENTITY-1", consent="c")

        with pytest.raises(TooManyRequests) as refused:
            parts.desk.link(WUHAN_PLATFORM, "l-2", account="u", identity="IDENTITY-2", consent="c")

        assert (refused.value.code, status_of(refused.value)) == ("too-many-requests", 429)
        parts.desk.link("cn-440300/shenzhen", "l", account="u", identity="IDENTITY-1", consent="c")
