"""The schemas that requests are read by: what they let pass, what they refuse, what they say about it."""

import re
from typing import Any

import pytest

from gateway.api.forms import BLANK, Form, text
from gateway.api.rows import NDJSON, lines_of
from gateway.errors import MalformedDocument
from gateway.model.canonical import require_text

FORM = Form(
    name=text("A name.", least=1, most=5, opening=BLANK),
    note=text("A note.", most=3),
    count={"type": "integer", "minimum": 0, "maximum": 9},
    optional=("note", "count"),
)


@pytest.mark.parametrize(
    ("content", "document"),
    [
        ('{"name": "碳"}', {"name": "碳"}),
        ('{"name": "a b", "note": ""}', {"name": "a b", "note": ""}),
        ('{"name": "a", "count": 1.0}', {"name": "a", "count": 1}),
        ('{"name": "a", "count": 0.9e1}', {"name": "a", "count": 9}),
        ('{"name": "a", "count": -0.0}', {"name": "a", "count": 0}),
    ],
)
def test_what_has_the_form_is_read(content: str, document: dict[str, Any]) -> None:
    read = FORM.read(content.encode())

    assert read == document
    assert not isinstance(read.get("count"), float)


@pytest.mark.parametrize(
    ("content", "pointer", "told"),
    [
        ("{}", "/name", "a member `name`"),
        ('{"name": ""}', "/name", "minLength"),
        ('{"name": " a"}', "/name", "pattern"),
        ('{"name": "abcdef"}', "/name", "maxLength: 5"),
        ('{"name": "a", "secret-of-mine": 1}', "", "no members but `name`, `note`, `count`"),
        ('{"name": 7}', "/name", "type"),
        ('{"name": "a", "count": 10}', "/count", "maximum: 9"),
        ('{"name": "a", "count": true}', "/count", "type"),
        ('{"name": "a", "count": 0.5}', "", "not whole"),
        ('{"name": "a", "count": 1e400}', "", "not whole"),
        ('{"name": "a\\u202e"}', "/name", "U+202E"),
        ('{"name": "e\\u0301"}', "/name", "NFC"),
        ('{"name": "a", "name": "b"}', "", "twice"),
    ],
)
def test_what_has_not_the_form_is_refused_with_the_place(content: str, pointer: str, told: str) -> None:
    with pytest.raises(MalformedDocument, match=re.escape(told)) as refused:
        FORM.read(content.encode())

    assert refused.value.field == pointer
    for private in ("abcdef", "secret-of-mine"):
        assert private not in str(refused.value)


def test_a_free_text_is_what_the_profile_lets_stand_in_one() -> None:
    pattern = re.compile(text("Any.", most=1)["pattern"])
    differing = [
        f"U+{code:04X}"
        for code in range(0x20000)
        if not 0xD800 <= code < 0xE000
        and (pattern.fullmatch(chr(code)) is None) is not _is_refused(chr(code))
    ]

    assert differing == []


def _is_refused(character: str) -> bool:
    """Tell whether a character may stand in no text; which form of normalisation it has is another matter."""
    try:
        require_text(character, "")
    except MalformedDocument as error:
        return "character" in str(error)
    return False


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("{}", 1),
        ("\n \r\n{}\n\n\t{\n ", 2),
        ("{}\n{x", 2),
        ("", 0),
        (" ", 0),
        ("\n\n", 0),
        ("{}\n[]", 2),
        ("\v", 1),
    ],
)
def test_the_contract_knows_what_is_a_row_of_ndjson(content: str, rows: int) -> None:
    found = lines_of(content.encode())
    good = bool(found) and all(row.lstrip(b" \t\r").startswith(b"{") for row in found)

    assert len(found) == rows
    assert bool(re.search(str(NDJSON["pattern"]), content)) is good
