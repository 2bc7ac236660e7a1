"""The quick reader of lines at once gives what the strict reader gives, or leaves the lines to it."""

import io
import json
from random import Random

import pytest

from gateway.contract.json_rows import (
    NotStrictJson,
    _usual_rows,
    flat_fields,
    read_ndjson,
    strict_json,
)
from gateway.contract.text import ROW_BYTES_MAX
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

BLOCKS = 20_000
VALUES = ("x", "", "1", '云"', "a\\b", "\u2028", 1, None, True, {"a": "b"}, ["a"])
SOURCE = SourceFormat(encodings=("utf-8", "gb18030"))


def test_the_quick_reader_never_differs_from_the_strict_one() -> None:
    chance = Random(1)
    quick = 0
    for _ in range(BLOCKS):
        lines = [_damaged(_row(chance), chance) for _ in range(chance.randrange(1, 4))]
        rows = _usual_rows("".join(f"{line}\n" for line in lines).encode(), "utf-8")
        if rows is not None:
            quick += 1
            assert rows == [_strictly(line) for line in "\n".join(lines).split("\n")], lines

    assert quick > BLOCKS // 10


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b'{"a":"1","a":"2"}\n', id="repeated key"),
        pytest.param(b'{"a":"1"},{"b":"2"}\n', id="two objects on a line"),
        pytest.param(b'{"a":"1"\n"b":"2"}\n', id="one object on two lines"),
        pytest.param(b'{"a":"1"\n"b":"2"},{"c":"3"}\n', id="as many objects as lines, not one on each"),
        pytest.param(b'{"a":"}\n{"}\n', id="a text over two lines"),
        pytest.param(b'{"a":"1"}\n\n', id="blank line"),
        pytest.param(b' {"a":"1"}\n', id="blank before"),
        pytest.param(b'{"a":"1"} \n', id="blank behind"),
        pytest.param(b'{"a":"\\u0031"}\n', id="escape"),
        pytest.param(b'{"a":1}\n', id="number"),
        pytest.param(b'{"a":null}\n', id="null"),
        pytest.param(b'{"a":"\xff"}\n', id="not UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"a":"1"}\n', id="byte order mark"),
        pytest.param(b'{"a":"' + b"x" * ROW_BYTES_MAX + b'"}\n', id="too long"),
        pytest.param(b"[]\n", id="array"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_not_of_the_usual_kind_is_left_to_the_strict_reader(block: bytes) -> None:
    assert _usual_rows(block, "utf-8") is None
    assert _usual_rows(b'{"a":"1"}\n' + block, "utf-8") is None or block == b""


def test_lines_of_the_usual_kind_are_read_at_once_in_either_encoding() -> None:
    text = '{"a":"1","b/c":"云"}\r\n{"a":"2"}\n'

    for encoding in ("utf-8", "gb18030"):
        assert _usual_rows(text.encode(encoding), encoding) == [{"/a": "1", "/b~1c": "云"}, {"/a": "2"}]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_rows_keep_their_numbers_wherever_the_odd_ones_stand(encoding: str) -> None:
    chance = Random(3)
    lines, expected = [], []
    for number in range(1, 4001):
        kind = chance.random()
        if kind < 0.9:
            lines.append(f'{{"n":"{number}","city":"武汉{"x" * chance.randrange(200)}"}}')
        elif kind < 0.95:
            lines.append("\n" + f'{{"n":{number}}}')
        else:
            lines.append(f'{{"n":"{number}","n":"{number}"}}')
        expected.append(kind < 0.95)
    document = "\n".join(lines).encode(encoding)

    rows = list(read_ndjson(io.BytesIO(document), "a", source=SOURCE))

    assert [row.place.row for row in rows] == list(range(1, 4001))
    assert [isinstance(row, SourceRow) for row in rows] == expected
    for row in rows:
        if not isinstance(row, RefusedRow):
            assert row.fields["/n"] == str(row.place.row)


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
