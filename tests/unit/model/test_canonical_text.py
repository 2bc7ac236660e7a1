"""The quick reader of canonical documents: it takes what the strict reader takes, and reads the same."""

import json
import os
from random import Random
from typing import Any

import pytest

from gateway.errors import MalformedDocument
from gateway.model.canonical import canonical_bytes
from gateway.model.canonical_text import read_canonical
from gateway.model.strict import read_strict
from tests.unit.model.test_strict import BAD, GOOD

TRIES = int(os.environ.get("TANQIAO_CANONICAL_TRIES", "4000"))
TEXTS = frozenset({"/proof", "/other"})
LETTERS = (
    "a", "Z", "0", " ", "~", "/", '"', "\\", "\n", "\t", "\x00", "\x7f", "\x85", "\u00a0", "\u00e9",
    "e\u0301", "\u0301", "n", "\u0338", "\u061c", "\u200e", "\u2014", "\u2028", "\u202e", "\u2066",
    "\u1100", "\u1161", "地", "１", "\ufeff", "\U00020bb7", "\ue000",
)  # fmt: skip
NUMBERS = (0, -1, 2**53 - 1, -(2**53) + 1, 2**53, -(2**53), 2**64, 1.0, 0.5, 1e300)


def strictly(data: bytes) -> Any:
    """Read with the strict reader alone: a space before the document is no canonical form, and is allowed."""
    try:
        return read_strict(b" " + data, texts=TEXTS)
    except MalformedDocument:
        return None


def some_text(chance: Random) -> str:
    return "".join(chance.choice(LETTERS[: chance.choice((6, 32))]) for _ in range(chance.randrange(5)))


def some_value(chance: Random, depth: int = 0) -> Any:
    match chance.randrange(3 if depth > 3 else 6):
        case 0:
            return some_text(chance)
        case 1:
            return chance.choice(NUMBERS[: chance.choice((4, 10))])
        case 2:
            return chance.choice((True, False, "x", "x", None))
        case 3:
            return [some_value(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            names = ("proof", "other", "a", "b", some_text(chance))
            return {chance.choice(names): some_value(chance, depth + 1) for _ in range(chance.randrange(4))}


def written(value: Any, chance: Random) -> bytes:
    """Write a value canonically, mostly; else with the names unsorted, escaped, doubled or spaced."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    match chance.randrange(8):
        case 0:
            text = json.dumps(value, ensure_ascii=chance.random() < 0.5, separators=(",", ":"))
        case 1:
            text = text.replace("{", '{"a":1,', 1)
        case 2:
            place = chance.randrange(len(text) + 1)
            text = text[:place] + chance.choice((" ", ",", "-", "0", "\\n", "\\", '"')) + text[place:]
    return text.encode()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_read_quickly_is_what_the_strict_reader_reads(seed: int) -> None:
    chance = Random(seed)
    quick = refused = 0
    for _ in range(TRIES // 4):
        data = written(some_value(chance), chance)
        found = read_canonical(data, TEXTS)
        expected = strictly(data)
        assert found is None or (found == expected and repr(found) == repr(expected)), data
        quick += found is not None
        refused += expected is None

    assert min(quick, refused) > TRIES // 40  # both sides were met


@pytest.mark.parametrize("data", [data for data, _ in BAD.values()], ids=BAD)
def test_nothing_that_is_refused_is_read_quickly(data: bytes) -> None:
    assert read_canonical(data) is None


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_what_is_good_is_read_the_same(data: bytes) -> None:
    assert read_canonical(data) in (None, read_strict(b" " + data))


def test_documents_of_ours_are_read_quickly() -> None:
    document: Any = {"record": {"id": "00", "n": [1, True]}, "proof": "a\nb\n\n— c\n", "title": "地铁"}

    assert read_canonical(canonical_bytes(document), TEXTS) == document
    assert read_canonical(json.dumps(document).encode(), TEXTS) is None


@pytest.mark.parametrize(
    "document",
    [
        {"proof": "a\nb", "title": "a\nb"},
        {"proof": "a\tb"},
        {"proof": 'a"b\n'},
        {"deeper": {"proof": "a\nb"}},
        {"proof": "n\n\u0301"},
    ],
    ids=["another member has lines", "a tab", "a quotation mark", "deeper down", "a mark after a line end"],
)
def test_only_line_ends_of_the_texts_are_passed_over(document: Any) -> None:
    assert read_canonical(canonical_bytes(document), TEXTS) is None
