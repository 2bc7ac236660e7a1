"""Settings: what is unusable is refused with the name of its variable, and no address is ever shown."""

from pathlib import Path

import pytest

from gateway.errors import LocalFileError
from gateway.settings import REQUESTS_PER_MINUTE, read_settings
from gateway.store.sql.dialects import postgres_url


def test_without_a_setting_everything_is_local() -> None:
    settings = read_settings({"XDG_STATE_HOME": "/state"})

    assert settings.state == Path("/state/tanqiao")
    assert (settings.database, settings.checkpoints, settings.redis) == ("", "", "")
    assert settings.requests_per_minute == REQUESTS_PER_MINUTE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TANQIAO_STATE", "here"),
        ("TANQIAO_DATABASE", "mysql://me:hush@host/name"),
        ("TANQIAO_CHECKPOINTS", "/var/hush.db"),
        ("TANQIAO_REDIS", "http://hush"),
        ("TANQIAO_REQUESTS_PER_MINUTE", "0"),
        ("TANQIAO_REQUESTS_PER_MINUTE", "1.5"),
        ("TANQIAO_REQUESTS_PER_MINUTE", "-1"),
        ("TANQIAO_REQUESTS_PER_MINUTE", "9" * 5000),
        ("TANQIAO_CENTRAL_DAY_MG", ""),
        ("TANQIAO_CENTRAL_DAY_MG", "1e9"),
        ("TANQIAO_CENTRAL_DAY_MG", "-1"),
        ("TANQIAO_CENTRAL_DAY_MG", "9" * 17),
    ],
)
def test_an_unusable_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(LocalFileError, match=name) as refused:
        read_settings({name: value})

    assert refused.value.remedy
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "written", ["postgresql://", "postgresql://host", "postgresql://me:hush@host:x/name"]
)
def test_an_address_that_names_no_database_is_refused_without_showing_it(written: str) -> None:
    with pytest.raises(LocalFileError, match="TANQIAO_DATABASE") as refused:
        postgres_url(written, setting="TANQIAO_DATABASE")

    assert "hush" not in str(refused.value)


def test_a_limit_of_the_day_is_exact_and_may_close_the_day() -> None:
    given = {"TANQIAO_CENTRAL_DAY_MG": "9007199254740993"}  # no float has it

    assert read_settings({}).central_day_mg is None
    assert read_settings(given).central_day_mg == 9_007_199_254_740_993
    assert read_settings({"TANQIAO_CENTRAL_DAY_MG": "0"}).central_day_mg == 0
