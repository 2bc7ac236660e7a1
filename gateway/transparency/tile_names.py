"""Paths of tiles and entry bundles below a log's prefix."""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

__all__ = ["TILE_WIDTH", "TileName", "read_tile_name"]

TILE_WIDTH: Final = 256
_LEVEL_MAX: Final = 63
_PATH: Final = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class TileName:
    """One tile of hashes, or one bundle of entries where the level is None."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix."""
        groups = f"{self.index:,}".split(",")
        digits = [f"x{group:0>3}" for group in groups[:-1]] + [f"{groups[-1]:0>3}"]
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(digits)}{partial}"

    @property
    def full(self) -> Self:
        """The same tile once it is full."""
        return replace(self, width=TILE_WIDTH)


def read_tile_name(path: str) -> TileName | None:
    """Return the tile that a path names, or None when it names none."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level = None if found[1] == "entries" else int(found[1])
    index = int(found[2].replace("x", "").replace("/", ""))
    name = TileName(level, index, int(found[3] or TILE_WIDTH))
    # Leading groups of zeros, too large numbers and a partial tile of full width have no second spelling.
    return name if name.path == path and (level or 0) <= _LEVEL_MAX else None
