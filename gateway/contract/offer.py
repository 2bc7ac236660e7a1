"""What an adapter must offer to the gateway.

An adapter turns a platform's document into rows of text with their place. It knows the wire
format and nothing else: no figure, no network, no database, no clock. The mapping turns rows into
acts. Stateful steps, such as pairing entry and exit taps, are declared as an :class:`Assembly`, so
that the gateway can sort rows outside of memory and run bulk and single submissions through the
same code.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable

from gateway.model.source import Outcome, RefusedRow, SourceBlock, SourceFormat, SourceRow

__all__ = ["Assembly", "BlockAdapter", "PlatformAdapter", "RenderingAdapter", "contract_fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A declared stage that turns several rows into acts.

    The gateway sorts all rows of a submission by ``group_by`` then ``order_by`` (field names;
    texts compare by code point, an absent field before any text) and calls ``assemble`` once per
    group with the group's rows in that order. ``order_by`` should make the order total, so that
    the outcome does not depend on the order of the files.
    """

    group_by: tuple[str, ...]
    order_by: tuple[str, ...]
    assemble: Callable[[Iterator[SourceRow]], Iterator[Outcome]]


class PlatformAdapter(Protocol):
    """Translate one platform's documents into rows.

    ``name`` is the word after ``--adapter``. ``platform`` is the platform whose documents it reads
    (``cn-440300/shenzhen``), or None when the mapping decides.
    """

    name: str
    platform: str | None
    assembly: Assembly | None

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each row of one decompressed document once, in order.

        Args:
            document: the document's bytes, already decompressed; may be larger than memory.
            file: the name to put into each row's place.
            source: the mapping's ``source.format``.

        Raises:
            MalformedDocument: the document is not of the stated kind; nothing of it is used. To be
                sure of that it must be raised before the first row: rows before it may be recorded.
        """
        ...


@runtime_checkable
class BlockAdapter(Protocol):
    """What an adapter may offer beside: the same rows, column by column where that is quicker."""

    def blocks(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceBlock | SourceRow | RefusedRow]:
        """Yield the rows that ``rows`` yields, in the same order, some of them in blocks."""
        ...


@runtime_checkable
class RenderingAdapter(Protocol):
    """An adapter that can also write its platform's documents; an adapter need not."""

    def render(self, rows: Iterable[SourceRow], *, source: SourceFormat) -> bytes:
        """Write a document of rows; read again, it gives rows with the same fields in the same order."""
        ...


def contract_fault(adapter: object, name: str) -> str:
    """Return how an object breaks the contract of an adapter of that name, or an empty text."""
    absent = object()
    checks: tuple[tuple[str, Callable[[object], bool], str], ...] = (
        ("name", lambda value: value == name, f"the entry point's name {name!r}"),
        ("platform", lambda value: value is None or isinstance(value, str), "a platform's id or None"),
        ("assembly", lambda value: value is None or isinstance(value, Assembly), "an Assembly or None"),
        ("rows", callable, "a method"),
    )
    for attribute, holds, expected in checks:
        value = getattr(adapter, attribute, absent)
        if value is absent:
            return f"has no attribute {attribute}; expected {expected}"
        if not holds(value):
            return f"has {attribute} = {value!r}; expected {expected}"
    return ""
