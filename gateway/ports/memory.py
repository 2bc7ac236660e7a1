"""What converting remembers of events, caps and times."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from gateway.ports.claims import Claims
from gateway.ports.plausible import NewSpan

__all__ = ["EVENT_CONTENT_BYTES", "EventMark", "Memory", "NewEvents"]

EVENT_CONTENT_BYTES: Final = 8


class EventMark(NamedTuple):
    """What is remembered of an event: a keyed hash of its content and where its record stands."""

    content: bytes
    batch: int
    leaf_index: int


class NewEvents(NamedTuple):
    """The events that a batch records, in the order of its leaves, packed without anything between.

    ``keys`` are their 16-byte names, ``contents`` the 8-byte names of what they said.
    """

    keys: bytes
    contents: bytes


class Memory(Protocol):
    """What converting looks up: which events have a record, and what is used of the caps."""

    @property
    def claims(self) -> Claims:
        """Return what claims are judged by."""
        ...

    def known_events(self, keys: Sequence[bytes]) -> dict[bytes, EventMark]:
        """Return those of the keys that have a record already."""
        ...

    def cap_usage(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        """Return what has been used of each cap."""
        ...

    def own_spans(
        self, keys: Sequence[bytes], *, day: int, window: tuple[int, int]
    ) -> dict[bytes, list[tuple[int, int]]]:
        """Return when persons' acts took place: those remembered on a day, that reach into the window."""
        ...

    def note(self, events: NewEvents, usage: Mapping[bytes, int], *, spans: Sequence[NewSpan] = ()) -> None:
        """Remember what a dry run would have decided."""
        ...
