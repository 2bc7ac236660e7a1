"""The compact protocol: numbers, lists and structs are read, all else is passed over or refused."""

import io

import pytest

from gateway.contract.thrift import Damaged, Struct, number_of, read_struct


def read(*octets: int) -> Struct:
    return read_struct(io.BytesIO(bytes(octets)))


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param([0x00], {}, id="nothing"),
        pytest.param([0x15, 0x06, 0x15, 0x01, 0x00], {1: 3, 2: -1}, id="numbers"),
        pytest.param([0x05, 0x14, 0x02, 0x00], {10: 1}, id="a field named in full"),
        pytest.param([0x08, 0x14, 0x01, 0x61, 0x00], {10: None}, id="a text whose field is named in full"),
        pytest.param([0x11, 0x12, 0x00], {1: 1, 2: 0}, id="truth values"),
        pytest.param([0x13, 0x07, 0x00], {1: 7}, id="a byte"),
        pytest.param([0x18, 0x02, 0x61, 0x62, 0x15, 0x02, 0x00], {1: None, 2: 1}, id="a text is passed over"),
        pytest.param([0x17, *[9] * 8, 0x15, 0x02, 0x00], {1: None, 2: 1}, id="so is floating point"),
        pytest.param([0x19, 0x25, 0x02, 0x04, 0x00], {1: [1, 2]}, id="a list"),
        pytest.param([0x19, 0xF5, 0x10, *[0x02] * 16, 0x00], {1: [1] * 16}, id="a long list"),
        pytest.param([0x14, 0x06, 0x16, 0x08, 0x00], {1: 3, 2: 4}, id="short and long numbers"),
        pytest.param([0x15, 0x7F, 0x00], {1: -64}, id="the largest number of one byte"),
        pytest.param([0x19, 0xE5, *[0x02] * 14, 0x00], {1: [1] * 14}, id="the longest of the short lists"),
        pytest.param([0x1A, 0x15, 0x02, 0x00], {1: [1]}, id="a set"),
        pytest.param([0x19, 0x22, 0x01, 0x02, 0x00], {1: [1, 2]}, id="truth values of the other kind"),
        pytest.param([0x19, 0x21, 0x01, 0x02, 0x00], {1: [1, 2]}, id="truth values in a list"),
        pytest.param([0x1C, 0x15, 0x02, 0x00, 0x00], {1: {1: 1}}, id="a struct"),
        pytest.param([0x15, 0xAC, 0x02, 0x00], {1: 150}, id="a number of two bytes"),
    ],
)
def test_what_is_written_is_read(octets: list[int], expected: Struct) -> None:
    assert read(*octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param([], id="nothing at all"),
        pytest.param([0x15, 0x06], id="no end"),
        pytest.param([0x15, *[0xFF] * 10, 0x00], id="a number without end"),
        pytest.param([0x19, 0xF5, 0x10, 0x02, 0x00], id="a list that is cut"),
        pytest.param([0x19, 0xF7, *[0xFF] * 8, 0x01], id="more floating point than anyone could pass over"),
        pytest.param([0x19, 0xF8, *[0xFF] * 8, 0x01], id="more texts than anyone could pass over"),
        pytest.param([0x18, 0x05, 0x61], id="a text that is cut"),
        pytest.param([0x18, *[0xFF] * 9, 0x01], id="a text longer than any document"),
        pytest.param([0x1B, 0x00, 0x00], id="a map"),
        pytest.param([0x1D, 0x00], id="an unknown kind"),
        pytest.param([0x1C] * 13, id="too deep in structs"),
        pytest.param([0x19, *[0x19] * 5000], id="too deep in lists"),
    ],
)
def test_what_is_no_struct_is_refused(octets: list[int]) -> None:
    with pytest.raises(Damaged):
        read(*octets)


@pytest.mark.parametrize(("opening", "closing"), [([0x1C], [0x00]), ([0x19, 0x1C], [0x00])])
def test_structs_and_lists_are_read_twelve_levels_deep_and_no_deeper(
    opening: list[int], closing: list[int]
) -> None:
    levels = 12 // len(opening)

    read(*opening * levels, *closing * levels, 0x00)
    with pytest.raises(Damaged):
        read(*opening * (levels + 1), *closing * (levels + 1), 0x00)


def test_lists_in_lists_are_read_twelve_levels_deep_and_no_deeper() -> None:
    empty = 0x09

    assert read(0x19, empty, 0x00) == {1: []}
    read(0x19, *[0x19] * 11, empty, 0x00)
    with pytest.raises(Damaged):
        read(0x19, *[0x19] * 12, empty, 0x00)


def test_a_number_may_have_ten_bytes_and_no_more() -> None:
    assert read(0x15, *[0x80] * 9, 0x01, 0x00) == {1: 1 << 62}
    with pytest.raises(Damaged):
        read(0x15, *[0x80] * 10, 0x01, 0x00)


def test_a_text_may_have_four_mebibytes_and_no_more() -> None:
    longest = b"a" * (4 << 20)

    assert read_struct(io.BytesIO(b"\x18\x80\x80\x80\x02" + longest + b"\x00")) == {1: None}
    with pytest.raises(Damaged):
        read_struct(io.BytesIO(b"\x18\x81\x80\x80\x02" + longest + b"a\x00"))


def test_a_number_that_must_be_there_is_required() -> None:
    assert number_of({1: 5}, 1) == 5
    for struct in ({}, {1: -1}, {1: None}, {1: [5]}, [5], None):
        with pytest.raises(Damaged):
            number_of(struct, 1)  # type: ignore[arg-type]  # what a damaged document holds
