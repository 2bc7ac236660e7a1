"""Documents that are held whole, and entries of lists: neither without a limit."""

import io

import pytest

from gateway.contract import ROW_BYTES_MAX, JsonValue, entry_row, read_within
from gateway.errors import MalformedDocument
from gateway.model.source import Place, RefusedRow

HERE = Place("page.json", 3)


@pytest.mark.parametrize("size", [0, 1, 10])
def test_document_up_to_the_limit_is_returned_whole(size: int) -> None:
    assert read_within(io.BytesIO(b"x" * size), "a.txt", limit=10, remedy="split it") == b"x" * size


def test_document_beyond_the_limit_is_refused_and_not_read_to_its_end() -> None:
    document = io.BytesIO(b"x" * 1000)

    with pytest.raises(MalformedDocument) as refused:
        read_within(document, "a.txt", limit=10, remedy="split it")

    assert str(refused.value) == "a.txt has more than 10 bytes"
    assert refused.value.remedy == "split it"
    assert document.tell() == 11


def test_document_that_comes_in_pieces_is_whole() -> None:
    class Pieces(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    assert read_within(Pieces(b"0123456789"), "a.txt", limit=10, remedy="split it") == b"0123456789"


def test_entry_has_pointers_from_itself_on() -> None:
    row = entry_row({"id": "1", "user": {"name/x": "u", "none": None}}, HERE)

    assert (row.place, row.fields) == (HERE, {"/id": "1", "/user/name~1x": "u"})


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        pytest.param("7", "expected a JSON object", id="a number"),
        pytest.param(["a"], "expected a JSON object", id="a list"),
        pytest.param(None, "expected a JSON object", id="null"),
        pytest.param({"a": "x" * ROW_BYTES_MAX}, "at most 65536 characters", id="a long text"),
        pytest.param({"x" * ROW_BYTES_MAX: "a"}, "at most 65536 characters", id="a long name"),
    ],
)
def test_entry_that_is_no_row_is_refused_alone(entry: JsonValue, said: str) -> None:
    row = entry_row(entry, HERE)

    assert isinstance(row, RefusedRow)
    assert (row.place, row.code) == (HERE, "malformed-row")
    assert said in row.detail


def test_entry_of_the_longest_kind_is_a_row() -> None:
    row = entry_row({"a": "x" * (ROW_BYTES_MAX - 2)}, HERE)

    assert not isinstance(row, RefusedRow)
