"""A platform that sends too much is told so, with a time to wait; others go on."""

from pathlib import Path

import pytest

from gateway.client import RequestFailed
from tests.fakes.homes import make_home
from tests.fakes.serving import enrolled, served

pytestmark = pytest.mark.xdist_group("served")


def test_too_many_requests_are_refused_with_a_time_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_REQUESTS_PER_MINUTE", "3")
    home = make_home(tmp_path, monkeypatch, profile="default")
    with served(home) as running:
        wuhan = enrolled(running)
        pauses: list[float] = []
        wuhan.pause = pauses.append
        told: list[str] = []
        for _ in range(3):
            wuhan.request("GET", "/v1/operations")

        wuhan.http.event_hooks["response"].append(lambda answer: told.append(answer.headers["retry-after"]))
        with pytest.raises(RequestFailed) as refused:
            wuhan.request("GET", "/v1/operations")

        assert refused.value.status == 429
        assert refused.value.problem["code"] == "too-many-requests"
        assert refused.value.problem["retryable"] is True
        assert all(1 <= int(seconds) <= 60 for seconds in told)
        assert len(pauses) == 4, "the client has tried again"
        other = enrolled(running, 2, platform="cn-440300/shenzhen")
        assert other.request("GET", "/v1/operations").status == 200
