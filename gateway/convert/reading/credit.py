"""Read how points are granted: caps and expiry."""

import re
from collections.abc import Iterator
from typing import Final, Literal, cast

from gateway.convert.program import Cap, Expiry, Source
from gateway.convert.reading.cites import read_cite
from gateway.convert.reading.node import Node
from gateway.convert.reading.source import behaviours_of
from gateway.convert.units import CO2E_MG
from gateway.model.codes import PERIODS

__all__ = ["read_caps", "read_expiry"]

RESULT_MAX: Final = 2**63 - 1  # the bound of integers in signed documents
_LENGTH = re.compile(r"([0-9]+)([YMD])")


def read_caps(root: Node, source: Source) -> tuple[Cap, ...]:
    """Read the caps, reporting those that contradict each other or can never matter."""
    credit = root.get("credit")
    nodes = [] if credit is None else list(credit.elements("caps"))
    if credit is not None:
        _check_pointless(credit, nodes)
    caps = tuple(_cap(root, node, source=source) for node in nodes)
    for index, (node, cap) in enumerate(zip(nodes, caps, strict=True)):
        for other in caps[:index]:
            for message in _conflicts(cap, other):
                node.report("cap", message)
    return caps


def read_expiry(root: Node) -> Expiry | None:
    """Read when points lapse."""
    credit = root.get("credit")
    node = None if credit is None else credit.get("expiry")
    if node is None:
        return None
    length = {unit: int(number) for number, unit in _LENGTH.findall(node.word("after"))}
    if not any(length.values()):
        node["after"].report("expiry", f"expected a time longer than nothing, got {node.word('after')}")
    months, days = 12 * length.get("Y", 0) + length.get("M", 0), length.get("D", 0)
    return Expiry(months=months, days=days, cite=read_cite(root, node))


def _check_pointless(credit: Node, caps: list[Node]) -> None:
    kind, expiry = credit.word("kind"), credit.get("expiry")
    for cap in caps if kind in {"none", "rating"} else []:
        if kind == "rating" or cap.word("of") == "points":
            cap.report("cap", f"expected no cap of {cap.word('of')} for kind {kind}, got one")
    if kind in {"none", "rating"} and expiry is not None:
        expiry.report("expiry", f"expected no expiry for kind {kind}, which has no points, got one")


def _cap(root: Node, node: Node, *, source: Source) -> Cap:
    of = cast('Literal["points", "reduction", "acts"]', node.word("of"))
    whom, period = node.words("per")
    known = behaviours_of(source)
    for behaviour in node.elements("behaviours"):
        if behaviour.text not in known:
            behaviour.report("name", f"expected a behaviour of the source, got {behaviour.text}")
    if whom == "household" and all(field.role != "household" for field in source.fields):
        node["per"].report("role", "expected a field for the role household, got none")
    if of == "reduction" and root["credit"].word("kind") == "engagement":
        node["of"].report("cap", "expected points or acts for kind engagement, got reduction")
    return Cap(
        name=node.word("name"),
        of=of,
        whom=cast('Literal["person", "household", "platform"]', whom),
        period=cast('Literal["local_day", "week", "month", "year", "ever"]', period),
        maximum=_maximum(node, of),
        order=cast('Literal["accepted_sequence", "activity_start"]', node.word("order")),
        late=cast(
            'Literal["counts_on_activity_day", "counts_on_acceptance_day", "reject"]', node.word("late")
        ),
        when_full=cast('Literal["grant_zero", "reject"]', node.word("when_full", "grant_zero")),
        behaviours=frozenset(node.words("behaviours")) if node.get("behaviours") else None,
        cite=read_cite(root, node),
    )


def _maximum(node: Node, of: str) -> int:
    unit = node.get("unit")
    if (unit is not None) != (of == "reduction"):
        expected = "a unit for max" if of == "reduction" else f"no unit for a cap of {of}"
        (unit or node).report("cap", f"expected {expected}, got {'one' if unit else 'none'}")
    exact = node["max"].decimal() * (CO2E_MG[unit.text] if unit is not None else 1)
    if exact.denominator != 1 or not 0 < exact <= RESULT_MAX:
        what = "a whole number of mg" if of == "reduction" else f"a whole number of {of}"
        node["max"].report("cap", f"expected {what} above 0 and below 2^63, got {node.word('max')}")
    return int(exact)


def _conflicts(cap: Cap, other: Cap) -> Iterator[str]:
    if cap.name == other.name:
        yield f"expected each name once, got {cap.name} again"
    if cap.order != other.order:
        yield f"expected the order {other.order} of {other.name}, got {cap.order}: acts have one order"
    if (cap.of, cap.whom, cap.behaviours) != (other.of, other.whom, other.behaviours):
        return
    if cap.period == other.period:
        yield f"expected one cap of {cap.of} per {cap.whom} and {cap.period}, got {other.name} and {cap.name}"
        return
    shorter, longer = sorted((cap, other), key=lambda one: PERIODS.index(one.period))
    if shorter.maximum >= longer.maximum:
        yield f"expected the longer period to allow more, got {other.maximum} and {cap.maximum}"
