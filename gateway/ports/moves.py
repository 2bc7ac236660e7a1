"""What finds transfers by their platforms, and where platforms are called."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from gateway.ledger import Pair, Position

__all__ = ["LotNote", "MoveIndex", "PlatformAddresses"]


class LotNote(NamedTuple):
    """A lot that has arrived of a person, or will, and a transfer that brings it or takes of it."""

    person: str
    lot: str
    transfer: str


class MoveIndex(Protocol):
    """Finds transfers, and the positions that they led to."""

    def note(self, corridors: Mapping[str, tuple[str, str]], *, lots: Collection[LotNote] = ()) -> None:
        """Write down between which platforms transfers are, by their ids, and their lots; once is enough."""
        ...

    def lots_of(self, persons: Collection[str]) -> list[LotNote]:
        """Return what has arrived of persons, or was to, by their pseudonyms across platforms."""
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
