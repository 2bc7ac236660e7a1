"""The quick reader of flat rows gives what the strict reader gives, or leaves the row to it."""

import json
from random import Random

from gateway.contract.json_rows import NotStrictJson, _flat_texts, flat_fields, strict_json

ROWS = 20_000
VALUES = ("x", "", "1", '云"', "a\\b", "\u2028", 1, None, True, {"a": "b"}, ["a"])


def test_the_quick_reader_never_differs_from_the_strict_one() -> None:
    chance = Random(1)
    quick = 0
    for _ in range(ROWS):
        text = _damaged(_row(chance), chance)
        fields = _flat_texts(text)
        if fields is not None:
            quick += 1
            assert fields == _strictly(text), text

    assert quick > ROWS // 10


def test_the_quick_reader_leaves_a_repeated_key_to_the_strict_one() -> None:
    assert _flat_texts('{"a":"1","a":"2"}') is None
    assert _flat_texts('{"a":"1","b":"2"}') == {"/a": "1", "/b": "2"}


def _row(chance: Random) -> str:
    if chance.random() < 0.5:
        pairs = (f'"{chance.choice("aab/~")}":"{chance.choice("xy云")}"' for _ in range(chance.randrange(4)))
        return "{" + ",".join(pairs) + "}"
    keys = ("".join(chance.choices("ab/~云", k=chance.randrange(3))) for _ in range(chance.randrange(4)))
    return json.dumps({key: chance.choice(VALUES) for key in keys}, ensure_ascii=chance.random() < 0.5)


def _damaged(text: str, chance: Random) -> str:
    if chance.random() < 0.6:
        return text
    at = chance.randrange(len(text))
    return text[:at] + chance.choice('ab"\\/~:,{}[]\t\n\x00 0é') + text[at + chance.randrange(2) :]


def _strictly(text: str) -> dict[str, str] | None:
    try:
        value = strict_json(text)
    except NotStrictJson:
        return None
    return flat_fields(value) if isinstance(value, dict) else None
