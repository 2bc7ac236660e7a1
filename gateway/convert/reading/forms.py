"""Read how a field writes its days and times."""

from typing import Final, cast

from gateway.convert.forms import EXCHANGEABLE
from gateway.convert.program import DateForm, Form, TimeForm
from gateway.convert.reading.node import Node

__all__ = ["read_form"]

_KEYS: Final = ("date_form", "time_form", "ambiguous")


def read_form(node: Node, kind: str) -> Form | None:
    """Return the declared form of a day or instant; None where it is written as ISO 8601 says."""
    given = [key for key in _KEYS if node.get(key)]
    if not given:
        return None
    if kind not in {"date", "instant"}:
        node[given[0]].report("field", f"expected {given[0]} for a date or an instant only, got type {kind}")
    time_form = node.get("time_form")
    if time_form is not None and kind == "date":
        time_form.report("field", "expected time_form for an instant only, got type date")
    if kind == "instant" and node.get("zone") is None:
        node[given[0]].report("zone", "expected a zone beside the form of an instant, got none")
    form = Form(
        date=cast("DateForm", node.word("date_form", "YYYY-MM-DD")),
        time=cast("TimeForm", node.word("time_form", "hh:mm:ss")),
        exchangeable=node.word("ambiguous", "accept") == "accept",
    )
    if node.get("ambiguous") is not None and form.date not in EXCHANGEABLE:
        node["ambiguous"].report("field", f"expected ambiguous for {', '.join(sorted(EXCHANGEABLE))} only")
    return form
