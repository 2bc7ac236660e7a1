"""Hold the behaviours of a document to the taxonomy: codes that nobody else knows could not be compared."""

from collections.abc import Iterator, Mapping

from gateway.convert.program import Program
from gateway.convert.reading import Node
from gateway.model.behaviour import Behaviour

__all__ = ["check_taxonomy"]

_WITHOUT_REDUCTION = frozenset({"engagement", "rating", "unpublished"})


def check_taxonomy(root: Node, program: Program, *, behaviours: Mapping[str, Behaviour]) -> None:
    """Report codes that the taxonomy does not have, and reductions of acts that bear none.

    An illustrative document may name what it likes.
    """
    if program.status == "illustrative":
        return
    reduces = program.kind not in _WITHOUT_REDUCTION
    for place in _stated(root):
        known = behaviours.get(place.text)
        if known is None:
            place.report("behaviour", f"expected a code of `tanqiao behaviours`, got {place.text}")
        elif reduces and known.bears_reduction == "no" and place.text not in program.unmapped:
            place.report("behaviour", f"expected an act that bears a reduction, got {place.text}")


def _stated(root: Node) -> Iterator[Node]:
    constant = root["source"]["fields"]["behaviour"].get("value")
    if constant is not None:
        yield constant
    for _, table in root.members("code_tables"):
        yield from (row["behaviour"] for row in table.elements() if row.get("behaviour") is not None)
