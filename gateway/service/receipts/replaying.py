"""Recompute a record from its mapping: what an auditor does, and nothing the record says is believed."""

from collections.abc import Callable
from datetime import date

import orjson

from gateway.convert import Converted, FastEvaluator, Program, Refusal
from gateway.errors import IntegrityBroken
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.record import scaled_text

__all__ = ["QuantityDiffers", "Replayer", "recorded_inputs"]


class QuantityDiffers(IntegrityBroken):
    """A record's quantity is not what its mapping gives for its inputs."""

    code = "quantity-differs"


class Replayer:
    """Recomputes records by mapping digest; each mapping is compiled once."""

    def __init__(self, program_of: Callable[[str], Program]) -> None:
        self._program_of = program_of
        self._evaluators: dict[str, tuple[Program, FastEvaluator]] = {}

    def program(self, mapping_digest: str) -> Program:
        """Return the program of a digest (``sha256:…``)."""
        return self._prepared(mapping_digest)[0]

    def recompute(self, record: dict[str, Json]) -> Converted:
        """Recompute reduction and uncapped points of a record.

        Raises:
            QuantityDiffers: the mapping refuses the act, or gives another quantity.
        """
        mapping = record["mapping"]
        program, evaluator = self._prepared(_text(mapping, "digest"))
        named = {"id": program.id, "version": program.version, "digest": "sha256:" + program.digest}
        _require(mapping == named, record, what="names a mapping that its digest does not belong to")
        behaviour = str(record["behaviour"])
        _require(
            behaviour in program.formula.needs,
            record,
            what=f"has behaviour {behaviour}, unknown to its mapping",
        )
        day = _day(record)
        converted = evaluator.convert_inputs(
            recorded_inputs(program, behaviour, record=record), behaviour=behaviour, day=day
        )
        if isinstance(converted, Refusal):
            raise QuantityDiffers(f"record {record['id']}: its mapping refuses the act: {converted.detail}")
        stated = {
            "co2e_mg": _text(record["reduction"], "co2e_mg"),
            "uncapped": _text(record["points"], "uncapped"),
        }
        found = {"co2e_mg": str(converted.co2e_mg), "uncapped": str(converted.points)}
        for name, value in found.items():
            _require(
                stated[name] == value, record, what=f"states {name} {stated[name]}, its mapping gives {value}"
            )
        points = record["points"]
        same = _text(points, "unit") == program.unit and _text(points, "kind") == program.kind
        _require(same, record, what="states another unit of points than its mapping")
        return converted

    def convert_text(self, mapping_digest: str, behaviour: str, *, day: int, inputs: str) -> Converted:
        """Convert inputs as a record states them, in canonical JSON.

        Raises:
            QuantityDiffers: they are not written so, or the mapping refuses the act.
        """
        program, evaluator = self._prepared(mapping_digest)
        stated: dict[str, Json] = {"id": "of these inputs", "inputs": orjson.loads(inputs)}
        _require(canonical_bytes(stated["inputs"]).decode() == inputs, stated, what="is not canonical")
        converted = evaluator.convert_inputs(
            recorded_inputs(program, behaviour, record=stated), behaviour=behaviour, day=day
        )
        if isinstance(converted, Refusal):
            raise QuantityDiffers(f"the mapping refuses the act: {converted.detail}")
        return converted

    def first_day(self, mapping_digest: str, behaviour: str, *, day: int) -> int:
        """Return since when the rules have been those of a day: the same inputs give the same."""
        made = self._prepared(mapping_digest)[1].block_on(behaviour, day)
        if isinstance(made, Refusal):
            raise QuantityDiffers(f"the mapping refuses the act: {made.detail}")
        return made.block.first

    def _prepared(self, mapping_digest: str) -> tuple[Program, FastEvaluator]:
        if mapping_digest not in self._evaluators:
            program = self._program_of(mapping_digest)
            self._evaluators[mapping_digest] = (program, FastEvaluator(program))
        return self._evaluators[mapping_digest]


def recorded_inputs(program: Program, behaviour: str, *, record: dict[str, Json]) -> dict[str, int]:
    """Read the inputs of a record back: exactly those the formula needs, in their units and places.

    Raises:
        QuantityDiffers: an input is missing, too much, or not written as the mapping says.
    """
    stated = record["inputs"]
    needs = program.formula.needs[behaviour]
    _require(
        isinstance(stated, dict) and set(stated) == set(needs),
        record,
        what=f"should state the inputs {needs}",
    )
    inputs: dict[str, int] = {}
    for name in needs:
        spec = program.formula.inputs[name]
        entry = stated[name] if isinstance(stated, dict) else None
        value, unit = _text(entry, "value"), _text(entry, "unit")
        if spec.classes is not None:
            _require(
                unit == "class" and value in spec.classes, record, what=f"states no known class of {name}"
            )
            inputs[name] = spec.classes.index(value)
            continue
        scaled = _scaled(value)
        _require(
            unit == spec.unit and scaled is not None and scaled_text(scaled, spec.scale) == value,
            record,
            what=f"states {name} otherwise than in {spec.unit} with {spec.scale} places",
        )
        _require(
            scaled is not None and spec.low <= scaled <= spec.high,
            record,
            what=f"states {name} beyond its bounds",
        )
        inputs[name] = scaled or 0
    return inputs


def _day(record: dict[str, Json]) -> int:
    try:
        return date.fromisoformat(str(record["day"])).toordinal()
    except ValueError as error:
        raise QuantityDiffers(f"record {record['id']} names a day that there is not") from error


def _scaled(value: str) -> int | None:
    digits = value.replace(".", "")
    body = digits.removeprefix("-")
    return int(digits) if body.isascii() and body.isdigit() and len(body) <= 60 else None


def _text(value: Json | None, member: str) -> str:
    found = value.get(member) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _require(condition: bool, record: dict[str, Json], *, what: str) -> None:
    if not condition:
        raise QuantityDiffers(f"record {record['id']} {what}", field=str(record["id"]))
