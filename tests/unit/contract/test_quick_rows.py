"""The quick reader of lines at once gives what the strict reader gives, or leaves the lines to it."""

import io
import json
from random import Random

import pytest

from gateway.contract.json_rows import (
    SHAPES_MAX,
    NotStrictJson,
    _Decoders,
    _usual_columns,
    flat_fields,
    read_ndjson,
    read_ndjson_blocks,
    strict_json,
)
from gateway.contract.text import ROW_BYTES_MAX
from gateway.model.source import Place, RefusedRow, SourceBlock, SourceFormat, SourceRow

BLOCKS = 20_000
VALUES = ("x", "", "1", '云"', "a\\b", "\u2028", 1, None, True, {"a": "b"}, ["a"])
SOURCE = SourceFormat(encodings=("utf-8", "gb18030"))


def test_the_quick_reader_never_differs_from_the_strict_one() -> None:
    chance = Random(1)
    quick = 0
    for _ in range(BLOCKS):
        lines = [_damaged(_row(chance), chance) for _ in range(chance.randrange(1, 4))]
        rows = _usual_rows("".join(f"{line}\n" for line in lines).encode())
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
    assert _usual_rows(block) is None
    assert _usual_rows(b'{"a":"1"}\n' + block) is None or block == b""


def test_lines_of_the_usual_kind_are_read_at_once_in_either_encoding() -> None:
    text = '{"a":"1","b/c":"云"}\r\n{"a":"2"}\n'

    for encoding in ("utf-8", "gb18030"):
        assert _usual_rows(text.encode(encoding), encoding=encoding) == [
            {"/a": "1", "/b~1c": "云"},
            {"/a": "2"},
        ]


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


def test_a_document_of_ever_other_keys_is_read_all_the_same() -> None:
    block = "".join(f'{{"k{number}":"1"}}\n' * 2 + "\n" * (1 << 18) for number in range(SHAPES_MAX + 2))

    rows = list(read_ndjson(io.BytesIO(block.encode()), "a", source=SOURCE))

    assert [row.fields for row in rows[::2]] == [{f"/k{number}": "1"} for number in range(SHAPES_MAX + 2)]


def test_blocks_hold_the_rows_that_are_read_one_by_one() -> None:
    lines = [f'{{"n":"{number}","a":"云"}}\n' for number in range(30_000)]
    lines[100] = '{"n":"100"}\n'
    lines[25_000] = '{"n":25000}\n'
    document = "".join(lines).encode()

    found = list(read_ndjson_blocks(io.BytesIO(document), "a", source=SOURCE))
    blocks = [one for one in found if isinstance(one, SourceBlock)]
    single = [row for one in found for row in (one if isinstance(one, SourceBlock) else [one])]
    cut = [row for block in blocks for row in (*block.part(0, 101), *block.part(101, len(block)))]

    assert single == list(read_ndjson(io.BytesIO(document), "a", source=SOURCE))
    assert [row.place.row for row in single] == list(range(1, 30_001))
    assert cut == [row for block in blocks for row in block]
    assert blocks[0][100].fields == {"/n": "100"}


def _usual_rows(block: bytes, encoding: str = "utf-8") -> list[dict[str, str]] | None:
    columns = _usual_columns(block, encoding, decoders=_Decoders())
    if columns is None:
        return None
    read = SourceBlock(Place("a", 1), block.count(b"\n"), len(block), columns)
    return [dict(row.fields) for row in read]


def _row(chance: Random) -> str:
    if chance.random() < 0.5:
        pairs = (f'"{chance.choice("aab/~")}":"{chance.choice("xy云")}"' for _ in range(chance.randrange(4)))
        return "{" + ",".join(pairs) + "}" + chance.choice(("", "", " ", "\r"))
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
