"""Read what the mapping holds to be plausible: limits of speed and duration, overlap, claims."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Final, cast

from gateway.convert.program import Field, Limit, Overlap, Source, Then
from gateway.convert.reading.node import Node
from gateway.convert.units import UnitError, divided, parse_unit

__all__ = ["read_plausibility"]

SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
"""The length of each unit of time that a limit may be stated in."""

_TAKEN: Final = frozenset({"end", "overlap", "claimed_reduction", "claimed_points"})  # other rules' names


def read_plausibility(root: Node, source: Source, *, behaviours: tuple[str, ...]) -> Source:
    """Return the source with its limits, its rule of overlap, and what becomes of claims that differ."""
    node = root["source"]
    claim = node.get("claim_tolerance")
    source = replace(source, claim_then=_then(claim) if claim is not None else "finding")
    section = node.get("plausibility")
    if section is None:
        return source
    _check_times(section, source)
    credit = root["credit"].word("unit")
    fields = {field.name: field for field in source.fields if field.role is None}
    limits = [
        *(_speed(one, fields, credit=credit) for one in section.elements("speed")),
        *(_duration(one) for one in section.elements("duration")),
    ]
    nodes = [*section.elements("speed"), *section.elements("duration")]
    _check_names(nodes)
    overlap = section.get("overlap")
    for one in (*nodes, *([overlap] if overlap is not None else [])):
        _check_behaviours(one, behaviours)
    return replace(source, limits=tuple(limits), overlap=None if overlap is None else _overlap(overlap))


def _then(node: Node) -> Then:
    return cast("Then", node.word("then", "finding"))


def _check_times(section: Node, source: Source) -> None:
    roles = {field.role for field in source.fields}
    for role in ("start", "end"):
        if role not in roles:
            section.report("role", f"expected a field for the role {role}, got none")


def _check_names(nodes: list[Node]) -> None:
    taken = set(_TAKEN)
    for node in nodes:
        name = node.word("name")
        if name in taken:
            node["name"].report("name", f"expected a name that no other rule has, got {name}")
        taken.add(name)


def _check_behaviours(node: Node, known: tuple[str, ...]) -> None:
    for behaviour in node.elements("behaviours"):
        if behaviour.text not in known:
            behaviour.report("name", f"expected a behaviour of the source, got {behaviour.text}")


def _behaviours(node: Node) -> frozenset[str] | None:
    return frozenset(node.words("behaviours")) if node.get("behaviours") else None


def _speed(node: Node, fields: dict[str, Field], *, credit: str) -> Limit:
    name = node.word("of")
    field = fields.get(name)
    if field is None or field.type != "decimal":
        node["of"].report("name", f"expected an input that is a decimal, got {name}")
    else:
        _check_quantity(node, field)
    seconds = _unit_seconds(node, "1" if field is None else field.unit, credit=credit)
    return _limit(node, of=name, seconds=seconds)


def _check_quantity(node: Node, field: Field) -> None:
    if field.low < 0:
        node["of"].report("bounds", f"expected an input that is never negative, got {field.name}")
    held = node.words("behaviours")
    if field.behaviours is not None and not (held and field.behaviours.issuperset(held)):
        expected = ", ".join(sorted(field.behaviours))
        node.report("field", f"expected behaviours among those of {field.name} ({expected}), got others")


def _unit_seconds(node: Node, unit: str, *, credit: str) -> int:
    """Return the seconds by which a unit of speed divides; its quantity must have the unit of the input."""
    try:
        stated = parse_unit(node.word("unit"), credit=credit)
        for symbol, seconds in SECONDS.items():
            if stated == divided(parse_unit(unit, credit=credit), parse_unit(symbol, credit=credit)):
                return seconds
        expected = ", ".join(f"{unit}/{symbol}" for symbol in SECONDS)
        node["unit"].report("unit", f"expected one of {expected}, got {node.word('unit')}")
    except UnitError as error:
        node["unit"].report("unit", str(error))
    return 1


def _duration(node: Node) -> Limit:
    return _limit(node, of=None, seconds=SECONDS.get(node.word("unit"), 1))


def _limit(node: Node, *, of: str | None, seconds: int) -> Limit:
    low = node["min"].decimal() if node.get("min") else None
    high = node["max"].decimal()
    for place, message in _misplaced(node, low, high=high):
        place.report("bounds", message)
    return Limit(
        name=node.word("name"),
        of=of,
        unit=node.word("unit"),
        unit_seconds=seconds,
        low=low,
        high=high,
        then=_then(node),
        behaviours=_behaviours(node),
    )


def _misplaced(node: Node, low: Fraction | None, *, high: Fraction) -> Iterator[tuple[Node, str]]:
    if high <= 0:
        yield node["max"], f"expected max above zero, got {node.word('max')}"
    if low is not None and low <= 0:
        yield node["min"], f"expected min above zero, or none, got {node.word('min')}"
    if low is not None and 0 < high < low:
        yield node["max"], f"expected max not below min {node.word('min')}, got {node.word('max')}"


def _overlap(node: Node) -> Overlap:
    return Overlap(
        tolerance_s=int(node.word("tolerance", "0")),
        remember_days=int(node.word("remember")),
        then=_then(node),
        behaviours=_behaviours(node),
    )
