"""Read when a person must have claimed an act."""

from gateway.convert.program import ClaimWindow, Source
from gateway.convert.reading.cites import read_cite
from gateway.convert.reading.node import Node

__all__ = ["read_claim_window"]


def read_claim_window(root: Node, source: Source, *, behaviours: tuple[str, ...]) -> ClaimWindow | None:
    """Return the window in which acts must be claimed, reporting what breaks its meaning."""
    node = root["source"].get("claim_window")
    stated = any(field.role == "claimed_at" for field in source.fields)
    if node is None:
        if stated:
            root["source"]["fields"]["claimed_at"].report(
                "role", "expected a claim_window for claimed_at, got none"
            )
        return None
    if not stated:
        node.report("role", "expected a field for the role claimed_at, got none")
    for behaviour in node.elements("behaviours"):
        if behaviour.text not in behaviours:
            behaviour.report("name", f"expected a behaviour of the source, got {behaviour.text}")
    opens, closes = (int(node.word(key)[1:-1]) for key in ("opens", "closes"))
    if closes <= opens:
        node["closes"].report(
            "bounds", f"expected closes after opens {node.word('opens')}, got {node.word('closes')}"
        )
    return ClaimWindow(
        opens=opens,
        closes=closes,
        behaviours=frozenset(node.words("behaviours")) if node.get("behaviours") else None,
        cite=read_cite(root, node),
    )
