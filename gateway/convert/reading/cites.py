"""Read where a figure comes from, of which year it is and how sure."""

from gateway.convert.program import Cite
from gateway.convert.reading.node import Node

__all__ = ["read_cite"]


def read_cite(root: Node, dated: Node) -> Cite:
    """Read where a figure comes from; only illustrative mappings may leave out source, year, confidence."""
    ref = dated.word("cite")
    known = [entry.word("ref") for entry in root.elements("basis")]
    if ref and ref not in known:
        dated["cite"].report("cite", f"expected a ref of basis ({', '.join(known)}), got {ref}")
    if not ref and root.word("status") != "illustrative":
        message = "expected a cite, got none: a figure without a source makes the status illustrative"
        dated.report("cite", message)
    for key in ("confidence", "year"):
        if not dated.get(key) and root.word("status") != "illustrative":
            dated.report("cite", f"expected the {key} of the figure, got none")
    return Cite(
        ref=ref,
        clause=dated.word("clause"),
        confirmed=dated.date("confirmed") if dated.get("confirmed") else None,
        confidence=dated.word("confidence"),
        year=dated.word("year"),
    )
