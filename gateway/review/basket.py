"""The standard basket: acts by which mappings are compared, as data."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from gateway.convert import MappingRefused
from gateway.convert.program import Text
from gateway.convert.shape import schema_findings
from gateway.convert.yaml_text import read_yaml

__all__ = ["Basket", "StandIn", "StandardAct", "read_basket"]


class StandIn(NamedTuple):
    """Another statement of an act: how much of what, how many of the acts that is, and why."""

    quantities: Mapping[str, str]
    divide_by: str
    note: Text


class StandardAct(NamedTuple):
    """One act of the basket: how much by unit, and by the name of an input where the unit is not enough."""

    name: str
    title: Text
    behaviour: str
    quantities: Mapping[str, str]
    named: Mapping[str, str]
    stand_in: StandIn | None


class Basket(NamedTuple):
    """All standard acts, and what is said of them."""

    note: Text
    acts: tuple[StandardAct, ...]


def read_basket(text: bytes, schema: Mapping[str, Any], *, name: str = "") -> Basket:
    """Read a basket from its YAML.

    Raises:
        MappingRefused: it breaks its schema; each finding with line and column.
    """
    document = read_yaml(text, name=name)
    findings = schema_findings(document, schema)
    if findings:
        raise MappingRefused(findings, name)
    value = cast("dict[str, Any]", document.value)
    return Basket(_text(value.get("note", {"zh": "", "en": ""})), tuple(map(_act, value["acts"])))


def _act(value: dict[str, Any]) -> StandardAct:
    other = value.get("stand_in")
    return StandardAct(
        name=value["act"],
        title=_text(value["title"]),
        behaviour=value["behaviour"],
        quantities=value["quantities"],
        named=value.get("named", {}),
        stand_in=other and StandIn(other["quantities"], other["divide_by"], _text(other["note"])),
    )


def _text(value: dict[str, str]) -> Text:
    return Text(value["zh"], value["en"])
