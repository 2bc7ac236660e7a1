"""Kinds of acts: which behaviours may be one act, and how far two of them may overlap and be two.

A kind may lie within another: a ride by metro is a ride by public transport. Two acts are compared when
their kinds are the same or one lies within the other; a ride by metro and one by bus are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from gateway.errors import InvalidMapping

__all__ = ["NO_KIND", "Kind", "Kinds", "KindsRefused"]

NO_KIND: Final = -1
"""The number of the kind of a behaviour that is not compared."""


class KindsRefused(InvalidMapping):
    """The declaration of kinds means nothing."""

    code = "kinds-refused"
    remedy = (
        "mend the declaration: each kind once, within a kind that is declared, each behaviour in one kind"
    )


class Kind(NamedTuple):
    """One kind of act.

    ``by`` says how acts of it are compared: by the time they took, or by their day. Two acts that overlap
    by at most ``tolerance_s`` are two: clocks differ. ``assumed_s`` is how long an act takes that states
    no end.
    """

    name: str
    within: str | None
    by: Literal["interval", "day"]
    tolerance_s: int
    assumed_s: int
    behaviours: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kinds:
    """A declaration of kinds; a kind is known by its number, its place in the declaration."""

    kinds: tuple[Kind, ...]
    _numbers: dict[str, int] = field(init=False)
    _roots: tuple[int, ...] = field(init=False)
    _comparable: frozenset[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        lines = [self._line(number) for number in range(len(self.kinds))]
        by_behaviour: dict[str, int] = {}
        for number, kind in enumerate(self.kinds):
            for behaviour in kind.behaviours:
                if by_behaviour.setdefault(behaviour, number) != number:
                    raise KindsRefused(f"behaviour {behaviour} is of two kinds", field=behaviour)
        pairs = {(one, other) for one, line in enumerate(lines) for other in line}
        set_once = object.__setattr__
        set_once(self, "_numbers", by_behaviour)
        set_once(self, "_roots", tuple(line[-1] for line in lines))
        set_once(self, "_comparable", frozenset(pairs | {(other, one) for one, other in pairs}))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Kinds":
        """Take up a declaration whose form has been checked (openapi/schemas/kinds.schema.json).

        Raises:
            KindsRefused: a kind is declared twice or within one that is not there or within itself, or a
                behaviour is of two kinds.
        """
        kinds = [
            Kind(
                name=stated["kind"],
                within=stated.get("within"),
                by=stated["by"],
                tolerance_s=stated.get("tolerance_s", 0),
                assumed_s=stated.get("assumed_s", 0),
                behaviours=tuple(stated["behaviours"]),
            )
            for stated in document["kinds"]
        ]
        for kind in kinds:
            if sum(other.name == kind.name for other in kinds) > 1:
                raise KindsRefused(f"kind {kind.name} is declared twice", field=kind.name)
        return cls(tuple(kinds))

    def number(self, behaviour: str) -> int:
        """Return the number of a behaviour's kind, or :data:`NO_KIND`."""
        return self._numbers.get(behaviour, NO_KIND)

    def root(self, number: int) -> str:
        """Return the name of the outermost kind around a kind: what may be compared has the same."""
        return self.kinds[self._roots[number]].name

    def comparable(self, one: int, other: int) -> bool:
        """Tell whether acts of two kinds may be one act."""
        return (one, other) in self._comparable

    def tolerance(self, one: int, other: int) -> int:
        """Return by how many seconds acts of two kinds may overlap and be two."""
        return min(self.kinds[one].tolerance_s, self.kinds[other].tolerance_s)

    def _line(self, number: int) -> Sequence[int]:
        """Return a kind and those around it, from the inside out."""
        places = {kind.name: place for place, kind in enumerate(self.kinds)}
        line = [number]
        while (within := self.kinds[line[-1]].within) is not None:
            if within not in places:
                raise KindsRefused(f"kind {self.kinds[line[-1]].name} lies within {within}, not declared")
            if places[within] in line:
                raise KindsRefused(f"kind {within} lies within itself", field=within)
            line.append(places[within])
        return line
