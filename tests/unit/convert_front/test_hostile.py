"""A document broken in one or two places is loaded or refused with findings; nothing else happens."""

import copy
import os
import random
from collections.abc import Iterator

import pytest

from gateway.convert.document import Document, MappingRefused, Value, canonical_bytes
from gateway.convert.interpret import Interpreter
from gateway.convert.load import program_from_document
from gateway.convert.selftest import run_tests
from gateway.convert.yaml_text import read_yaml
from tests.unit.convert_front.documents import MAPPINGS, SCHEMA

TRIES = int(os.environ.get("TANQIAO_HOSTILE_TRIES", "60"))
NAMES = ["yunxi.v3.yaml", *sorted(f"shapes/{path.name}" for path in MAPPINGS.glob("shapes/*.yaml"))]
WORDS = """0 1 -1 0.5 99999999999999999999999999 a distance reduction points text decimal behaviour
TRV-BUS M1 1/0 km gCO2e 1/km 2025-02-30 9999-12-31 0001-01-01 P1Y per_act engagement label
linear /x Asia/Shanghai America/New_York half_even 云"""
TEXTS = ["", "min(1, 2)", "reduction / reduction", *WORDS.split()]


def places(value: Value) -> Iterator[tuple[list[Value] | dict[str, Value], str | int]]:
    """Yield every container with the key or index of each thing in it."""
    members: list[tuple[str | int, Value]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    for key, inner in members:
        yield value, key
        yield from places(inner)


def break_once(value: Value, chance: random.Random) -> None:
    container, key = chance.choice(list(places(value)))
    match chance.randrange(5):
        case 0:
            del container[key]
        case 1:
            _, other = chance.choice(list(places(value)))
            container[key] = str(other)
        case 2:
            donor, other = chance.choice(list(places(value)))
            container[key] = copy.deepcopy(donor[other])
        case 3 if isinstance(container, list):
            container.insert(int(key), copy.deepcopy(container[int(key)]))
        case _:
            container[key] = chance.choice(TEXTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_document_is_loaded_or_refused(name: str) -> None:
    chance = random.Random(name)
    original = read_yaml((MAPPINGS / name).read_bytes()).value
    loaded = refused = 0
    for _ in range(TRIES):
        value = copy.deepcopy(original)
        for _ in range(chance.randrange(1, 3)):
            break_once(value, chance)
        try:
            program = program_from_document(Document(value, {}), SCHEMA)
        except MappingRefused as refusal:
            refused += 1
            assert refusal.findings, "a refusal says why"  # noqa: PT017
        else:
            loaded += 1
            assert program.canonical == canonical_bytes(value)
            run_tests(program, Interpreter(program).convert)

    assert refused > loaded / 10
