"""One change of a mapping's meaning, and the days on which it would change acts."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

from gateway.convert import Program

__all__ = ["Change", "Days", "Effect", "Kind", "Reach", "Sides"]

Effect = Literal["editorial", "forward-only", "retroactive"]
"""editorial: no act counts otherwise; forward-only: only acts that have not taken place yet, or that the old
version does not count; retroactive: acts that the old version counts and that have taken place."""

Kind = Literal[
    "identity", "status", "text", "source", "test", "days", "reading", "code", "bounds", "threshold",
    "factor", "table", "formula", "rounding", "credit", "cap", "expiry", "other",
]  # fmt: skip

_FIRST: Final = date.min
_LAST: Final = date.max


class Days(NamedTuple):
    """Days from the first up to and without the second."""

    first: date = _FIRST
    until: date = _LAST

    def meet(self, other: "Days") -> "Days":
        """Return the days of both."""
        return Days(max(self.first, other.first), min(self.until, other.until))

    def __bool__(self) -> bool:
        return self.first < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What differs, how it is told, and what it does.

    ``about`` names it, such as a factor and a behaviour. ``days`` are those for which it holds and ``past``
    those of them whose acts have been counted by the old version; both None where there are none.
    ``pointers`` are the places of the documents that the change accounts for.
    """

    kind: Kind
    effect: Effect
    about: tuple[str, ...]
    old: str
    new: str
    unit: str = ""
    days: Days | None = None
    past: Days | None = None
    pointers: tuple[str, ...]


class Reach(NamedTuple):
    """What a change does, on which days, and on which days that have passed."""

    effect: Effect = "editorial"
    days: Days | None = None
    past: Days | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """The two versions, and the first day that has not passed when the new one is published."""

    old: Program
    new: Program
    as_of: date

    @property
    def covered(self) -> Days:
        """The days that the new version covers."""
        return Days(self.new.effective_from, self.new.effective_until or _LAST)

    def reach(self, days: Days, *, counted: bool = True) -> Reach:
        """Say what a change of these days does; ``counted``: whether the old version counts such acts."""
        concerned = days.meet(self.covered)
        return self._reach(concerned, counted=counted) if concerned else Reach()

    def lost(self, days: Days) -> Reach:
        """Say what it does that the new version does not cover these days any more."""
        return self._reach(days, counted=True) if days else Reach()

    def _reach(self, days: Days, *, counted: bool) -> Reach:
        past = days.meet(Days(self.old.effective_from, self.old.effective_until or _LAST))
        past = past.meet(Days(_FIRST, self.as_of))
        return Reach("retroactive", days, past) if counted and past else Reach("forward-only", days)
