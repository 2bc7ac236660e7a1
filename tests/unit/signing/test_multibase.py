"""Multibase texts: base58btc, one spelling for each number of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedDocument
from gateway.signing.multibase import multibase, read_multibase

SPECIFIED = {  # from the Multibase and base58 drafts
    b"yes mani !": "z7paNL19xttacUY",
    b"\x00yes mani !": "z17paNL19xttacUY",
    b"\x00\x00yes mani !": "z117paNL19xttacUY",
    b"Hello World!": "z2NEpo7TZRRrLZSi2U",
    bytes.fromhex("0000287fb4cd"): "z11233QC4",
}


@pytest.mark.parametrize(("data", "text"), SPECIFIED.items(), ids=SPECIFIED.values())
def test_bytes_are_written_as_the_drafts_say(data: bytes, text: str) -> None:
    assert multibase(data) == text
    assert read_multibase(text, len(data)) == data


@given(st.binary(min_size=1, max_size=80))
def test_what_is_written_is_read_again(data: bytes) -> None:
    assert read_multibase(multibase(data), len(data)) == data


@pytest.mark.parametrize(
    "text",
    [
        "", "z", "7paNL19xttacUY", "u7paNL19xttacUY", "Z7paNL19xttacUY", "z7paNL19xttacUY1",
        "z17paNL19xttacUY", "z7paNL19xttacU0", "z7paNL19xttacUO", "z7paNL19xttacUI", "z7paNL19xttacUl",
        " z7paNL19xttacUY", "z7paNL19xttacUY ", "z7paNL19xttacUＹ", "z" + "z" * 5000, "z0", "zz0",
    ],
    ids=lambda text: f"{text[:20]!r}",
)  # fmt: skip
def test_another_spelling_or_length_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        read_multibase(text, 10)
