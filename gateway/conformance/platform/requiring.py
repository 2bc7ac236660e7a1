"""What cases require, in words that say what came instead."""

from typing import Any

from gateway.conformance.platform.speaking import Exchange, Unmet

__all__ = ["require", "require_refused", "require_same", "require_state"]


def require(holds: bool, words: str) -> None:
    """Require something.

    Raises:
        Unmet: with these words.
    """
    if not holds:
        raise Unmet(words)


def require_state(exchange: Exchange, state: str, *, repeats: dict[str, Any] | None = None) -> None:
    """Require a good answer with a state, which repeats all members of what was said."""
    document = exchange.document
    require(
        exchange.status in (200, 201), f"expected 200 or 201, got {exchange.status}: {document.get('code')}"
    )
    require(document.get("state") == state, f"expected the state {state}, got {document.get('state')}")
    for name, value in (repeats or {}).items():
        require(document.get(name) == value, f"the answer does not repeat `{name}` as it was said")


def require_refused(exchange: Exchange, status: int, *, code: str, field: str = "") -> None:
    """Require a refusal by a problem document with a code, and if wanted the pointer to a member."""
    document = exchange.document
    got = f"{exchange.status} {document.get('code')}"
    require((exchange.status, document.get("code")) == (status, code), f"expected {status} {code}, got {got}")
    if field:
        pointers = [one.get("pointer") for one in document.get("errors", [])]
        require(field in pointers, f"expected the pointer {field} in `errors`, got {pointers}")


def require_same(first: Exchange, again: Exchange) -> None:
    """Require the same answer, byte for byte."""
    require(
        (first.status, first.answer) == (again.status, again.answer),
        "expected the first answer again, byte for byte",
    )
