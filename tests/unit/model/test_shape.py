"""The shape of signed documents: the quick check accepts nothing that the JSON Schema itself refuses."""

import copy
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.errors import MalformedDocument
from gateway.model.shape import Shape
from gateway.resources import schema

TRIES = int(os.environ.get("TANQIAO_SHAPE_TRIES", "1500"))
DIGEST, HASH, TIME = "sha256:" + "ab" * 32, "0c" * 32, "2026-11-22T05:00:00Z"
PLATFORM = {"issuer": "gw.example", "platform": "cn-420100/wuhan"}
COUNTS = {"count": 12, "co2e_mg": "829002", "points": "829"}
KEY = "record-" + "0d" * 16
BODIES: dict[str, dict[str, Any]] = {
    "batch": {
        **PLATFORM, "type": "tanqiao/batch/1", "kind": "conversion", "sequence": 0, "previous": DIGEST,
        "records": {"root": HASH, "size": 131_072}, "submission": DIGEST, "issued": TIME,
    },
    "day": {
        **PLATFORM, "type": "tanqiao/day/1", "day": "2025-03-16", "supplement": 0, "issued": TIME,
        "batches": {"after": -1, "through": 3}, "roots": [HASH], "merged": {"cells": 2, **COUNTS},
        "cells": [{"behaviour": "TRV-METRO", "mapping": DIGEST, **COUNTS}],
        "rejected": [{"code": "unknown-code", "count": 1}],
    },
    "transfers": {
        "type": "tanqiao/transfers/1", "issuer": "gw.example", "sequence": 0, "previous": DIGEST,
        "decisions": {"root": HASH, "size": 4_096}, "chain": DIGEST, "issued": TIME,
    },
    "keys": {
        "type": "tanqiao/keys-change/1", "issuer": "gw.example", "action": "added", "key": KEY,
        "purpose": "record", "keys_digest": DIGEST, "issued": TIME,
    },
    "mapping": {
        "type": "tanqiao/mapping-published/1", "issuer": "gw.example", "status": "press", "issued": TIME,
        "mapping": {"id": "cn-420100/wuhan/travel", "version": 2, "digest": DIGEST},
    },
}  # fmt: skip
STATEMENTS = {
    name: {"body": body, "signatures": [{"key": KEY, "value": "A" * 86 + "=="}]}
    for name, body in BODIES.items()
}
RECORD: dict[str, Any] = {
    **PLATFORM, "type": "tanqiao/conversion/1", "id": "0e" * 16, "event": HASH, "behaviour": "TRV-METRO",
    "inputs": {"distance": {"value": "10.574", "unit": "km"}, "car": {"value": "中型", "unit": "class"}},
    "day": "2025-03-16", "evidence": "operator-record", "ownership": "personal", "subject": HASH,
    "mapping": {"id": "cn-420100/wuhan/travel", "version": 2, "digest": DIGEST},
    "reduction": {"co2e_mg": "829002"}, "claimed": {"co2e_mg": "-829000", "points": "0"}, "issued": TIME,
    "points": {"unit": "cn-420100/wuhan-point", "kind": "gram", "uncapped": "829", "amount": "0"},
}  # fmt: skip
RECEIPT: dict[str, Any] = {
    "type": "tanqiao/receipt/1", "record": RECORD, "statement": STATEMENTS["batch"], "log_proof": "a\nb\n",
    "disclosures": [{"field": "event", "salt": "0f" * 16, "value": "T1"}],
    "record_proof": {"index": 0, "size": 1, "hashes": [HASH, HASH]},
}  # fmt: skip
GOOD = {
    "record": ("record", RECORD),
    "receipt": ("receipt", RECEIPT),
    **{name: ("statement", document) for name, document in STATEMENTS.items()},
}
STRANGE: tuple[Any, ...] = (
    "", "0", "00", "-0", "-1", "1" * 19, "9" * 20, "1.5", "x", "地铁", "１", "2025-02-30", "2025-13-01",
    "a\n", "\n", "e\u0301", "\ud800", "\x00", "\U00020bb7" * 40, "a" * 256, "a" * 32_769,
    0, -1, -2, 1, 1.0, 1.5, 2**53 - 1, 2**53, 2**63, 2**64, 2**80, -(2**80), float("inf"), float("nan"),
    True, False, None, [], {}, [None], {"more": "x"},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def changed(document: Any, chance: Random) -> Any:
    """Change one place of a document: another value, a character, a member too few, too many or misnamed."""
    made = copy.deepcopy(document)
    *above, last = chance.choice([path for path in places(made) if path])
    holder = made
    for step in above:
        holder = holder[step]
    value = holder[last]
    match chance.randrange(6):
        case 0:
            del holder[last]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(("more", "类", "", "type", str(last).upper()))] = holder[last]
        case 1:
            holder += [value] * chance.choice((1, 20))
        case 2 | 3 if isinstance(value, str) and value:
            place = chance.randrange(len(value))
            letter = chance.choice(("0", "9", "g", "A", "-", "\n", "１", " ", "地", ""))
            holder[last] = value[:place] + letter + value[place + chance.randrange(2) :]
        case 2 | 3 if isinstance(value, int):
            holder[last] = value + chance.choice((-1, 1))
        case _:
            holder[last] = chance.choice(STRANGE)
    return made


