"""How a platform is told what it has to do, and how it answers: recorded with the platform, once."""

import re
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from gateway.errors import UsageError

__all__ = [
    "COMMON_FORM",
    "CarriedFile",
    "CarriedFiles",
    "Dialect",
    "Dialects",
    "Heading",
    "Way",
    "read_dialect",
]

COMMON_FORM: Final = "common"
"""The columns that a file has where a city has none of its own."""
_DIALECT: Final = re.compile(r"(json|callback|file)(?::([a-z][a-z0-9_-]{0,63}))?")


class Way(StrEnum):
    """The ways that messages and answers go."""

    JSON = "json"  # openapi/platform.yaml, each request with its answer
    CALLBACK = "callback"  # the same; an answer that takes time is posted to this gateway later
    FILE = "file"  # a file of messages is carried there, and a file of answers back


class Dialect(NamedTuple):
    """What is spoken with a platform. ``form``: whose columns a file has."""

    way: Way = Way.JSON
    form: str = ""

    def __str__(self) -> str:
        return f"{self.way}:{self.form}" if self.form else str(self.way)


class Heading(StrEnum):
    """Where a file goes, as this gateway sees it."""

    OUT = "out"
    IN = "in"


class CarriedFile(NamedTuple):
    """A file that was written for a platform, or taken from it: what is kept of it."""

    platform: str
    heading: Heading
    sequence: int
    digest: str
    moment: str


class CarriedFiles(Protocol):
    """The files between this gateway and platforms, by their numbers; what stood in them is not kept."""

    def write(self, platform: str, *, digest: str, moment: str) -> int:
        """Give a file for a platform the next number."""
        ...

    def take(self, file: CarriedFile) -> bool:
        """Keep that a platform's file was taken, again or not; False: another file has its number."""
        ...

    def of(self, platform: str, heading: Heading) -> list[CarriedFile]:
        """Return the files of a platform, by their numbers; of all platforms where it is empty."""
        ...


class Dialects(Protocol):
    """What is spoken with each platform: common JSON where nothing else was put down."""

    def put(self, platform: str, dialect: Dialect) -> None:
        """Speak so with a platform from now on."""
        ...

    def of(self, platform: str) -> Dialect:
        """Return what is spoken with a platform."""
        ...

    def by(self, way: Way) -> list[str]:
        """Return the platforms whose messages go a way that is not that of common JSON."""
        ...


def read_dialect(text: str) -> Dialect:
    """Read a dialect as it is written: ``json``, ``callback``, ``file``, or ``file:FORM``.

    Raises:
        UsageError: it is none of these.
    """
    found = _DIALECT.fullmatch(text)
    if found is None or (found[2] and found[1] != Way.FILE):
        raise UsageError(
            f"there is no dialect {text!r}", field="dialect", remedy="one of: json, callback, file, file:FORM"
        )
    way = Way(found[1])
    return Dialect(way, found[2] or COMMON_FORM if way is Way.FILE else "")
