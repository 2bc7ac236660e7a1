"""Role by right: the whole table, and what lies outside of a grant."""

from typing import NamedTuple

import pytest

from gateway.errors import NotFound
from gateway.ports import Operator
from gateway.service.access.rules import Action, NotAllowed, Role, may, own, require_day, require_role

TABLE = {
    #                            operator coordinator auditor
    Action.READ_PLATFORMS:      (True,    True,       False),
    Action.CHANGE_PLATFORMS:    (True,    False,      False),
    Action.READ_OPERATIONS:     (False,   True,       False),
    Action.READ_RECORDS:        (False,   True,       True),
    Action.PUBLISH_MAPPINGS:    (False,   True,       False),
}  # fmt: skip
CELLS = [(role, action, row[number]) for action, row in TABLE.items() for number, role in enumerate(Role)]


def holder(role: str, *, platform: str = "", first: str = "", last: str = "") -> Operator:
    return Operator(
        "0" * 16, role, platform, first, last, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", None
    )


def test_the_table_has_every_right() -> None:
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize(("role", "action", "granted"), CELLS)
def test_a_role_has_the_rights_of_the_table_and_no_other(role: Role, action: Action, granted: bool) -> None:
    assert may(role, action) is granted
    if granted:
        require_role(holder(role), action)
        return
    with pytest.raises(NotAllowed):
        require_role(holder(role), action)


@pytest.mark.parametrize(
    ("platform", "day", "granted"),
    [
        ("cn-420100/wuhan", "2026-11-01", True),
        ("cn-420100/wuhan", "2026-11-03", True),
        ("cn-420100/wuhan", "2026-10-31", False),
        ("cn-420100/wuhan", "2026-11-04", False),
        ("cn-440300/shenzhen", "2026-11-02", False),
        ("", "2026-11-02", False),
    ],
)
def test_an_auditor_reads_its_grant_alone(platform: str, day: str, granted: bool) -> None:
    auditor = holder("auditor", platform="cn-420100/wuhan", first="2026-11-01", last="2026-11-03")
    if granted:
        require_day(auditor, platform=platform, day=day)
        return
    with pytest.raises(NotFound):
        require_day(auditor, platform=platform, day=day)


def test_a_coordinator_reads_any_day_and_an_operator_none() -> None:
    require_day(holder("coordinator"), platform="cn-440300/shenzhen", day="2026-01-01")
    with pytest.raises(NotAllowed):
        require_day(holder("operator"), platform="cn-440300/shenzhen", day="2026-01-01")


class Thing(NamedTuple):
    platform: str


def test_what_is_another_s_and_what_is_not_there_are_refused_in_the_same_words() -> None:
    mine = Thing("cn-1")

    assert own(mine, "cn-1", what="key") is mine
    with pytest.raises(NotFound) as of_another:
        own(Thing("cn-2"), "cn-1", what="key")
    with pytest.raises(NotFound) as nowhere:
        own(None, "cn-1", what="key")
    assert str(of_another.value) == str(nowhere.value)
