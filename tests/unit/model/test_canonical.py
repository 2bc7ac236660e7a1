"""Canonical bytes against the reference implementation of RFC 8785, and against the RFC's own examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedDocument
from gateway.model.canonical import (
    COUNTER_MAX,
    ProfileBroken,
    canonical_bytes,
    digest,
    require_profile,
    require_text,
)
from gateway.model.strict import read_strict
from tests.real_data import shared_folder

KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


def _fits(text: str) -> bool:
    try:
        require_text(text, "")
    except ProfileBroken:
        return False
    return True


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).filter(_fits)
LEAVES = TEXTS | st.booleans() | st.integers(-COUNTER_MAX, COUNTER_MAX)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


@given(DOCUMENTS)
def test_every_document_of_the_profile_has_the_bytes_of_the_reference(document: Any) -> None:
    made = canonical_bytes(document)

    assert made == rfc8785.dumps(document)
    assert read_strict(made) == document


@given(st.text(st.characters(), max_size=8))
def test_texts_are_either_refused_or_written_like_the_reference(text: str) -> None:
    if _fits(text):
        assert canonical_bytes(text) == rfc8785.dumps(text)
    else:
        with pytest.raises(MalformedDocument):
            read_strict(json.dumps(text).encode())


def test_members_are_sorted_and_nothing_is_between_them() -> None:
    assert canonical_bytes({"b": "1", "a": {"d": 2, "C": [True, 'é/"\\']}}) == (
        '{"a":{"C":[true,"é/\\"\\\\"],"d":2},"b":"1"}'.encode()
    )


def test_a_digest_is_named_by_its_algorithm() -> None:
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    "value",
    [None, 1.0, b"x", (1,), {1: "a"}, {"a": {2: 3}}, COUNTER_MAX + 1, "\ud800", {"é": 1}, [["e\u0301"]]],
    ids=repr,
)
def test_a_value_made_here_is_held_to_the_same_profile(value: object) -> None:
    with pytest.raises(ProfileBroken):
        require_profile(value)


OUTSIDE_THE_PROFILE = {
    "arrays": "/1/10: NoneType is not allowed",  # null
    "french": "a key must be printable ASCII",  # pêche
    "structures": "the number 56.0 is not whole",
    "unicode": "not in Unicode form NFC",  # A with a ring, as two characters
    "values": "the number 333333333.33333329 is not whole",
    "weird": "a key must be printable ASCII",  # a euro sign, a line end
}


def vectors() -> Path:
    folder = shared_folder()
    if folder is None:
        pytest.skip(
            "the outside vectors are not here: set TANQIAO_TEST_DATA to the folder that holds vectors/"
        )
    return folder / "vectors" / "rfc8785"


@pytest.mark.real_data
def test_the_reference_passes_all_vectors_of_the_rfc() -> None:
    inputs = sorted((vectors() / "input").glob("*.json"))

    assert [path.stem for path in inputs] == ["arrays", "french", "structures", "unicode", "values", "weird"]
    for path in inputs:
        expected = bytes.fromhex((vectors() / "outhex" / f"{path.stem}.txt").read_text())
        assert rfc8785.dumps(json.loads(path.read_bytes())) == expected, path.stem


@pytest.mark.real_data
def test_our_reader_refuses_the_vectors_outside_of_its_profile_and_says_why() -> None:
    for path in sorted((vectors() / "input").glob("*.json")):
        with pytest.raises(MalformedDocument) as refused:
            read_strict(path.read_bytes())

        assert OUTSIDE_THE_PROFILE[path.stem] in str(refused.value)


@pytest.mark.real_data
def test_what_those_vectors_hold_of_our_profile_has_the_bytes_of_the_rfc() -> None:
    """All six stand outside as wholes; their texts and numbers inside the profile agree one by one."""
    agreed = 0
    for path in sorted((vectors() / "input").glob("*.json")):
        for value in leaves(json.loads(path.read_bytes())):
            try:
                require_profile(value)
            except ProfileBroken:
                continue
            assert canonical_bytes(value) == rfc8785.dumps(value)
            agreed += 1

    assert agreed > 20


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value
