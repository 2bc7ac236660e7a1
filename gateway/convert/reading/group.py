"""Read the section that says how the rows of one day become one act."""

import re
from collections.abc import Iterator
from typing import Final, Literal, cast

from gateway.convert.instants import SECONDS_OF_DAY
from gateway.convert.program import Field, Group
from gateway.convert.reading.fields import ROLES, read_field
from gateway.convert.reading.node import Node

__all__ = ["read_group"]

_MADE: Final = ("day", "rows")
_DURATION: Final = re.compile(r"PT(?:([0-9]+)H)?(?:([0-9]+)M)?")
_NOT_SUMMED: Final = ("value", "code_table", "behaviours", "unit")


def read_group(source: Node, adapter: str, *, pointers: bool) -> Group | None:
    """Return the declared group, reporting what breaks its meaning; None where rows are acts already."""
    node = source.get("group")
    if node is None:
        return None
    if adapter != "common":
        node.report("field", f"expected a group for the adapter common only, got {adapter}")
    group = Group(
        by=node.words("by"),
        start=read_field(node["start"], "start", tables={}),
        sums=tuple(_sums(node)),
        every=_every(node["every"]),
        partial=cast('Literal["reject", "keep"]', node.word("partial")),
        prefix="/" if pointers else "",
    )
    _check_names(source, group)
    return group


def _sums(node: Node) -> Iterator[Field]:
    for name, field in node.members("sum"):
        if name in ROLES or name in _MADE:
            field.report("name", f"expected a name that has no meaning of its own, got {name}")
        for key in _NOT_SUMMED:
            extra = field.get(key)
            if extra is not None:
                extra.report("field", f"expected no {key} of a column that is added up, got one")
        yield read_field(field, name, tables={})


def _every(node: Node) -> int:
    hours, minutes = _DURATION.fullmatch(node.text).groups("0")  # type: ignore[union-attr]  # by the schema
    seconds = int(hours) * 3600 + int(minutes) * 60
    if not seconds or SECONDS_OF_DAY % seconds:
        node.report("field", f"expected a part that a day has a whole number of, got {node.text}")
        return SECONDS_OF_DAY
    return seconds


def _check_names(source: Node, group: Group) -> None:
    """Hold the fields of the act to the places that its row has, each of them made once."""
    made = [*group.by, *map(group.made, (*_MADE, "start")), *(group.made(field.name) for field in group.sums)]
    for place in source["group"].elements("by"):
        if made.count(place.text) > 1:
            place.report("name", f"expected a place that is none of the made ones, got {place.text}")
        if place.text.startswith("/") != bool(group.prefix):
            expected = "a JSON Pointer" if group.prefix else "a heading"
            place.report("field", f"expected {expected}, got {place.text}")
    known = set(made) - {group.made("start")}
    for _, field in source.members("fields"):
        for key in ("path", "column"):
            found = field.get(key)
            if found is not None and found.text not in known:
                found.report("name", f"expected one of {', '.join(sorted(known))}, got {found.text}")
        for found in (*field.elements("paths"), *field.elements("columns")):
            if found.text not in known:
                found.report("name", f"expected one of {', '.join(sorted(known))}, got {found.text}")
