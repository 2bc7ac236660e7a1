"""The strict reader: for each document that it takes, the nearest ones that it refuses."""

import json

import pytest

from gateway.errors import MalformedDocument
from gateway.model.canonical import ProfileBroken
from gateway.model.strict import DOCUMENT_BYTES_MAX, read_strict, read_strict_object

GOOD = {
    "object": b'{"a":1,"b":"x","c":[true,false,{"d":{}}]}',
    "spaces and line ends": b' {\n"a" : 1 }\r\n',
    "Chinese": '{"name":"地铁"}'.encode(),
    "character beyond the first plane": '"𠮷"'.encode(),
    "the same, escaped as a pair of surrogates": b'"\\ud842\\udfb7"',
    "largest counter": b"9007199254740991",
    "smallest counter": b"-9007199254740991",
    "a value below 16 levels": b"[" * 16 + b"0" + b"]" * 16,
    "same key in two objects": b'[{"a":1},{"a":2}]',
}

BAD = {
    "nothing": (b"", "line 1 column 1"),
    "only spaces": (b"  ", "line 1"),
    "key twice": (b'{"a":1,"b":2,"a":1}', "'a' stands twice"),
    "key twice, once escaped": (b'{"a":1,"\\u0061":2}', "'a' stands twice"),
    "key twice, deep down": (b'[{"x":{"k":0,"k":0}}]', "'k' stands twice"),
    "NaN": (b'{"a":NaN}', "NaN is not whole"),
    "Infinity": (b"[Infinity]", "Infinity is not whole"),
    "minus Infinity": (b"[-Infinity]", "-Infinity is not whole"),
    "byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ("{}".encode("utf-16"), "byte 0 is not UTF-8"),
    "lone surrogate, escaped": (b'"\\ud800"', "U+D800"),
    "lone low surrogate, escaped": (b'"x\\udfff"', "U+DFFF"),
    "surrogates the wrong way round": (b'"\\udfb7\\ud842"', "U+DFB7"),
    "lone surrogate, raw": (b'"\xed\xa0\x80"', "byte 1 is not UTF-8"),
    "overlong slash": (b'"\xc0\xaf"', "byte 1 is not UTF-8"),
    "cut in a character": ('"地'.encode()[:-1], "is not UTF-8"),
    "a value below 17 levels": (b"[" * 17 + b"0" + b"]" * 17, "deeper than 16"),
    "a hundred thousand levels": (b"[" * 100_000 + b"]" * 100_000, "deeper than 16"),
    "a hundred thousand objects": (b'{"a":' * 40_000 + b"0" + b"}" * 40_000, "deeper than 16"),
    "never closed": (b"[" * 100_000, "deeper than 16"),
    "full-width digit": ('{"a":１}'.encode(), "line 1 column 6"),
    "full-width digit after a digit": ("[1２]".encode(), "line 1 column 3"),
    "Arabic-Indic digit": ("[٣]".encode(), "line 1"),
    "exponent": (b"[1e5]", "1e5 is not whole"),
    "whole number as a float": (b"[1.0]", "1.0 is not whole"),
    "minus zero": (b"[-0]", "-0"),
    "minus zero as a float": (b"[-0.0]", "-0.0 is not whole"),
    "leading zero": (b"[01]", "line 1"),
    "plus sign": (b"[+1]", "line 1"),
    "2^53": (b"[9007199254740992]", "2^53-1"),
    "minus 2^53": (b"[-9007199254740992]", "2^53-1"),
    "number of 5,000 digits": (b"[" + b"9" * 5000 + b"]", "5000 characters"),
    "null": (b'{"a":null}', "NoneType is not allowed"),
    "bare null": (b"null", "NoneType is not allowed"),
    "control character, escaped": (b'"\\u0000"', "U+0000"),
    "line end, escaped": (b'"a\\nb"', "U+000A"),
    "control character, raw": (b'"a\x01"', "line 1 column 3"),
    "delete": (b'"\x7f"', "U+007F"),
    "C1 control": ('"\x85"'.encode(), "U+0085"),
    "right-to-left override": ('"a\u202eb"'.encode(), "U+202E"),
    "isolate": ('"\u2066"'.encode(), "U+2066"),
    "Arabic letter mark": ('"\u061c"'.encode(), "U+061C"),
    "line separator": ('"\u2028"'.encode(), "U+2028"),
    "not NFC": ('"e\u0301"'.encode(), "NFC"),
    "Kelvin sign, not NFC": ('"\u212a"'.encode(), "NFC"),
    "Chinese key": ('{"名":1}'.encode(), "printable ASCII"),
    "key with a control character": (b'{"a\\u0001":1}', "printable ASCII"),
    "trailing garbage": (b"{} x", "line 1 column 4"),
    "two documents": (b"{}{}", "line 1 column 3"),
    "trailing comma": (b"[1,]", "line 1"),
    "single quotes": (b"{'a':1}", "line 1"),
    "comment": (b"[1] // one", "line 1"),
    "zero byte at the end": (b"{}\x00", "line 1"),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_document_of_the_profile_is_read_as_it_stands(data: bytes) -> None:
    assert read_strict(data) == json.loads(data)


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD)
def test_a_document_outside_the_profile_is_refused_with_its_reason(data: bytes, words: str) -> None:
    with pytest.raises(MalformedDocument) as refused:
        read_strict(data)

    assert words in str(refused.value)


def test_a_document_of_the_greatest_size_is_read_and_one_byte_more_is_not() -> None:
    text = b'"' + b"x" * (DOCUMENT_BYTES_MAX - 2) + b'"'

    assert len(str(read_strict(text))) == DOCUMENT_BYTES_MAX - 2
    with pytest.raises(MalformedDocument, match="at most"):
        read_strict(text + b" ")


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        pytest.param(b'{"a":{"b":[1,"\\u0007"]}}', "/a/b/1", id="text"),
        pytest.param(b'{"a":[{"n":9007199254740993}]}', "/a/0/n", id="number"),
        pytest.param(b'{"a":{"b":null}}', "/a/b", id="null"),
        pytest.param('{"a":{"名":1}}'.encode(), "/a", id="key"),
    ],
)
def test_what_breaks_the_profile_is_named_by_pointer(data: bytes, pointer: str) -> None:
    with pytest.raises(ProfileBroken) as refused:
        read_strict(data)

    assert refused.value.field == pointer


def test_only_the_named_text_may_have_several_lines() -> None:
    document = b'{"proof":"a\\nb","other":"a b"}'

    assert read_strict(document, texts=frozenset({"/proof"})) == {"proof": "a\nb", "other": "a b"}
    for texts in (frozenset[str](), frozenset({"/other"})):
        with pytest.raises(ProfileBroken, match="/proof"):
            read_strict(document, texts=texts)


@pytest.mark.parametrize("other", ["\t", "\r", "\x0b", "\u2028"])
def test_the_named_text_may_have_no_other_control_character(other: str) -> None:
    with pytest.raises(ProfileBroken):
        read_strict(json.dumps({"proof": f"a{other}b"}).encode(), texts=frozenset({"/proof"}))


@pytest.mark.parametrize("data", [b"[]", b'"a"', b"1", b"true"])
def test_where_an_object_is_expected_nothing_else_is_read(data: bytes) -> None:
    with pytest.raises(MalformedDocument, match="expected a JSON object"):
        read_strict_object(data)
