"""Walk a document that has passed the schema, and collect what its meaning breaks."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from gateway.convert.document import Document, Finding, Value, child, utf16_order
from gateway.convert.units import DIMENSIONLESS, Unit, UnitError, parse_unit

__all__ = ["Node", "scaled"]


class Node:
    """One value of a document: knows its place, reads its members, takes findings about itself.

    A reader that meets a fault reports it and returns something harmless, so that one reading finds
    all faults of a document.
    """

    __slots__ = ("_document", "_findings", "_pointer", "_value")

    def __init__(self, document: Document, findings: list[Finding]) -> None:
        self._document = document
        self._findings = findings
        self._pointer = ""
        self._value = document.value

    def report(self, code: str, message: str) -> None:
        """Note that this value is wrong."""
        self._findings.append(self._document.finding(self._pointer, code, message=message))

    def get(self, key: str) -> "Node | None":
        """Return a member, or None where it is left out."""
        if not isinstance(self._value, dict) or key not in self._value:
            return None
        return self._child(key, self._value[key])

    def __getitem__(self, key: str) -> "Node":
        """Return a member that the schema requires."""
        found = self.get(key)
        return self if found is None else found

    def word(self, key: str, default: str = "") -> str:
        """Return the text of a member, or the default where it is left out."""
        found = self.get(key)
        return default if found is None else found.text

    @property
    def value(self) -> Value:
        """The value as it was read."""
        return self._value

    @property
    def text(self) -> str:
        """The text of a scalar; empty for a list or a mapping."""
        return self._value if isinstance(self._value, str) else ""

    def members(self, key: str | None = None) -> Iterator[tuple[str, "Node"]]:
        """Yield the members of this mapping, or of the mapping under ``key`` if there is one.

        They come in canonical order, so that a program depends on nothing that its digest leaves out.
        """
        node = self if key is None else self.get(key)
        if node is not None and isinstance(node._value, dict):
            for name in sorted(node._value, key=utf16_order):
                yield name, node._child(name, node._value[name])

    def elements(self, key: str | None = None) -> Iterator["Node"]:
        """Yield the elements of this list, or of the list under ``key`` if there is one."""
        node = self if key is None else self.get(key)
        if node is not None and isinstance(node._value, list):
            for index, value in enumerate(node._value):
                yield node._child(index, value)

    def words(self, key: str) -> tuple[str, ...]:
        """Return the texts of the list under ``key``; none where it is left out."""
        return tuple(node.text for node in self.elements(key))

    def date(self, key: str) -> date:
        """Return a day that the schema requires; reports a day that no calendar has."""
        node = self[key]
        try:
            return date.fromisoformat(node.text)
        except ValueError:
            node.report("date", f"expected a day of the calendar, got {node.text}")
            return date.min

    def decimal(self) -> Fraction:
        """Return this decimal exactly."""
        return Fraction(self.text)

    def unit(self, key: str, *, credit: str) -> Unit:
        """Return the unit under ``key``."""
        try:
            return parse_unit(self[key].text, credit=credit)
        except UnitError as error:
            self[key].report("unit", str(error))
            return DIMENSIONLESS

    def _child(self, key: str | int, value: Value) -> "Node":
        node = object.__new__(Node)
        node._document = self._document
        node._findings = self._findings
        node._pointer = child(self._pointer, key)
        node._value = value
        return node


def scaled(node: Node, scale: int) -> int:
    """Return a decimal as an integer of that many decimals; reports a finer one."""
    exact = node.decimal() * 10**scale
    if exact.denominator != 1:
        node.report("scale", f"expected at most {scale} decimals, got {node.text}")
    return int(exact)
