"""At most one active claim for each act: which of the acts of a person, of all platforms, count."""

from gateway.claims.close import CLOSE_DAYS, closed_through
from gateway.claims.holding import Act, Change, changes, holding
from gateway.claims.kinds import NO_KIND, Kind, Kinds, KindsRefused

__all__ = [
    "CLOSE_DAYS",
    "NO_KIND",
    "Act",
    "Change",
    "Kind",
    "Kinds",
    "KindsRefused",
    "changes",
    "closed_through",
    "holding",
]
