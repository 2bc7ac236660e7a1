"""Read the fields of a source: columns and constants, their types, bounds and roles."""

from typing import Final, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.convert.program import CodeRow, Field, RoundingMode
from gateway.convert.reading.forms import read_form
from gateway.convert.reading.node import Node, scaled
from gateway.convert.units import CO2E_MG
from gateway.model.codes import EVIDENCE_GRADES, OWNERSHIPS, Rejection
from gateway.model.record import RECORDED_MAX

__all__ = ["CLOSED_ROLES", "ROLES", "check_closed", "read_field", "read_zone"]

FieldType = Literal["text", "decimal", "instant", "date", "pseudonym"]

ROLES: Final[dict[str, FieldType]] = {
    "event": "text",
    "person": "pseudonym",
    "household": "pseudonym",
    "start": "instant",
    "end": "instant",
    "day": "date",
    "claimed_at": "instant",
    "behaviour": "text",
    "evidence": "text",
    "ownership": "text",
    "claimed_reduction": "decimal",
    "claimed_points": "decimal",
}
"""The closed roles with the type that each needs."""

CLOSED_ROLES: Final = {"evidence": EVIDENCE_GRADES, "ownership": OWNERSHIPS}
"""Roles whose values come from a closed set."""

_CODED_ROLES: Final = frozenset({"behaviour", *CLOSED_ROLES})
_CONSTANT_ROLES: Final = _CODED_ROLES | {"person", "household"}
_NAMING_ROLES: Final = (
    "person",
    "household",
    "start",
    "end",
    "day",
    "behaviour",
)  # what an event may be made of
_PLACES: Final = ("path", "column", "paths", "columns", "value", "of")
_DECIMAL_MEMBERS: Final = ("unit", "scale", "min", "max", "excess_digits")
_NO_BOUNDS: Final = (0, 0)  # of what is no decimal, or was reported


def read_field(node: Node, name: str, *, tables: dict[str, tuple[CodeRow, ...]]) -> Field:
    """Read one field, reporting what breaks its meaning."""
    kind = cast("FieldType", node.word("type", "text"))
    table = node.word("code_table") or None
    _check_place(node, name)
    _check_type(node, name, kind=kind)
    if table is not None and table not in tables:
        node["code_table"].report("name", f"expected a table of code_tables, got {table}")
    low, high = _bounds(node, kind)
    _check_claim(node, name, largest=max(abs(low), abs(high)))
    return Field(
        name=name,
        role=name if name in ROLES else None,
        keys=_keys(node),
        constant=node.word("value") if node.get("value") else None,
        type=kind,
        code_table=table,
        unit=node.word("unit", "1") if kind == "decimal" else "",
        scale=_scale(node),
        excess=cast("RoundingMode", node.word("excess_digits", "reject")),
        low=low,
        high=high,
        missing=Rejection(node.word("missing", "missing-field")),
        behaviours=frozenset(node.words("behaviours")) if node.get("behaviours") else None,
        zone=_field_zone(node, kind),
        form=read_form(node, kind),
        of=node.words("of"),
    )


