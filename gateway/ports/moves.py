"""What finds transfers by their platforms, and where platforms are called."""

from collections.abc import Sequence
from typing import Protocol

from gateway.ledger import Pair, Position

__all__ = ["MoveIndex", "PlatformAddresses"]


class MoveIndex(Protocol):
    """Finds transfers, and the positions that they led to."""

    def note(self, transfer: str, corridor: tuple[str, str], *, lots: Sequence[tuple[str, str]] = ()) -> None:
        """Write down between which platforms a transfer is; once is enough.

        ``lots``: those that have arrived, or will, of a person, as (person's pseudonym, lot).
        """
        ...

    def lots_of(self, person: str) -> list[tuple[str, str]]:
        """Return what arrived of a person, or was to: each lot with each transfer that has to do with it."""
        ...

    def of_platform(self, platform: str, *, after: str, limit: int) -> list[str]:
        """Return transfers of a platform, by their ids, those after an id; of all where it is empty."""
        ...

    def positions(self, platform: str) -> list[tuple[Pair, Position]]:
        """Return the positions of a platform towards others and of others towards it, or all of them."""
        ...

    def position(self, pair: Pair) -> Position | None:
        """Return one position; None where nothing was ever set or moved."""
        ...


class PlatformAddresses(Protocol):
    """Where platforms are called."""

    def put(self, platform: str, url: str) -> None:
        """Have a platform called at an address from now on."""
        ...

    def url(self, platform: str) -> str | None:
        """Return where a platform is called."""
        ...
