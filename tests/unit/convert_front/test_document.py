"""Canonical bytes and pointers of a document."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.document import (
    Document,
    MappingRefused,
    Position,
    Value,
    canonical_bytes,
    child,
    from_canonical,
    leaves,
    sha256_hex,
    text_fault,
    value_at,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES: st.SearchStrategy[Value] = st.recursive(
    TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_bytes_equal_those_of_the_reference(value: Value) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


def test_keys_are_sorted_by_utf16_code_units() -> None:
    keys = ["\ufb33", "\U0001f600", "云", "z", "é", "\u0080"]

    sorted_keys = [key for key, _ in leaves(from_canonical(canonical_bytes(dict.fromkeys(keys, ""))).value)]

    # by code point the astral key would be the last
    assert sorted_keys == ["/z", "/\u0080", "/é", "/云", "/\U0001f600", "/\ufb33"]


def test_digest_is_that_of_the_canonical_bytes() -> None:
    assert canonical_bytes({"b": "1", "a": ["x"]}) == b'{"a":["x"],"b":"1"}'
    assert sha256_hex(b'{"a":["x"],"b":"1"}') == sha256_hex(canonical_bytes({"a": ["x"], "b": "1"}))
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    "content",
    [
        b'{"b":"1","a":"2"}',
        b'{"a":"1","a":"1"}',
        b'{"a": "1"}',
        b'{"a":1}',
        b'{"a":null}',
        b'{"a":"\\u4e91"}',
        b'{"a":"1"}\n',
        b'{"a":NaN}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b"{",
        b"",
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_not_canonical_are_refused(content: bytes) -> None:
    with pytest.raises(MappingRefused) as refused:
        from_canonical(content)

    assert refused.value.findings[0].code == "canonical"


def test_pointers_lead_back_to_their_scalars() -> None:
    value: Value = {"a/b": {"c~d": ["x", {"": "y"}]}}

    assert dict(leaves(value)) == {"/a~1b/c~0d/0": "x", "/a~1b/c~0d/1/": "y"}
    assert all(value_at(value, pointer) == text for pointer, text in leaves(value))
    assert value_at(value, "") == value
    assert value_at(value, "/a~1b/c~0d/2") is None
    assert value_at(value, "/a~1b/c~0d/x") is None
    assert value_at(value, "/other") is None
    assert child("/a", "b/c~") == "/a/b~1c~0"


def test_a_place_that_is_not_in_the_text_is_that_of_what_is_around_it() -> None:
    document = Document({}, {"": Position(1, 1), "/a": Position(2, 3)})

    assert document.position("/a/b/0") == Position(2, 3)
    assert document.position("/x") == Position(1, 1)
    assert Document({}, {}).position("/x") == Position(1, 1)


def test_a_message_lists_at_most_twenty_findings() -> None:
    document = Document({}, {})
    refused = MappingRefused((document.finding(f"/{n:02}", "c", message=f"m{n}") for n in range(23)), "f")

    assert len(str(refused).splitlines()) == 21
    assert str(refused).endswith("f: and 3 more findings")
    assert len(refused.findings) == 23
    assert refused.field == "/00"


@pytest.mark.parametrize(
    ("point", "wrong"),
    [(0x1F, True), (0x20, False), (0x7E, False), (0x7F, True), (0x9F, True), (0xA0, False),
     (0xD7FF, False), (0xD800, True), (0xDFFF, True), (0xE000, False),
     (0xFFFD, False), (0xFFFE, True), (0xFFFF, True), (0x1FFFD, False), (0x10FFFF, True)],
    ids=hex,
)  # fmt: skip
def test_what_is_no_character_may_not_stand_in_a_document(point: int, *, wrong: bool) -> None:
    assert bool(text_fault(chr(point))) is wrong
