"""What the strict YAML reader takes and what it refuses, and where it says so."""

import string
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.document import MappingRefused, Position, canonical_bytes, from_canonical
from gateway.convert.yaml_text import DEPTH_MAX, DOCUMENT_BYTES_MAX, read_yaml


def test_every_scalar_is_a_text() -> None:
    document = read_yaml(b"a: 1\nb: [true, null, 2025-03-01, 1e3, 0x10, ~, .inf, yes]\nc: ''")

    assert document.value == {
        "a": "1",
        "b": ["true", "null", "2025-03-01", "1e3", "0x10", "~", ".inf", "yes"],
        "c": "",
    }


def test_every_node_has_its_place() -> None:
    document = read_yaml("云溪:\n  - {a/b: x, c~d: [y]}\n".encode())

    assert document.positions == {
        "": Position(1, 1),
        "/云溪": Position(2, 3),
        "/云溪/0": Position(2, 5),
        "/云溪/0/a~1b": Position(2, 11),
        "/云溪/0/c~0d": Position(2, 19),
        "/云溪/0/c~0d/0": Position(2, 20),
    }


def test_texts_over_several_lines_are_folded() -> None:
    assert read_yaml(b"a: >-\n  one\n  two\nb: three\n  four").value == {"a": "one two", "b": "three four"}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (b"a: 1\nb: 2\n a: 3", (3, 3), "mapping values are not allowed here"),
        (b"a: 1\nb: 2\na: 3", (3, 1), "each key once, got 'a' again"),
        (b"a: {b: 1, b: 2}", (1, 11), "each key once, got 'b' again"),
        (b"a: &x 1\nb: *x", (1, 4), "without an anchor"),
        (b"a: 1\nb: *x", (2, 4), "the alias *x"),
        (b"&k a: 1", (1, 1), "without an anchor"),
        (b"a: !!int 1", (1, 4), "without a tag"),
        (b"a: ! 1", (1, 4), "without a tag"),
        (b"!!str a: 1", (1, 1), "without a tag"),
        (b"a: !!python/object:os.system x", (1, 4), "without a tag"),
        (b"? [a]\n: 1", (1, 3), "a text as key"),
        (b"? {a: b}\n: 1", (1, 3), "a text as key"),
        (b": 1", (1, 1), "expected YAML"),
        (b"a: 1\n---\nb: 2", (2, 1), "got a second one"),
        (b"a: 1\n...\n---\nb: 2", (3, 1), "got a second one"),
        (b"%YAML 1.1\n---\na: 1", (1, 1), "no directive"),
        (b"%TAG ! tag:x,2000:\n---\na: 1", (1, 1), "no directive"),
        (b"a:\n", (1, 3), "got none"),
        (b"a: [1,\n", (2, 1), "expected YAML"),
        (b"a: |\n  x\n  y", (1, 4), "control character U+000A"),
        (b'a: "\\t"', (1, 4), "control character U+0009"),
        (b'a: "\\u202e"', (1, 4), "bidirectional control character U+202E"),
        (b'a: "\\ud800"', (1, 4), "U+D800, which is no character"),
        (b'a: "\\UFFFFFFFF"', (1, 1), "impossible escape"),
        (b"a: b\nc: \x07", (2, 4), "control character U+0007"),
        (b"\nc: \x07", (2, 4), "control character U+0007"),
        ("# \u2066\na: 1".encode(), (1, 3), "bidirectional control character U+2066"),
        ("a: x\u2028b: y".encode(), (1, 5), "line separator U+2028"),
        (b"\xef\xbb\xbfa: 1", (1, 1), "byte order mark"),
        ("a: \U0001fffe".encode(), (1, 4), "which is no character"),
        ("a: e\u0301".encode(), (1, 4), "form NFC"),
        ("e\u0301: a".encode(), (1, 1), "form NFC"),
        (b"a: 1\n\nb: \xff", (3, 4), "UTF-8, got byte 0xff"),
        ("a: 1".encode("utf-16"), (1, 1), "UTF-8, got byte 0xff"),
        (b"", (1, 1), "an empty text"),
        (b"# nothing\n", (2, 1), "an empty text"),
    ],
)
def test_what_yaml_readers_let_pass_is_refused_at_its_place(
    text: bytes, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(MappingRefused) as refused:
        read_yaml(text, name="doc.yaml")

    (finding,) = refused.value.findings
    assert message in finding.message
    assert (finding.line, finding.column) == place
    assert str(refused.value).startswith(f"doc.yaml:{place[0]}:{place[1]} yaml: expected")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b"{a: ", b"}")])
def test_lists_and_mappings_are_read_as_deep_as_the_limit_and_no_deeper(
    opening: bytes, closing: bytes
) -> None:
    read_yaml(opening * DEPTH_MAX + b"x" + closing * DEPTH_MAX)
    with pytest.raises(MappingRefused, match="at most 16 levels"):
        read_yaml(opening * (DEPTH_MAX + 1) + b"x" + closing * (DEPTH_MAX + 1))


def test_a_document_is_read_up_to_its_limits_and_not_beyond() -> None:
    largest = b"a: " + b"x" * (DOCUMENT_BYTES_MAX - 3)

    read_yaml(largest)
    with pytest.raises(MappingRefused, match="at most 262144 bytes, got 262145"):
        read_yaml(largest + b"x")
    with pytest.raises(MappingRefused, match="at most 16 levels"):
        read_yaml(b"[" * 100_000)


@settings(max_examples=300)
@given(st.text(alphabet=string.printable + "云é\u0301\u202e&*!%@`", max_size=60))
def test_any_text_is_read_or_refused_with_a_finding(text: str) -> None:
    document = None
    with suppress(MappingRefused):
        document = read_yaml(text.encode("utf-8"))

    assert document is None or from_canonical(canonical_bytes(document.value)).value == document.value


@settings(max_examples=300)
@given(st.binary(max_size=40))
def test_bytes_of_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(MappingRefused):
        read_yaml(content + b"\xff")


def test_every_element_of_a_list_keeps_its_line() -> None:
    document = read_yaml(b"a:\n  - x\n  - y\n  - {b: z}\n")

    found = [document.finding(f"/a/{n}", "c", message="m") for n in range(3)]

    assert [(finding.line, finding.column) for finding in found] == [(2, 5), (3, 5), (4, 5)]
