"""Hold acts to the days on which a person may claim them."""

from collections.abc import Iterable
from typing import Final

from gateway.convert.instants import LocalDays
from gateway.convert.outcome import Refusal
from gateway.convert.program import ClaimWindow, Program
from gateway.model.codes import Rejection

__all__ = ["ClaimCheck", "claim_check"]

_ROLE: Final = "claimed_at"


def claim_check(program: Program) -> "ClaimCheck | None":
    """Return what holds acts to the window of a program; None where it has none."""
    window = program.source.claim_window
    return None if window is None else ClaimCheck(program, window)


class ClaimCheck:
    """Compares days of the city's calendar: that of the claim with that of the act."""

    def __init__(self, program: Program, window: ClaimWindow) -> None:
        known = (*program.behaviours, *program.unmapped)
        self._held = frozenset(one for one in known if window.concerns(one))
        self._opens, self._closes = window.opens, window.closes
        self._days = LocalDays(program.zone)
        self._unclaimed = Refusal(Rejection.UNCLAIMED, _ROLE, "expected the time of a claim, there is none")
        self._early = Refusal(
            Rejection.EARLY, _ROLE, f"expected a claim from {self._opens} days after the act on"
        )
        self._late = Refusal(
            Rejection.LATE, _ROLE, f"expected a claim before {self._closes} days after the act"
        )

    def hold(
        self,
        acts: Iterable[tuple[str | int | None, str | int | None, str | int | None]],
        refusals: dict[int, Refusal],
    ) -> None:
        """Refuse acts that were claimed too early, too late or not at all; a refusal that stands is kept.

        Args:
            acts: instant of the claim, day of the act, behaviour.
            refusals: by the act's place; added to.
        """
        for place, (claimed, day, behaviour) in enumerate(acts):
            if place not in refusals and behaviour in self._held and isinstance(day, int):
                refusal = self._judged(claimed, day)
                if refusal is not None:
                    refusals[place] = refusal

    def _judged(self, claimed: str | int | None, day: int) -> Refusal | None:
        if not isinstance(claimed, int):
            return self._unclaimed
        after = self._days.day(claimed) - day
        if after < self._opens:
            return self._early
        return self._late if after >= self._closes else None