def read_zone(node: Node) -> ZoneInfo:
    """Return a time zone; reports one that the database does not have."""
    try:
        return ZoneInfo(node.text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        node.report("zone", f"expected a name of the IANA time zone database, got {node.text}")
        return ZoneInfo("UTC")


def check_closed(node: Node, role: str, *, value: str) -> None:
    """Report a value that the role's closed set does not have."""
    closed = CLOSED_ROLES.get(role, (value,))
    if value not in closed:
        node.report("role", f"expected one of {', '.join(closed)}, got {value}")


def _keys(node: Node) -> tuple[str, ...]:
    singles = tuple(node.word(key) for key in ("path", "column") if node.get(key))
    return singles + node.words("paths") + node.words("columns")


def _scale(node: Node) -> int:
    return int(node.word("scale", "0"))


def _field_zone(node: Node, kind: str) -> ZoneInfo | None:
    zone = node.get("zone")
    if zone is None:
        return None
    if kind != "instant":
        zone.report("field", f"expected a zone for an instant only, got type {kind}")
    return read_zone(zone)


def _check_place(node: Node, name: str) -> None:
    given = [key for key in _PLACES if node.get(key)]
    if len(given) != 1:
        node.report("field", f"expected one of path, column, value, got {' and '.join(given) or 'none'}")
    _check_several(node, name)
    constant = node.get("value")
    if constant is None:
        return
    if name in ROLES and name not in _CONSTANT_ROLES:
        constant.report("role", f"expected a column for {name}, got a constant")
    check_closed(constant, name, value=constant.text)
    table = node.get("code_table")
    if table is not None:
        table.report("field", "expected no code_table beside a constant, got one")


def _check_several(node: Node, name: str) -> None:
    several = node.get("paths") or node.get("columns")
    if several is not None and name != "event" and node.word("type") != "instant":
        several.report("field", f"expected several places for event and instants only, got them for {name}")
    if several is not None and name != "event" and len(list(several.elements())) > 2:
        several.report("field", "expected the place of the day and that of the time, got more")
    of = node.get("of")
    if of is not None and name != "event":
        of.report("field", f"expected of for event only, got it for {name}")
    for role in node.elements("of"):
        if role.text not in _NAMING_ROLES:
            role.report("role", f"expected one of {', '.join(_NAMING_ROLES)}, got {role.text}")


def _check_type(node: Node, name: str, *, kind: str) -> None:
    table = node.get("code_table")
    needed = ROLES.get(name, "text" if table else "decimal")
    if kind != needed:
        place = node.get("type") or node
        place.report("type", f"expected type {needed} for {name}, got {kind}")
    if table is not None and name in ROLES and name not in _CODED_ROLES:
        table.report("field", f"expected no code_table for {name}, got one")
    if name == "behaviour" and table is None and not node.get("value"):
        node.report("field", "expected a code_table or a constant value for behaviour, got neither")
    behaviours = node.get("behaviours")
    if behaviours is not None and name in ROLES:
        behaviours.report("field", f"expected behaviours for inputs of the formula only, got them for {name}")


def _bounds(node: Node, kind: str) -> tuple[int, int]:
    constant = node.get("value")
    if kind != "decimal" or constant is not None:
        for key in _DECIMAL_MEMBERS if kind != "decimal" else ("min", "max"):
            extra = node.get(key)
            if extra is not None:
                extra.report("field", f"expected {key} for a decimal column only, got it here")
        return _constant_bounds(constant, node) if kind == "decimal" and constant else _NO_BOUNDS
    low, high = node.get("min"), node.get("max")
    if low is None or high is None:
        node.report("bounds", "expected min and max of a decimal, so that nothing overflows, got none")
        return _NO_BOUNDS
    bounds = scaled(low, _scale(node)), scaled(high, _scale(node))
    if bounds[0] > bounds[1]:
        high.report("bounds", f"expected max not below min {low.text}, got {high.text}")
        return bounds[1], bounds[0]
    return bounds


def _constant_bounds(constant: Node, node: Node) -> tuple[int, int]:
    try:
        value = scaled(constant, _scale(node))
    except ValueError:
        constant.report("type", f"expected a decimal, got {constant.text}")
        return _NO_BOUNDS
    return value, value


def _check_claim(node: Node, name: str, *, largest: int) -> None:
    if name == "claimed_points" and _scale(node):
        node["scale"].report("scale", f"expected scale 0 for points, got {_scale(node)}")
    if name == "claimed_points" and largest > RECORDED_MAX:
        node.report("bounds", f"expected claimed points below 2^63, got up to {largest}")
    if name != "claimed_reduction":
        return
    unit = node.word("unit", "1")
    if unit not in CO2E_MG:
        node["unit"].report("unit", f"expected one of {', '.join(CO2E_MG)} for a reduction, got {unit}")
    elif CO2E_MG[unit] % 10 ** _scale(node):
        node["scale"].report("scale", f"expected whole mg, got {unit} with {_scale(node)} decimals")
    elif largest * (CO2E_MG[unit] // 10 ** _scale(node)) > RECORDED_MAX:
        node.report(
            "bounds", f"expected a claimed reduction below 2^63 mg, got up to {largest} of its last decimal"
        )
