"""Close the claims of days: what was provisional stays as it is, and the times of acts are deleted."""

from gateway.claims import Act, Kinds, holding
from gateway.ports import ClaimStore
from gateway.service.claims_asked import day_before_any

__all__ = ["close_claims"]


def close_claims(day: int, claims: ClaimStore, *, kinds: Kinds) -> None:
    """Close all days up to one, given as an ordinal number, unless that has been done.

    Acts that hold and reach into a later day are kept until none can overlap them any more.
    """
    if day <= claims.closed() or not claims.in_use():
        return

    def held(acts: list[Act]) -> set[Act]:
        return {act for act, by in holding(acts, kinds).items() if by is None}

    claims.close(day, edge=day_before_any(day), held=held)
