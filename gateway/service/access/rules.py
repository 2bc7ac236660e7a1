"""Who may do what with which thing: every rule about roles and objects stands here.

A platform sees what is its own. An operator of the gateway has one of three roles, and an auditor also a
grant: a platform and days. What is outside of a grant, or another's, is not found: nobody learns whether
it is there.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

from gateway.errors import NotFound, Refused
from gateway.ports import MappingPublication, Operator

__all__ = ["Action", "NotAllowed", "Role", "may", "own", "proposed_by", "require_day", "require_role"]


class NotAllowed(Refused):
    """The role of this token does not have that right."""

    code = "not-allowed"
    remedy = "ask for a token of another role: tanqiao operator token"


class _HasPlatform(Protocol):
    @property
    def platform(self) -> str: ...


Owned = TypeVar("Owned", bound=_HasPlatform)


class Role(StrEnum):
    """What somebody who runs or watches the gateway is."""

    OPERATOR = "operator"
    COORDINATOR = "coordinator"
    AUDITOR = "auditor"


class Action(StrEnum):
    """What can be done with an operator's token."""

    READ_PLATFORMS = "read-platforms"
    CHANGE_PLATFORMS = "change-platforms"
    READ_OPERATIONS = "read-operations"
    READ_RECORDS = "read-records"
    PUBLISH_MAPPINGS = "publish-mappings"


_MAY: Final[Mapping[Role, frozenset[Action]]] = MappingProxyType(
    {
        Role.OPERATOR: frozenset({Action.READ_PLATFORMS, Action.CHANGE_PLATFORMS}),
        Role.COORDINATOR: frozenset(
            {
                Action.READ_PLATFORMS,
                Action.READ_OPERATIONS,
                Action.READ_RECORDS,
                Action.PUBLISH_MAPPINGS,
            }
        ),
        Role.AUDITOR: frozenset({Action.READ_RECORDS}),
    }
)


def may(role: str, action: Action) -> bool:
    """Tell whether a role has a right."""
    return action in _MAY[Role(role)]


def require_role(operator: Operator, action: Action) -> None:
    """Refuse what the role does not have.

    Raises:
        NotAllowed: names the role and the right.
    """
    if not may(operator.role, action):
        raise NotAllowed(f"the role {operator.role} may not {action.replace('-', ' ')}")


def require_day(operator: Operator, *, platform: str, day: str) -> None:
    """Refuse records outside of an auditor's grant.

    Raises:
        NotFound: whether there are such records is not told.
    """
    require_role(operator, Action.READ_RECORDS)
    granted = operator.platform == platform and operator.first_day <= day <= operator.last_day
    if operator.role == Role.AUDITOR and not granted:
        raise NotFound("there are no such records", remedy="ask for a grant of that platform and day")


def own(found: Owned | None, asker: str, *, what: str) -> Owned:
    """Return what was found if it is the asking platform's.

    Raises:
        NotFound: it is another's, or there is none: in the same words.
    """
    if found is None or found.platform != asker:
        raise NotFound(f"there is no such {what}")
    return found


def proposed_by(found: MappingPublication | None, asker: str) -> MappingPublication:
    """Return a mapping version if who asks handed it in: a platform, or by the empty name a coordinator.

    Raises:
        NotFound: somebody else did, or nobody: in the same words.
    """
    if found is None or found.proposer != asker:
        raise NotFound("nobody has handed that version in, or somebody else")
    return found
