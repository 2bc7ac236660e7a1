"""Values of one length come apart as they were put together."""

import random

import pytest

from gateway.model.packed import cut, cut_hex


@pytest.mark.parametrize("size", [1, 8, 16, 32])
def test_values_come_apart_as_they_were_packed(size: int) -> None:
    values = [random.Random(size).randbytes(size - 1) + bytes(1) for _ in range(100)]  # zeros at the end stay

    assert cut(b"".join(values), size) == values
    assert cut_hex(b"".join(values), size) == [value.hex() for value in values]


def test_nothing_comes_apart_into_nothing() -> None:
    assert cut(b"", 16) == []
    assert cut_hex(b"", 16) == []


def test_half_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="buffer size"):
        cut(bytes(17), 16)