def accepts(shape: Shape, document: Any) -> bool:
    try:
        shape.require(document, "document")
    except MalformedDocument:
        return False
    return True


@pytest.mark.parametrize(("name", "document"), GOOD.values(), ids=GOOD)
def test_the_quick_check_and_the_schema_judge_changed_documents_alike(name: str, document: Any) -> None:
    chance = Random(name)
    shape, reference = Shape(schema(name)), Draft202012Validator(schema(name))
    good = bad = 0
    for _ in range(TRIES // len(GOOD)):
        tried = document
        for _ in range(chance.randrange(1, 3)):
            tried = changed(tried, chance)
        expected = reference.is_valid(tried)
        assert accepts(shape, tried) == expected, tried
        quickly = shape._is_plainly_good(tried)
        assert quickly <= expected, tried
        good, bad = good + expected, bad + (not expected)

    assert min(good, bad) > 0  # both sides were met


@pytest.mark.parametrize(("name", "document"), GOOD.values(), ids=GOOD)
def test_every_strange_value_at_every_place_is_judged_alike(name: str, document: Any) -> None:
    shape, reference = Shape(schema(name)), Draft202012Validator(schema(name))
    for path in places(document):
        if not path or (path[:1] in (("record",), ("statement",)) and len(path) > 1):
            continue  # a receipt's own shape does not look into them
        holder = copy.deepcopy(document)
        inner = holder
        for step in path[:-1]:
            inner = inner[step]
        for value in STRANGE:
            inner[path[-1]] = value
            if shape._is_plainly_good(holder):
                assert reference.is_valid(holder), (path, value)


@pytest.mark.parametrize(("name", "document"), GOOD.values(), ids=GOOD)
def test_good_documents_pass_at_once(name: str, document: Any) -> None:
    shape = Shape(schema(name))

    assert shape._is_plainly_good(document)
    shape.require(document, name)


def test_what_is_wrong_is_named_by_its_place() -> None:
    with pytest.raises(MalformedDocument, match="/points/kind") as refused:
        Shape(schema("record")).require({**RECORD, "points": {**RECORD["points"], "kind": "coin"}}, "record")

    assert refused.value.field == "/points/kind"
    assert refused.value.code == "malformed-document"


def test_what_the_quick_check_cannot_take_over_is_judged_by_the_schema() -> None:
    shape = Shape({"type": "object", "additionalProperties": {"type": "string"}})

    shape.require({"a": "\ud800"}, "document")
    with pytest.raises(MalformedDocument):
        shape.require({"a": ["\ud800"]}, "document")
